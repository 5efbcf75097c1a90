import { credentials, Client, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type FromConsumer,
  type FromSource,
  PORTION_BYTES,
  followMethod,
} from './feed-protocol.js';
import { FOLLOWERS_OF_PEER_MAX } from '../feed/feed-consumers.js';
import { GrpcFeed } from './grpc-feed.js';
import { eventually } from '../testing/eventually.js';
import { type FeedServer, freePort, serveFeed } from '../testing/feed-server.js';
import { MemoryEventSource } from '../testing/memory-event-source.js';

/** The protocol's rules as a client of another make would see them. */
describe('the gRPC feed on the wire', () => {
  let source: MemoryEventSource;
  let server: FeedServer;
  let client: Client;
  let stream: ClientDuplexStream<FromConsumer, FromSource>;
  let heard: FromSource[];
  let ended: Promise<ServiceError | undefined>;

  const open = { open: { consumer: 'other', batchEvents: 0 } };
  const filler = 'x'.repeat(1_000);

  beforeEach(async () => {
    source = new MemoryEventSource();
    for (let index = 0; index < 1_000; index += 1) source.commit([{ data: { index, filler } }]);
    server = await serveFeed(source, `127.0.0.1:${await freePort()}`);
    client = new Client(server.url, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = followMethod();
    stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    heard = [];
    stream.on('data', (message: FromSource) => heard.push(message));
    ended = new Promise((resolve) => {
      stream.on('error', resolve);
      stream.on('end', () => resolve(undefined));
    });
  });

  afterEach(async () => {
    stream.cancel();
    client.close();
    await server.close();
  });

  const sentBytes = () => heard.findLast(({ portion }) => portion)?.portion?.sentBytes ?? 0;

  it('sends nothing without credit, and says what it is short of', async () => {
    stream.write(open);
    await eventually(() => expect(heard).toHaveLength(1));
    const { portion, shortage } = heard[0]!;
    expect(portion ?? undefined).toBeUndefined();
    const { upToBytes } = shortage!;
    expect(upToBytes).toBeGreaterThan(PORTION_BYTES / 2);
    stream.write({ credit: { upToBytes } });
    await eventually(() => expect(sentBytes()).toBe(upToBytes));
  });

  it('never exceeds the credit, and uses it up to less than one portion', async () => {
    stream.write(open);
    for (const upToBytes of [200_000, 400_000, 700_000]) {
      stream.write({ credit: { upToBytes } });
      await eventually(() => expect(sentBytes()).toBeGreaterThan(upToBytes - 2 * PORTION_BYTES));
      await sleep(50);
      expect(sentBytes()).toBeLessThanOrEqual(upToBytes);
    }
    expect(server.consumers.list()).toMatchObject([
      { consumer: 'other', outstandingBytes: sentBytes() - 500_000 },
    ]);
  });

  it('does not read from the log what it may not send', async () => {
    stream.write({ open: { consumer: 'other', batchEvents: 10 } });
    stream.write({ credit: { upToBytes: 200_000 } });
    await eventually(() => expect(sentBytes()).toBeGreaterThan(100_000));
    await sleep(50);
    expect(source.read).toBeLessThan(300);
  });

  it('takes a lower credit for what it is: an old message', async () => {
    stream.write(open);
    stream.write({ credit: { upToBytes: 300_000 } });
    stream.write({ credit: { upToBytes: 1 } });
    await eventually(() => expect(sentBytes()).toBeGreaterThan(150_000));
  });

  it('sends a consumer away that opens twice', async () => {
    stream.write(open);
    stream.write(open);
    expect(await ended).toMatchObject({ code: 3, details: expect.stringContaining('second open') });
  });

  it('sends a consumer away that says it has applied what it was never sent', async () => {
    stream.write(open);
    stream.write({ applied: { position: 1_000 } });
    expect(await ended).toMatchObject({
      code: 3,
      details: expect.stringContaining('applied 1000'),
    });
  });

  it('keeps no floor for a cursor that the log has not reached', async () => {
    const timeline = source.timelineAt(1_000 as Position) ?? '';
    const from = { logId: source.logId, position: 2_000, timeline };
    stream.write({ open: { ...open.open, from, keepsFloor: true } });
    stream.write({ credit: { upToBytes: 1_000_000 } });
    // A heartbeat, or a refusal.
    await Promise.race([eventually(() => expect(heard).not.toEqual([])), ended]);
    for (const { keepsFloor } of server.consumers.list()) expect(keepsFloor).toBe(false);
  });

  it('refuses a floor under a name that may have none, and serves those who want none', async () => {
    const strict = await serveFeed(source, `127.0.0.1:${await freePort()}`, {
      floorNames: new Set(['ledger']),
    });
    const feed = new GrpcFeed({ url: strict.url });
    const { signal } = new AbortController();
    const first = (consumer: string, keepsFloor: boolean) =>
      feed.open({ from: undefined, consumer, keepsFloor, signal })[Symbol.asyncIterator]().next();
    await expect(first('somebody', true)).rejects.toMatchObject({ code: 'FEED_REFUSED' });
    expect(strict.consumers.list()).toEqual([]);
    expect(await first('somebody', false)).toMatchObject({ done: false });
    expect(await first('ledger', true)).toMatchObject({ done: false });
    await feed.close();
    await strict.close();
  });

  it('serves no more than so many consumers of one machine', async () => {
    const feed = new GrpcFeed({ url: server.url });
    const { signal } = new AbortController();
    const first = () => feed.open({ from: undefined, signal })[Symbol.asyncIterator]().next();
    await Promise.all(Array.from({ length: FOLLOWERS_OF_PEER_MAX }, first));
    await expect(first()).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
    await feed.close();
  });

  it('ends the stream of a consumer that ends its own', async () => {
    stream.write(open);
    await eventually(() => expect(server.consumers.list()).toHaveLength(1));
    stream.end();
    expect(await ended).toBeUndefined();
    expect(server.consumers.list()).toEqual([]);
  });

  it('lists no one who has not said who it is', async () => {
    await sleep(50);
    expect(server.consumers.list()).toEqual([]);
  });

  describe('and its client', () => {
    it('is unavailable when nobody listens', async () => {
      const feed = new GrpcFeed({ url: `127.0.0.1:${await freePort()}` });
      const { signal } = new AbortController();
      const next = feed.open({ from: undefined, signal })[Symbol.asyncIterator]().next();
      await expect(next).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
      await feed.close();
    });

    it('takes a server that falls silent for one that is gone', async () => {
      const silent = await serveFeed(source, `127.0.0.1:${await freePort()}`, {
        heartbeatMillis: 60_000,
      });
      const feed = new GrpcFeed({ url: silent.url, silenceMillis: 200 });
      const { signal } = new AbortController();
      const read = async () => {
        for await (const batch of feed.open({ from: undefined, signal }))
          expect(batch.cursor.position).toBeLessThanOrEqual(1_000);
      };
      await expect(read()).rejects.toMatchObject({
        code: 'FEED_UNAVAILABLE',
        message: expect.stringContaining('no message for 200 ms'),
      });
      await feed.close();
      await silent.close();
    });

    it('does not take its own slowness for silence', async () => {
      const feed = new GrpcFeed({ url: server.url, silenceMillis: 1_000 });
      const leaving = new AbortController();
      const positions: number[] = [];
      for await (const batch of feed.open({
        from: undefined,
        batchEvents: 400,
        signal: leaving.signal,
      })) {
        positions.push(batch.cursor.position);
        await sleep(1_300);
        if (positions.length === 4) leaving.abort();
      }
      expect(Math.max(...positions)).toBe(1_000);
      await feed.close();
    });
  });
});
