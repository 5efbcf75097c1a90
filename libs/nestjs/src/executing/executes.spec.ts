import { decider } from '@holdfast/commands';
import { errorCode } from '@holdfast/kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Headers, Module, Post, Redirect, Req, Res } from '@nestjs/common';
import { feature } from '../feature/feature.js';
import { EventStore, EventStoreModule, Executes } from '../index.js';
import { type Answered, type ParcelService, startParcels } from '../testing/parcel-service.js';
import { parcel, parcels } from '../testing/parcels.js';
import type { SimulatedFileSystem } from '@holdfast/wal/simulation';
import { TestEventStore } from '../testing/test-event-store.js';

const PROBLEM = 'application/problem+json';
const red = { body: { town: 'Bern', grams: 100 } };

/** Everything of an answer that a repetition must give again. */
function recorded({ status, headers, text }: Answered) {
  const [position, type] = ['holdfast-position', 'content-type'].map((name) => headers.get(name));
  return { status, position, type, text };
}

describe('a command over HTTP', () => {
  let store: TestEventStore;
  let service: ParcelService;
  beforeEach(async () => {
    store = new TestEventStore();
    service = await startParcels(store.options);
  });
  afterEach(async () => {
    await service.application.close().catch(() => undefined);
    store.remove();
  });
  const events = () => Number(service.application.get(EventStore).writer.log.lastPosition);

  it('is answered with the status of its route, what it has made and its place in the log', async () => {
    const sent = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    expect(sent).toMatchObject({ status: 201, body: { id: 'a', town: 'Bern', grams: 100 } });
    expect(sent.headers.get('holdfast-position')).toMatch(/^[\w-]{36}$/);
    expect(sent.headers.get('content-type')).toMatch(/^application\/json/);
    expect(sent.headers.get('idempotency-replayed')).toBeNull();
    expect((await service.ask('PUT', 'parcels/a/to/ann')).status).toBe(200);
  });

  it('is answered again as it was, whatever order its members have and however its key is spelled', async () => {
    const first = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    const again = await service.ask('POST', 'parcels/a', {
      key: '"1"',
      body: { grams: 100, town: 'Bern' },
    });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(recorded(again)).toEqual(recorded(first));
    expect(events()).toBe(1);
  });

  it('is refused, and the refusal is recorded and answered again though the reason has passed', async () => {
    const refused = await service.ask('PUT', 'parcels/a/to/ann', { key: 'h' });
    expect(refused).toMatchObject({
      status: 404,
      body: { type: '/problems/parcel-not-found', title: 'There is no such parcel', status: 404 },
    });
    expect(refused.headers.get('content-type')).toContain(PROBLEM);
    await service.ask('POST', 'parcels/a', { key: '1', ...red });
    expect(recorded(await service.ask('PUT', 'parcels/a/to/ann', { key: 'h' }))).toEqual(
      recorded(refused),
    );
    expect((await service.ask('PUT', 'parcels/a/to/ann', { key: 'i' })).status).toBe(200);
  });

  it('is refused with 422 where no feature says otherwise, and standard members of a problem stay what they are', async () => {
    for (const id of ['a', 'b']) await service.ask('POST', `parcels/${id}`, { key: id, ...red });
    expect(await service.ask('POST', 'parcels/c', { key: 'c', ...red })).toMatchObject({
      status: 422,
      body: { type: '/problems/town-full', title: 'town-full', status: 422, town: 'Bern' },
    });
    expect(await service.ask('POST', 'parcels/a', { key: 'd', ...red })).toMatchObject({
      status: 409,
      body: {
        ...{ status: 409, detail: 'It is sent in Bern.' },
        parameters: { status: 'sent', town: 'Bern' },
      },
    });
  });

  it('that has nothing to do uses up its key too', async () => {
    await service.ask('POST', 'parcels/a', { key: '1', ...red });
    await service.ask('PUT', 'parcels/a/to/ann', { key: '2' });
    const unchanged = await service.ask('PUT', 'parcels/a/to/ann', { key: '3' });
    expect(unchanged.status).toBe(200);
    await service.ask('PUT', 'parcels/a/to/bob', { key: '4' });
    const again = await service.ask('PUT', 'parcels/a/to/ann', { key: '3' });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(recorded(again)).toEqual(recorded(unchanged));
  });

  it.each([
    ['no key', {}, 400, 'idempotency-key-missing'],
    ['a key that is none', { key: 'ä' }, 400, 'invalid-request'],
    ['If-Match', { key: '2', headers: { 'if-match': '"1"' } }, 400, 'invalid-request'],
    ['If-None-Match', { key: '2', headers: { 'if-none-match': '*' } }, 400, 'invalid-request'],
    [
      'the key of another request',
      { key: '1', body: { town: 'Chur', grams: 1 } },
      422,
      'idempotency-key-reused',
    ],
  ])('is not decided with %s', async (_, options, status, slug) => {
    await service.ask('POST', 'parcels/a', { key: '1', ...red });
    const answer = await service.ask('POST', 'parcels/b', { ...red, ...options });
    expect(answer).toMatchObject({ status, body: { type: `/problems/${slug}` } });
    expect(answer.headers.get('content-type')).toContain(PROBLEM);
    expect(events()).toBe(1);
  });

  it('is rehearsed by a dry run, which records nothing and needs no key', async () => {
    const rehearsed = await service.ask('PUT', 'parcels/a/to/ann?dryRun=true');
    expect(rehearsed).toMatchObject({ status: 404, body: { type: '/problems/parcel-not-found' } });
    const sent = await service.ask('POST', 'parcels/a?dryRun=true', { ...red });
    expect(sent).toMatchObject({ status: 200, body: { id: 'a', town: 'Bern' } });
    expect(sent.headers.get('holdfast-dry-run')).toBe('true');
    expect(sent.headers.get('holdfast-position')).toBeNull();
    expect((await service.ask('POST', 'parcels/a?dryRun=yes', { ...red })).status).toBe(400);
    expect((await service.ask('POST', 'parcels/a?dryRun=false', { ...red })).status).toBe(400);
    expect(events()).toBe(0);
  });

  it('whose entity can have no such name is malformed', async () => {
    const id = 'x'.repeat(520);
    const answer = await service.ask('POST', `parcels/${id}`, { key: '1', ...red });
    expect([400, 404, 414]).toContain(answer.status);
    expect(events()).toBe(0);
  });

  it('nested more deeply than a program can spell is malformed', async () => {
    const depth = 200_000;
    const body = `{"town":"Bern","grams":1,"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const url = await service.application.getUrl();
    const answer = await fetch(`${url}/parcels/a`, {
      method: 'POST',
      headers: { 'idempotency-key': '1', 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(400);
    expect(events()).toBe(0);
  });

  it.each([
    ['decide that throws', 'POST', 'parcels/a/weight', 500],
    ['a handler that throws', 'DELETE', 'parcels/a', 403],
    ['a handler that returns no command', 'POST', 'nothing', 500],
  ])('of %s changes nothing, and the service goes on', async (_, method, path, status) => {
    expect((await service.ask(method, path, { key: '1' })).status).toBe(status);
    expect(events()).toBe(0);
    expect((await service.ask('POST', 'parcels/a', { key: '2', ...red })).status).toBe(201);
  });

  it('that is on its way is in flight, and its repetition is told to wait', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => service.ask('POST', 'parcels/a', { key: '1', ...red })),
    );
    for (const { status, headers, body } of answers.filter((one) => one.status === 409)) {
      expect({ status, type: body['type'] }).toEqual({
        status: 409,
        type: '/problems/idempotency-in-flight',
      });
      expect(headers.get('retry-after')).toBe('1');
    }
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).not.toEqual([]);
    expect(events()).toBe(1);
  });

  it('is answered the same by the next process, after a power cut', async () => {
    const first = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    const before = service.application;
    service = await startParcels(store.kill());
    const again = await service.ask('POST', 'parcels/a', { key: '1', ...red });
    expect(recorded(again)).toEqual(recorded(first));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    await before.close().catch(() => undefined);
  });

  it('whose lookup would have an entry under half of a surrogate pair is malformed', async () => {
    const { log } = service.application.get(EventStore).writer;
    const before = log.lastPosition;
    const answer = await service.ask('POST', 'parcels/a', {
      ...{ key: '1', body: { town: 'a\ud800', grams: 1 } },
    });
    expect(answer).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
    expect(log.lastPosition).toBe(before);
    expect((await service.ask('POST', 'parcels/a', { key: '1', ...red })).status).toBe(201);
  });

  it('is refused while the disk is full, and health says so for as long', async () => {
    await service.application.close();
    const { wal, ...options } = store.options;
    service = await startParcels({ ...options, wal: { ...wal, roomRetryMillis: 1 } });
    const { fileSystem } = wal as { fileSystem: SimulatedFileSystem };
    const space = fileSystem.space.bind(fileSystem);
    fileSystem.space = () => ({ totalBytes: 1_000_000_000, freeBytes: 0 });
    const large = { body: { town: 'x'.repeat(200_000), grams: 1 } };
    const send = (key: string) => service.ask('POST', `parcels/${key}`, { key, ...large });
    let answer = await send('0');
    for (let key = 1; key < 20 && answer.status < 500; key++) {
      large.body.town = `${key}${large.body.town}`;
      answer = await send(String(key));
    }
    expect(answer).toMatchObject({
      status: 503,
      body: { type: '/problems/storage-unavailable', outcome: 'not-applied' },
    });
    expect(await service.ask('GET', 'health')).toMatchObject({
      status: 503,
      body: { checks: { log: expect.stringContaining('the disk is full: ENOSPC') } },
    });
    fileSystem.space = space;
    while ((await service.ask('GET', 'health')).status !== 200);
    expect((await send('again')).status).toBe(201);
  });

  it('is of unknown outcome where the disk fails, and after that nothing is applied', async () => {
    const { fileSystem } = store.options.wal as { fileSystem: SimulatedFileSystem };
    await service.ask('POST', 'parcels/a', { key: '1', ...red });
    fileSystem.faults.plan({
      operation: 'data-sync',
      // Of the segment that is written: others are, floors and the watermark when it is their time.
      path: /next-1-1/,
      effect: { kind: 'failed-sync', code: 'EIO' },
    });
    const unknown = await service.ask('POST', 'parcels/b', { key: '2', ...red });
    expect(unknown).toMatchObject({ status: 503, body: { outcome: 'unknown' } });
    expect(unknown.headers.get('retry-after')).toBe('5');
    expect(await service.ask('POST', 'parcels/c', { key: '3', ...red })).toMatchObject({
      status: 503,
      body: { type: '/problems/storage-unavailable', outcome: 'not-applied' },
    });
    expect((await service.ask('GET', 'health')).status).toBe(503);
    expect(store.failures.map(errorCode)).toEqual(['WAL_POISONED']);
  });
});

describe('a service whose handlers cannot mean what they say does not start', () => {
  @Controller('wrong')
  class GetController {
    @Get()
    @Executes(parcel)
    get() {
      return parcel.command('WeighAgain', { parcel: 'a' });
    }
  }
  const stranger = decider<number, { type: 'Count' }, { type: 'Counted'; data: object }>({
    name: 'stranger',
    initial: 0,
    idOf: () => 'one',
    decide: { Count: () => ({ type: 'Counted', data: {} }) },
    evolve: { Counted: (count) => count + 1 },
  });
  @Controller('wrong')
  class StrangerController {
    @Post()
    @Executes(stranger)
    count() {
      return stranger.command('Count', {});
    }
  }
  @Controller('wrong')
  class ResponseController {
    @Post()
    @Executes(parcel)
    weigh(@Res() response: object) {
      return parcel.command('WeighAgain', { parcel: typeof response });
    }
  }
  @Controller('wrong')
  class RedirectController {
    @Post()
    @Executes(parcel)
    @Redirect('/elsewhere')
    weigh(@Res({ passthrough: true }) response: object) {
      return parcel.command('WeighAgain', { parcel: typeof response });
    }
  }

  @Controller('wrong')
  class HeadersController {
    @Post()
    @Executes(parcel)
    weigh(@Headers('x-parcel') id: string) {
      return parcel.command('WeighAgain', { parcel: id });
    }
  }
  @Controller('wrong')
  class RequestController {
    @Post()
    @Executes(parcel)
    weigh(@Req() request: { url: string }) {
      return parcel.command('WeighAgain', { parcel: request.url });
    }
  }

  it.each([
    ['@Headers', { controllers: [HeadersController] }, /takes @Param, @Query and @Body, and/],
    ['@Req', { controllers: [RequestController] }, /takes @Param, @Query and @Body, and/],
    ['@Res()', { controllers: [ResponseController] }, /its handler takes no response/],
    ['@Redirect', { controllers: [RedirectController] }, /stands beside no @Render, @Redirect/],
    ['GET', { controllers: [GetController] }, /stands on a route of POST, PUT, PATCH, DELETE/],
    ['stranger', { controllers: [StrangerController] }, /a feature has what @Executes\(stranger\)/],
    [
      'twice',
      { imports: [EventStoreModule.forFeature(feature({ deciders: [parcel] }))] },
      /one decider has SendParcel|a name of its own/,
    ],
  ])('%s', async (_, parts, message) => {
    const store = new TestEventStore();
    @Module({})
    class Wrong {}
    await expect(startParcels(store.options, [{ module: Wrong, ...parts }])).rejects.toMatchObject({
      message: expect.stringMatching(message),
    });
    store.remove();
  });

  it('takes one feature as often as it is imported', async () => {
    const store = new TestEventStore();
    const service = await startParcels(store.options, [EventStoreModule.forFeature(parcels)]);
    expect((await service.ask('POST', 'parcels/a', { key: '1', ...red })).status).toBe(201);
    await service.application.close();
    store.remove();
  });
});

it('takes no handler that returns anything but a command of the decider: this does not compile', () => {
  class Wrong {
    // @ts-expect-error: a type that the decider has no command of
    @Executes(parcel)
    unknown() {
      return { type: 'Unknown', parcel: 'a' } as const;
    }

    // @ts-expect-error: a command without one of its fields
    @Executes(parcel)
    half() {
      return { type: 'HandOver', parcel: 'a' } as const;
    }

    // @ts-expect-error: no command
    @Executes(parcel)
    nothing() {
      return undefined;
    }
  }
  expect(new Wrong()).toBeDefined();
});
