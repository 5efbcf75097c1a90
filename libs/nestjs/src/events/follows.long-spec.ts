import { type Socket, createConnection } from 'node:net';
import { on, once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { feature } from '../feature/index.js';
import { EventStore, EventStoreModule, type EventStoreOptions, EventStreams } from '../index.js';
import { LiveEvents } from '../testing/live-events.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { TestEventStore } from '../testing/index.js';

const NDJSON = { headers: { accept: 'application/x-ndjson' } };

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly after: string;
  readonly more: boolean;
}

let store: TestEventStore;
let service: ParcelService;

beforeEach(() => {
  store = new TestEventStore();
});
afterEach(async () => {
  await service.application.close();
  store.remove();
});

const page = async (path: string) => (await service.ask('GET', path)).body as unknown as Page;
const idsOf = ({ items }: Page) => items.map(({ stream }) => String(stream).slice(7));

async function send(...ids: readonly string[]): Promise<string[]> {
  const positions: string[] = [];
  for (const id of ids) {
    const body = { town: `town of ${id}`, grams: 1 };
    const answer = await service.ask('POST', `parcels/${id}`, { key: id, body });
    positions.push(answer.headers.get('holdfast-position')!);
  }
  return positions;
}

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])('events over HTTP, on %s', (_, adapter) => {
  const start = async (streams: EventStoreOptions['streams'] = {}) => {
    const filling = EventStoreModule.forFeature(feature({ deciders: [], retired: ['Filling'] }));
    service = await startParcels({ ...store.options, streams }, [filling], adapter());
  };

  it('come as pages, each behind the one before', async () => {
    await start();
    const positions = await send('a', 'b', 'c');
    const first = await page('events?limit=2');
    expect(first).toEqual({
      items: [
        {
          position: positions[0],
          id: expect.any(String),
          type: 'ParcelSent',
          stream: 'parcel/a',
          version: 1,
          recordedAt: expect.any(String),
          data: { town: 'town of a', grams: 1 },
        },
        expect.objectContaining({ stream: 'parcel/b' }),
      ],
      after: positions[1],
      more: true,
    });
    const second = await page(`events?limit=2&after=${first.after}`);
    expect([idsOf(second), second.after, second.more]).toEqual([['c'], positions[2], false]);
    const empty = await page(`events?after=${second.after}`);
    expect(empty).toEqual({ items: [], after: positions[2], more: false });
  });

  it('come as lines, which go as far as the header says', async () => {
    await start();
    const positions = await send('a', 'b');
    const { headers, text } = await askForLines('events');
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(headers.get('holdfast-position')).toBe(positions[1]);
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { position: string }).position)).toEqual(
      positions,
    );
  });

  it('come live, and go on behind what was seen last', async () => {
    await start();
    await send('a', 'b');
    const live = await LiveEvents.open(`${service.url}/events`);
    expect(live.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    await live.until(2);
    const [position] = await send('c');
    const events = await live.until(3);
    expect(events[2]).toEqual({
      id: position,
      type: 'ParcelSent',
      data: expect.objectContaining({ stream: 'parcel/c', position }),
    });
    expect(live.text).toMatch(/^retry: [12]\d\d\d\n\n/);
    live.abort();
    await send('d');
    const next = await LiveEvents.open(`${service.url}/events?after=x`, {
      'last-event-id': live.lastEventId!,
    });
    const missed = await next.until(1);
    expect(missed.map(({ data }) => data?.['stream'])).toEqual(['parcel/d']);
    next.abort();
  });

  it('of one stream, type or tag come alone, and what is left out is passed', async () => {
    await start();
    await send('a', 'b');
    await service.ask('PUT', 'parcels/a/to/ann', { key: 'hand-a' });
    const refused = await service.ask('PUT', 'parcels/x/to/ann', { key: 'hand-x' });
    expect(refused.status).toBe(404);
    const rejected = await page('events?type=CommandRejected');
    expect(rejected).toMatchObject({ items: [], more: false });
    const all = await page('events');
    expect(all.items.map(({ type }) => type)).toEqual([
      ...['ParcelSent', 'ParcelSent', 'ParcelHandedOver'],
    ]);
    const handed = await page('events?type=ParcelHandedOver,Other');
    expect([idsOf(handed), handed.after, handed.more]).toEqual([['a'], rejected.after, false]);
    expect(idsOf(await page('parcels/b/events'))).toEqual(['b']);
    const none = await page('events?tag=nobody');
    expect(none).toEqual({ items: [], after: rejected.after, more: false });
  });

  it('tell a live client that gets none of them how far it has come', async () => {
    await start({ heartbeatMillis: 20 });
    const live = await LiveEvents.open(`${service.url}/events?type=Other`);
    const [position] = await send('a');
    while (live.lastEventId !== position) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(live.text).toContain(`:\nid: ${position}\n\n`);
    expect(live.events).toEqual([]);
    live.abort();
  });

  it('are answered to HEAD without a stream', async () => {
    await start();
    const headers = { accept: 'text/event-stream' };
    const response = await fetch(`${service.url}/events`, { method: 'HEAD', headers });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      ...[200, 'text/event-stream; charset=utf-8', ''],
    ]);
    while (service.application.get(EventStreams).count > 0)
      await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('are refused as a problem', async () => {
    await start();
    const refused: readonly [string, Readonly<Record<string, string>>, string][] = [
      ['events?limit=0', {}, 'invalid-request'],
      ['events?limit=1001', {}, 'invalid-request'],
      ['events?after=x', {}, 'position-unknown'],
      ['events', { 'last-event-id': 'x' }, 'position-unknown'],
      ['events', { accept: 'text/html, application/json;q=0' }, 'not-acceptable'],
    ];
    for (const [path, headers, problem] of refused) {
      const { body } = await service.ask('GET', path, { headers });
      expect([path, body['type']]).toEqual([path, `/problems/${problem}`]);
    }
    await untilCount(0);
  });

  it('of another log are nobody’s', async () => {
    await start();
    const [position] = await send('a');
    await service.application.close();
    store.remove();
    store = new TestEventStore();
    await start();
    for (const accept of ['application/json', 'application/x-ndjson', 'text/event-stream'])
      expect(
        await service.ask('GET', `events?after=${position}`, { headers: { accept } }),
      ).toMatchObject({ status: 400, body: { type: '/problems/position-unknown' } });
  });

  it('are bounded for each address and for all', async () => {
    await start({ streamsMax: 3, streamsOfClientMax: 2 });
    const open = () => LiveEvents.open(`${service.url}/events`);
    const [one, two, three] = [await open(), await open(), await open()];
    expect([one.status, two.status, three.status]).toEqual([200, 200, 429]);
    expect(three.response.headers['retry-after']).toBe('5');
    two.abort();
    await untilCount(1);
    expect((await open()).status).toBe(200);
    expect((await page('events')) as unknown).toMatchObject({ type: '/problems/overloaded' });
    one.abort();
  });

  it('end all at once when the service stops', async () => {
    await start();
    await send('a');
    const streams = await Promise.all(
      ['events', 'events?type=Other'].map((path) => LiveEvents.open(`${service.url}/${path}`)),
    );
    await streams[0]!.until(1);
    await service.application.close();
    await Promise.all(streams.map(({ closed }) => closed));
    expect(streams.map(({ isWhole }) => isWhole)).toEqual([true, true]);
  });

  it('end for a client whose time is over, and go on without a gap', async () => {
    await start({ lifeMillisMax: 30 });
    await send('a');
    const live = await LiveEvents.open(`${service.url}/events`);
    await live.closed;
    expect([live.isWhole, live.events.length]).toEqual([true, 1]);
    await send('b');
    const next = await LiveEvents.open(`${service.url}/events`, {
      'last-event-id': live.lastEventId!,
    });
    await next.closed;
    expect(next.events.map(({ data }) => data?.['stream'])).toEqual(['parcel/b']);
  });

  it('end for a client that takes none of them, having waited in little memory', async () => {
    await start({ stallMillisMax: 50 });
    const { log } = service.application.get(EventStore).writer;
    const events = Array.from({ length: 300 }, (_, at) => ({
      id: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
      ...{ type: 'Filling', schemaVersion: 1, data: { text: 'x'.repeat(100_000) } },
    }));
    for (const [at, event] of events.entries()) {
      log.append({ appends: [{ stream: 'filling/a', expectedVersion: 'any', events: [event] }] });
      if (at % 4 === 3) await log.whenDurable(log.lastPosition);
    }
    let read = 0;
    const readAll = log.readAll.bind(log);
    log.readAll = async function* (options) {
      for await (const batch of readAll(options)) {
        read += batch.events.length;
        yield batch;
      }
    };
    const socket = createConnection(Number(new URL(service.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /events HTTP/1.1\r\nHost: a\r\nAccept: application/x-ndjson\r\n\r\n');
    await untilCount(1);
    socket.pause();
    await untilCount(0);
    // Thirty megabytes were asked for: what the connection holds, and a batch or two.
    expect(read).toBeLessThan(250);
    socket.resume();
    await once(socket, 'close');
  });

  it('are broken off where the log cannot be read on, and never look whole', async () => {
    await start();
    await send('a');
    const { log } = service.application.get(EventStore).writer;
    const readAll = log.readAll.bind(log);
    log.readAll = async function* (options) {
      yield* readAll(options);
      throw new Error('the disk is gone');
    };
    const response = await fetch(`${service.url}/events`, NDJSON);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  it.each(['the log cannot be read on', 'the service stops'])(
    'do not look whole to a client of HTTP/1.0 when %s',
    async (why) => {
      await start();
      await send('a');
      const { log } = service.application.get(EventStore).writer;
      const readAll = log.readAll.bind(log);
      const breaks = Promise.withResolvers<never>();
      log.readAll = async function* (options) {
        yield* readAll(options);
        await breaks.promise;
      };
      const socket = createConnection(Number(new URL(service.url).port), '127.0.0.1');
      const ended = howItEnds(socket);
      socket.write('GET /events HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n');
      let text = '';
      for await (const chunk of on(socket, 'data'))
        if ((text += String(chunk)).includes('ParcelSent')) break;
      if (why === 'the service stops') void service.application.get(EventStreams).close();
      breaks.reject(new Error('the disk is gone'));
      socket.resume();
      expect(await ended).toBe('ECONNRESET');
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      // Nor does a process that is killed end it in another way than a whole one.
      expect(text).not.toMatch(/holdfast-position/i);
    },
  );

  it('go on within a commit of several events', async () => {
    await start();
    const { log } = service.application.get(EventStore).writer;
    const events = [1, 2, 3].map((at) => ({
      id: `00000000-0000-4000-8000-00000000000${at}`,
      ...{ type: 'Filling', schemaVersion: 1, data: { at } },
    }));
    await log.appendDurably({
      appends: [{ stream: 'filling/a', expectedVersion: 'any', events }],
    });
    const seen: unknown[] = [];
    let after = '';
    for (;;) {
      const next = await page(`events?limit=1${after}`);
      if (next.items.length === 0) break;
      seen.push(...next.items.map(({ data }) => data));
      after = `&after=${next.after}`;
    }
    expect(seen).toEqual([{ at: 1 }, { at: 2 }, { at: 3 }]);
    const token = (await page('events?limit=1')).after;
    const live = await LiveEvents.open(`${service.url}/events?after=${token}`);
    const rest = await live.until(2);
    expect(rest.map(({ data }) => data?.['data'])).toEqual([{ at: 2 }, { at: 3 }]);
    live.abort();
  });

  async function askForLines(path: string) {
    const response = await fetch(`${service.url}/${path}`, NDJSON);
    return { headers: response.headers, text: await response.text() };
  }

  async function untilCount(count: number): Promise<void> {
    while (service.application.get(EventStreams).count !== count)
      await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

/** The code of its error, or `whole`. */
function howItEnds(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    socket.once('end', () => resolve('whole'));
  });
}
