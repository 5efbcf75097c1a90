import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { encodePosition, placeIn } from '@holdfast/commands/reading';
import type { Position } from '@holdfast/event-store';
import { MemoryEventSource } from '@holdfast/projections/testing';
import { CodedError } from '@holdfast/kernel';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Exchange } from '../http/exchange.js';
import { EventStreams, type Followed } from './event-streams.js';

const LINES = { accept: 'application/x-ndjson' };
const LIVE = { accept: 'text/event-stream' };

let log: MemoryEventSource & { firstPosition?: Position };
let streams: EventStreams;
let exchange: Exchange;

beforeEach(() => {
  log = new MemoryEventSource();
  streams = new EventStreams({ log, stopping: new AbortController().signal });
});
afterEach(async () => {
  exchange.outgoing.emit('close');
  await streams.close();
});

function ask(query = '', headers: Readonly<Record<string, string>> = {}, followed: Followed = {}) {
  exchange = {
    request: { method: 'GET', path: '/events', headers, body: undefined },
    query: new URLSearchParams(query),
    response: { statusCode: 200 },
    client: '127.0.0.1',
    outgoing: new ServerResponse(new IncomingMessage(new Socket())),
  };
  return streams.answer(exchange, followed);
}

const tokenOf = (position: number) => encodePosition(placeIn(log, position as Position));

/** Where retention has removed what stood before: a log forgets of which history that was. */
function beginAt(first: number): void {
  log.firstPosition = first as Position;
  const timelineAt = log.timelineAt.bind(log);
  const readAll = log.readAll.bind(log);
  log.readAll = (options) =>
    readAll({ ...options, after: Math.max(options?.after ?? 0, first - 1) as Position });
  log.timelineAt = (position) =>
    position > 0 && position < first ? undefined : timelineAt(position);
}

describe.each([
  ['a page', {}],
  ['lines', LINES],
  ['a live stream', LIVE],
])('events as %s', (_, accept) => {
  const first = async (query: string) => {
    const { body } = await ask(query, accept);
    const text = typeof body === 'string' ? body : await beginningOf(body);
    return /"n":(\d+)/.exec(text)?.[1];
  };

  it('are refused where the log no longer has those that come first, and say where to begin', async () => {
    log.commit(Array.from({ length: 5 }, (_value, n) => ({ data: { n: n + 1 } })));
    const [second, third] = [tokenOf(2), tokenOf(3)];
    beginAt(4);
    for (const query of ['', `after=${second}`, `after=${tokenOf(0)}`]) {
      const refused = await first(query).catch((error: unknown) => error);
      expect(refused).toMatchObject({ slug: 'events-gone' });
      const { firstAfter } = (refused as { options: { parameters: { firstAfter: string } } })
        .options.parameters;
      expect(await first(`after=${firstAfter}`)).toBe('4');
    }
    // It stood right before the first, in a history of which nobody knows whether it is this one.
    await expect(first(`after=${third}`)).rejects.toMatchObject({ slug: 'events-gone' });
    expect(await first(`after=${tokenOf(4)}`)).toBe('5');
  });

  it('are refused behind a position of a history that was taken back', async () => {
    log.commit([{ data: { n: 1 } }]);
    const place = placeIn(log, 1 as Position);
    const token = encodePosition({ ...place, timeline: 'f'.repeat(16) });
    await expect(first(`after=${token}`)).rejects.toMatchObject({
      slug: 'position-unknown',
      options: { detail: expect.stringMatching(/^after is a position of a history/) },
    });
  });

  it('are refused as gone where retention comes in between', async () => {
    log.commit([{ data: { n: 1 } }, { data: { n: 2 } }]);
    const gone = new CodedError('EVENT_POSITION_GONE', 'retention was faster');
    // eslint-disable-next-line require-yield -- it fails before it has anything
    log.readAll = log.subscribe = async function* () {
      await Promise.reject(gone);
    };
    const asked = first(`after=${tokenOf(1)}`);
    await expect(asked).rejects.toMatchObject({ slug: 'events-gone' });
  });

  it('wait behind a position that was told before it was durable', async () => {
    log.commit([{ data: { n: 1 } }, { data: { n: 2 } }]);
    const durable = jest.spyOn(log, 'durablePosition', 'get').mockReturnValue(0 as Position);
    const asked = first(`after=${tokenOf(1)}`);
    await new Promise(setImmediate);
    durable.mockRestore();
    expect(await asked).toBe('2');
  });

  it('are refused behind one that does not become durable in time, and where the service stops meanwhile', async () => {
    log.commit([{ data: { n: 1 } }]);
    jest.spyOn(log, 'durablePosition', 'get').mockReturnValue(0 as Position);
    const waiting = ask(`after=${tokenOf(1)}`, accept);
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ slug: 'service-stopping' }),
      streams.close(),
    ]);
    const { signal } = new AbortController();
    streams = new EventStreams({ log, stopping: signal, durableMillisMax: 0 });
    await expect(ask(`after=${tokenOf(1)}`, accept)).rejects.toMatchObject({
      slug: 'storage-unavailable',
      options: { retryAfterSeconds: 1, detail: expect.stringContaining('not durable up to') },
    });
  });

  it('are those that a handler allows, of which the client may choose', async () => {
    log.commit([
      { type: 'Secret', data: { n: 1 } },
      { type: 'Told', data: { n: 2 } },
      { type: 'Other', data: { n: 3 } },
    ]);
    const followed = { filter: { types: ['Told', 'Other'] } };
    const textOf = async (query: string) => {
      const { body } = await ask(query, accept, followed);
      return typeof body === 'string' ? body : await beginningOf(body);
    };
    expect(await textOf('limit=2')).toMatch(/Told.*Other/s);
    expect(await textOf('type=Other&limit=1')).not.toContain('Told');
    if (accept !== LIVE) expect(await textOf('type=Secret')).not.toContain('Secret');
  });
});

it('a page looks at so many positions, and says that there are more', async () => {
  for (let commits = 0; commits < 5; commits++)
    log.commit(Array.from({ length: 50_000 }, () => ({})));
  const { body } = await ask('type=None');
  expect(JSON.parse(body as string)).toMatchObject({ items: [], more: true });
});

it('lines that are read by nobody read nothing', async () => {
  log.commit(Array.from({ length: 2_000 }, () => ({ data: { text: 'x'.repeat(1_000) } })));
  for (let at = 0; at < 10; at++) log.commit([{ data: { text: 'x'.repeat(1_000) } }]);
  const { body } = await ask('', LINES);
  expect(body).toBeInstanceOf(Readable);
  expect(log.read).toBeLessThanOrEqual(2_000);
  (body as Readable).destroy();
});

it('an answer whose client is gone already gives its place back', async () => {
  log.commit([{}]);
  const asked = ask('', LIVE);
  exchange.outgoing.emit('close');
  const { body } = await asked;
  (body as Readable).resume();
  await new Promise((resolve) => (body as Readable).once('close', resolve));
  expect(streams.count).toBe(0);
});

/** What comes at once; then its client leaves. */
async function beginningOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('"n":')) break;
  }
  return text;
}
