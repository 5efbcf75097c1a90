import {
  Client,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  credentials,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedBatch } from '../event-feed.js';
import { toWire } from './feed-codec.js';
import {
  FEED_PACKAGE,
  FEED_SERVICE,
  type FromConsumer,
  type FromSource,
  type WireEvent,
  followMethod,
} from './feed-protocol.js';
import { GrpcSubscription } from './grpc-subscription.js';
import { eventually } from '../testing/eventually.js';
import { event } from '../testing/read-model.contract.js';

const WINDOW_BYTES = 1_000;

/** The client's half of the protocol, against a server that says exactly what the test tells it to. */
describe('a subscription over gRPC', () => {
  let server: Server;
  let client: Client;
  let call: ServerDuplexStream<FromConsumer, FromSource>;
  let heard: FromConsumer[];
  let batches: AsyncIterator<FeedBatch>;
  let subscription: GrpcSubscription;
  let first: Promise<IteratorResult<FeedBatch>>;
  let leaving: AbortController;

  beforeEach(async () => {
    heard = [];
    leaving = new AbortController();
    const method = followMethod();
    server = new Server();
    server.addService(
      { Follow: { ...method, path: `/${FEED_PACKAGE}.${FEED_SERVICE}/Follow` } },
      {
        Follow: (stream: ServerDuplexStream<FromConsumer, FromSource>) => {
          call = stream;
          stream.on('data', (message: FromConsumer) => heard.push(message));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = method;
    subscription = new GrpcSubscription(
      { from: undefined, batchEvents: 10, consumer: 'one', signal: leaving.signal },
      {
        url: 'the server',
        windowBytes: WINDOW_BYTES,
        silenceMillis: 10_000,
        closing: new AbortController().signal,
        call: () => client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize),
      },
    );
    batches = subscription[Symbol.asyncIterator]();
    first = batches.next();
    first.catch(() => undefined);
    await eventually(() => expect(heard).toHaveLength(2));
  });

  afterEach(async () => {
    leaving.abort();
    await batches.return?.().catch(() => undefined);
    client.close();
    server.forceShutdown();
  });

  const cursor = (position: number) => ({ logId: 'log', position, timeline: 't' });
  const wire = (position: number): WireEvent => toWire(event(position, 's', 1));
  const send = (position: number, sentBytes: number, ends = true) =>
    call.write({
      portion: {
        events: [wire(position)],
        head: 100,
        sentBytes,
        ...(ends && { cursor: cursor(position) }),
      },
    });
  const credits = () => heard.flatMap(({ credit }) => (credit ? [credit.upToBytes] : []));

  it('says who it is and what it wants, and then how much', () => {
    expect(heard[0]!.open).toMatchObject({ consumer: 'one', batchEvents: 10 });
    expect(heard[0]!.open!.from ?? undefined).toBeUndefined();
    expect(credits()).toEqual([WINDOW_BYTES]);
  });

  it('repays what its consumer has processed, by the quarter of its window', async () => {
    send(1, 200);
    await first;
    send(2, 400);
    await batches.next();
    await sleep(50);
    // The first 200 bytes are free: not worth a message.
    expect(credits()).toEqual([1_000]);
    void batches.next();
    await eventually(() => expect(credits()).toEqual([1_000, 1_400]));
  });

  it('repays nothing while its consumer has not processed it', async () => {
    send(1, 300);
    await first;
    for (const position of [2, 3]) send(position, 300 * position);
    await sleep(100);
    expect(credits()).toEqual([1_000]);
    call.write({ shortage: { upToBytes: 1_100 } });
    await sleep(100);
    expect(credits()).toEqual([1_000]);
    await batches.next();
    await eventually(() => expect(credits()).toEqual([1_000, 1_300]));
  });

  it('gives what is missing for an event larger than its window once it has nothing left to do', async () => {
    send(1, 300);
    await first;
    call.write({ shortage: { upToBytes: 50_000 } });
    await sleep(50);
    expect(credits()).toEqual([1_000]);
    const next = batches.next();
    await eventually(() => expect(credits()).toEqual([1_000, 50_000]));
    send(2, 50_000);
    expect((await next).value).toMatchObject({ events: [{ position: 2 }] });
  });

  it('hands out whole batches only, several at once up to the size asked for', async () => {
    send(1, 10, false);
    send(2, 20, false);
    await sleep(50);
    send(3, 30);
    expect((await first).value).toMatchObject({
      events: [{ position: 1 }, { position: 2 }, { position: 3 }],
      cursor: cursor(3),
      head: 100,
    });
    for (let position = 4; position <= 16; position += 1) send(position, position * 10);
    await eventually(() => expect(Reflect.get(subscription, 'queue')).toHaveLength(13));
    const second = (await batches.next()).value as FeedBatch;
    expect([second.events.length, second.cursor.position]).toEqual([10, 13]);
    const third = (await batches.next()).value as FeedBatch;
    expect([third.events.length, third.cursor.position]).toEqual([3, 16]);
  });

  it('tells how far its consumer has come', async () => {
    subscription.applied(event(17, 's', 1).position);
    await eventually(() => expect(heard.at(-1)).toMatchObject({ applied: { position: 17 } }));
  });

  it('hands out what has come before it tells of the end', async () => {
    send(1, 10);
    await sleep(50);
    call.end();
    expect((await first).value).toMatchObject({ cursor: cursor(1) });
    await expect(batches.next()).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
  });

  it.each<[string, FromSource]>([
    ['goes back', portion([wire(2), wire(2)], cursor(2))],
    ['has a cursor before its events', portion([wire(2)], cursor(1))],
    ['is no JSON', portion([{ ...wire(1), dataJson: '{' }], cursor(1))],
    ['has a position that is none', portion([], cursor(2 ** 60))],
  ])('refuses a portion that %s, before anything of it is seen', async (_, message) => {
    call.write(message);
    await expect(first).rejects.toMatchObject({ code: 'FEED_INVALID' });
  });

  function portion(events: WireEvent[], at: ReturnType<typeof cursor>): FromSource {
    return { portion: { events, cursor: at, head: 100, sentBytes: 100 } };
  }
});
