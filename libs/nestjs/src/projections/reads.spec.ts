import { CodedError } from '@holdfast/kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Module,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { feature, projection } from '../feature/index.js';
import {
  Commands,
  EventStore,
  EventStoreModule,
  type EventStoreOptions,
  Projections,
  type Query,
  Reads,
} from '../index.js';
import { threadData } from './projection-thread.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { type ParcelEvent, parcel, shelf } from '../testing/parcels.js';
import { TestEventStore, givenEvents } from '../testing/index.js';

const red = { body: { town: 'Bern', grams: 100 } };
const refusing = projection<ParcelEvent>({
  name: 'refusing',
  version: 1,
  tables: ['CREATE TABLE kept (id TEXT)'],
  on: {
    ParcelSent: () => {
      throw new CodedError('ODD_PARCEL', 'cannot be put anywhere', {});
    },
  },
});
const mistyped = projection<ParcelEvent>({
  ...{ name: 'mistyped', version: 1, tables: ['CREATE TABEL kept (id TEXT)'] },
  on: { ParcelSent: () => undefined },
});
/** As somebody writes it without a compiler. */
const late = projection<ParcelEvent>({
  ...{ name: 'late', version: 1, tables: ['CREATE TABLE late (id TEXT)'] },
  on: { ParcelSent: (() => Promise.reject(new Error('unheard'))) as () => never },
});

@Controller()
class RowsController {
  @Get('rows')
  @Reads(shelf)
  rows() {
    return [] as unknown as Query;
  }
}

@Catch()
class Told implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ send(text: string): void }>();
    response.send(error.message);
  }
}

it('that cannot go on keeps what it needs, also where nobody cares for the log', async () => {
  const store = new TestEventStore();
  const withRefusing = feature({ deciders: [], projections: [refusing] });
  const service = await startParcels(store.options, [EventStoreModule.forFeature(withRefusing)]);
  await service.ask('POST', 'parcels/a', { key: '1', ...red });
  const { log } = service.application.get(EventStore).writer;
  await service.application.close();
  expect(Object.fromEntries(log.wal.floors.all())).toMatchObject({
    'projection:refusing': 0,
    'projection:shelf': expect.any(Number),
  });
  store.remove();
});

