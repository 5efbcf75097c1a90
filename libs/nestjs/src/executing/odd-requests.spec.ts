import { decider, refuse } from '@holdfast/commands';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post, Query } from '@nestjs/common';
import { feature } from '../feature/feature.js';
import { ProblemException } from '../http/index.js';
import { EventStore, EventStoreModule, Executes, Reads } from '../index.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { shelf } from '../testing/parcels.js';
import { TestEventStore } from '../testing/test-event-store.js';

interface Packed {
  of: object | string;
}

const crate = decider<
  number,
  { type: 'Pack'; crate: string; of: object | string },
  { type: 'Packed'; data: { of: object | string } }
>({
  name: 'crate',
  initial: 0,
  idOf: (command) => command.crate.toLowerCase(),
  decide: {
    Pack: ({ of }) => (of === 'air' ? refuse('air') : { type: 'Packed', data: { of } }),
  },
  evolve: { Packed: (count) => count + 1 },
});

@Controller('crates')
class CratesController {
  @Post()
  @Executes(crate)
  pack(@Body() body: { crate: string } & Packed) {
    const command = crate.command('Pack', { ...body });
    // What a handler does to its body is nothing to the key.
    body.of = command.of === 'a' ? 'b' : 'a';
    return command;
  }

  @Post('by-query')
  @Executes(crate)
  byQuery(@Query('of') of: string) {
    return crate.command('Pack', { crate: 'Q', of });
  }

  @Post('closed')
  @Executes(crate)
  closed(): { type: 'Pack'; crate: string } & Packed {
    throw new ProblemException('overloaded', { retryAfterSeconds: 30, detail: 'Not today.' });
  }

  @Get('closed')
  @Reads(shelf)
  none(): never {
    throw new ProblemException('not-found', { detail: 'Not today.' });
  }

  @Get('late')
  @Reads(shelf)
  late() {
    return (() => Promise.reject(new Error('the tables have gone'))) as never;
  }

  // @ts-expect-error: the moment that a query asks does not wait
  @Reads(shelf)
  promised() {
    return () => Promise.resolve([]);
  }
}

const crates = feature({
  deciders: [crate],
  problems: {
    air: {
      status: 409,
      title: 'Air is no content',
      detail: () => {
        throw new Error('no words');
      },
    },
  },
});
@Module({ imports: [EventStoreModule.forFeature(crates)], controllers: [CratesController] })
class CratesModule {}

describe('a request', () => {
  const store = new TestEventStore();
  let service: ParcelService;
  beforeAll(async () => {
    service = await startParcels(store.options, [CratesModule]);
  });
  afterAll(async () => {
    await service.application.close();
    store.remove();
  });
  const last = () => service.application.get(EventStore).writer.log.lastPosition;
  const pack = (key: string, of: object | string) =>
    service.ask('POST', 'crates', { key, body: { crate: 'A', of } });

  it('is the same though its handler changes its body, and another is another', async () => {
    expect((await pack('same', 'a')).status).toBe(201);
    const again = await pack('same', 'a');
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await pack('same', 'b')).toMatchObject({
      status: 422,
      body: { type: '/problems/idempotency-key-reused' },
    });
  });

  it('is another with another query, and the same with the query in another order, or as a dry run', async () => {
    const ask = (query: string) =>
      service.ask('POST', `crates/by-query?${query}`, { key: 'by-query' });
    expect((await ask('of=a&lot=2')).status).toBe(201);
    expect((await ask('lot=2&dryRun=false&of=a')).headers.get('idempotency-replayed')).toBe('true');
    for (const query of ['of=b&lot=2', 'of=a', 'of=a&of=b&lot=2'])
      expect(await ask(query)).toMatchObject({
        status: 422,
        body: { type: '/problems/idempotency-key-reused' },
      });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonl'])(
    'with a body of %s, which its hash would not have, is refused',
    async (type) => {
      const before = last();
      const response = await fetch(`${await service.application.getUrl()}/parcels/a/weight`, {
        method: 'POST',
        headers: { 'idempotency-key': 'form', 'content-type': type },
        body: 'a=1',
      });
      expect(response.status).toBe(415);
      expect(last()).toBe(before);
    },
  );

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON'])(
    'with a body of %s is taken',
    async (type) => {
      const headers = { 'content-type': type };
      const body = { crate: 'A', of: 'a' };
      expect((await service.ask('POST', 'crates', { key: 'plain', headers, body })).status).toBe(
        201,
      );
    },
  );

  it('whose refusal finds no sentence has its title', async () => {
    const first = await pack('air', 'air');
    expect(first).toMatchObject({ status: 409, body: { title: 'Air is no content' } });
    expect((await pack('air', 'air')).text).toBe(first.text);
  });

  it.each([
    ['POST', 'overloaded', 429, '30'],
    ['GET', 'not-found', 404, null],
  ])(
    '%s whose handler throws a problem is answered with it',
    async (method, slug, status, wait) => {
      const answer = await service.ask(method, 'crates/closed', { key: 'closed' });
      expect(answer).toMatchObject({
        status,
        body: { type: `/problems/${slug}`, detail: 'Not today.' },
      });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.headers.get('retry-after')).toBe(wait);
    },
  );

  it('without what names its entity, or nested more deeply than an event, is malformed', async () => {
    const before = last();
    const nameless = await service.ask('POST', 'crates', { key: 'nameless', body: { of: 'a' } });
    let deep: object = {};
    for (let depth = 0; depth < 140; depth++) deep = { deep };
    for (const answer of [nameless, await pack('deep', deep)])
      expect(answer).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
    expect(last()).toBe(before);
  });

  it('whose query is a promise fails, and not with an empty answer', async () => {
    expect((await service.ask('GET', 'crates/late')).status).toBe(500);
    expect((await service.ask('GET', 'health')).status).toBe(200);
  });
});