describe('a query', () => {
  let store: TestEventStore;
  let service: ParcelService;
  const start = async (...projections: (typeof shelf)[]) => {
    service = await startParcels(
      store.options,
      projections.map((one) =>
        EventStoreModule.forFeature(feature({ deciders: [], projections: [one] })),
      ),
    );
  };
  beforeEach(() => {
    store = new TestEventStore();
  });
  afterEach(async () => {
    await service.application.close();
    store.remove();
  });

  it('sees the command whose position it names, and says of which moment it is', async () => {
    await start();
    const sent = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    const position = sent.headers.get('holdfast-position')!;
    const read = await service.ask('GET', `towns/Bern?minPosition=${position}`, {
      headers: { prefer: 'wait=5' },
    });
    expect(read).toMatchObject({ status: 200, text: '[{"id":"a"}]' });
    expect(read.headers.get('holdfast-position')).toBe(position);
    expect(read.headers.get('preference-applied')).toBe('wait=5');
    await service.ask('PUT', 'parcels/a/to/ann', { key: '2' });
    await service.application.get(Projections).caughtUp();
    const gone = await service.ask('GET', 'towns/Bern');
    expect(gone).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
  });

  it('of a position that this log never had is refused', async () => {
    await start();
    const sent = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    const other = new TestEventStore();
    const elsewhere = await startParcels(other.options);
    for (const token of ['x', sent.headers.get('holdfast-position')!])
      expect(await elsewhere.ask('GET', `towns/Bern?minPosition=${token}`)).toMatchObject({
        status: 400,
        body: { type: '/problems/position-unknown' },
      });
    await elsewhere.application.close();
    other.remove();
  });

  it('waits no longer than it wants to, nor for a service that stops', async () => {
    await start();
    const sent = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    await service.application.get(Projections).caughtUp();
    const position = sent.headers.get('holdfast-position')!;
    const events = service.application.get(EventStore);
    // Of the same history, and not there yet.
    const { encodePosition, placeIn } = await import('@holdfast/commands');
    const { log } = events.writer;
    const ahead = encodePosition({ ...placeIn(log, log.durablePosition), position: 7 as never });
    const late = await service.ask('GET', `towns/Bern?minPosition=${ahead}`, {
      headers: { prefer: 'wait=0' },
    });
    expect(late).toMatchObject({ status: 503, body: { type: '/problems/projection-lagging' } });
    expect(late.headers.get('retry-after')).toBe('1');
    expect(late.headers.get('holdfast-position')).toBe(position);
    const waiting = service.ask('GET', `towns/Bern?minPosition=${ahead}`);
    await service.ask('GET', 'towns/Bern');
    events.beginStop();
    expect(await waiting).toMatchObject({
      status: 503,
      body: { type: '/problems/service-stopping', outcome: 'not-applied' },
    });
    expect((await service.ask('GET', 'health')).body['ready']).toBe(false);
  });

  it('of another projection goes on where one cannot, and health says which', async () => {
    await start(refusing, late, mistyped);
    const sent = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    const position = sent.headers.get('holdfast-position')!;
    expect((await service.ask('GET', `towns/Bern?minPosition=${position}`)).status).toBe(200);
    await expect(service.application.get(Projections).caughtUp(1)).rejects.toMatchObject({
      code: 'PROJECTION_LAGGING',
    });
    const statuses = () => service.application.get(Projections).statuses();
    for (let asked = 0; asked < 500; asked++)
      if (['refusing', 'late', 'mistyped'].some((name) => statuses().get(name)?.state !== 'failed'))
        await new Promise((resolve) => setTimeout(resolve, 10));
    expect([statuses().get('late')?.position, statuses().get('shelf')?.position]).toEqual([0, 1]);
    const health = await service.ask('GET', 'health');
    expect(health).toMatchObject({
      status: 503,
      body: {
        checks: {
          log: 'ok',
          'projection shelf': 'ok',
          'projection refusing': expect.stringContaining('cannot be put anywhere'),
          'projection mistyped': expect.stringContaining('near "TABEL": syntax error'),
          'projection late': expect.stringContaining('late for ParcelSent returns a promise'),
        },
      },
    });
    expect(store.failures).toEqual([]);
    expect((await service.ask('PUT', 'parcels/a/to/ann', { key: '2' })).status).toBe(200);
  });

  it('that is none is told to the author of the handler', async () => {
    @Module({ controllers: [RowsController], providers: [{ provide: APP_FILTER, useClass: Told }] })
    class RowsModule {}
    service = await startParcels(store.options, [RowsModule]);
    const answer = await fetch(`${await service.application.getUrl()}/rows`);
    expect(await answer.text()).toBe('the handler returns a query: a function of the tables');
  });

  it('within the service reads states and histories', async () => {
    await start();
    const commands = service.application.get(Commands);
    const outcome = await commands.execute(
      parcel,
      parcel.command('SendParcel', { parcel: 'a', town: 'Chur', grams: 1 }),
      { actor: 'schedule', idempotency: { key: '1', bodyHash: '1' } },
    );
    expect(outcome).toMatchObject({ kind: 'answered', outcome: 'accepted' });
    expect(commands.read(parcel, 'a')).toEqual({ town: 'Chur', to: null });
    const types: string[] = [];
    for await (const { type } of commands.history(parcel, 'a')) types.push(type);
    expect(types).toEqual(['ParcelSent']);
  });
});

it('a thread is told where the archive is, for what has left the log for it', () => {
  const archive = { directory: '/cold/archive' } as NonNullable<
    NonNullable<EventStoreOptions['wal']>['archive']
  >;
  const features = [feature({ deciders: [], url: import.meta.url })];
  const options = { directory: '/data', wal: { archive } };
  expect(threadData('shelf', '/data/read-models', { features, options })).toMatchObject({
    walDirectory: '/data/wal',
    archiveDirectory: '/cold/archive',
  });
});

it('a thread needs the url of every feature, and says so', () => {
  const features = [feature({ deciders: [] })];
  expect(() => threadData('shelf', '/models', { features, options: { directory: '/d' } })).toThrow(
    'each feature has `url: import.meta.url`',
  );
});

it('given events give rows, without a log or a host', async () => {
  const sent = { type: 'ParcelSent', data: { town: 'Bern', grams: 1 } } as const;
  const tables = await givenEvents(
    parcel.on('a', sent),
    parcel.on('b', sent),
    parcel.on('a', { type: 'ParcelHandedOver', data: { to: 'ann' } }),
  ).project(shelf);
  tables.expectRows('SELECT id FROM parcels', [{ id: 'b' }]);
  expect(() => tables.expectRows('SELECT id FROM parcels', [])).toThrow();
});
