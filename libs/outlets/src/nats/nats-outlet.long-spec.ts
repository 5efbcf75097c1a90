import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Position, RecordedEvent } from '@holdfast/event-store';
import { SourceFeed } from '@holdfast/projections';
import { MemoryEventSource, eventually } from '@holdfast/projections/testing';
import { DiscardPolicy, type StreamConfig, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { OutletRunner } from '../runner/outlet-runner.js';
import { SqliteOutletPositions } from '../store/sqlite-outlet-positions.js';
import { NatsServer, describeWithNats } from '../testing/nats-server.js';
import { NatsOutlet, type NatsOutletOptions } from './nats-outlet.js';

/** Far shorter than any pause of these tests: what keeps duplicates away is not the window. */
const WINDOW_NANOS = 100_000_000;

describeWithNats('events in NATS JetStream', () => {
  let server: NatsServer;
  let source: MemoryEventSource;
  let positions: SqliteOutletPositions;
  let stops: (() => Promise<void>)[];

  beforeEach(async () => {
    server = await NatsServer.start();
    source = new MemoryEventSource();
    positions = SqliteOutletPositions.inMemory();
    stops = [];
  });

  afterEach(async () => {
    for (const stop of stops) await stop();
    await positions.close();
    await server.end();
  });

  const outletOf = (options: Partial<NatsOutletOptions> = {}) =>
    Object.assign(
      new NatsOutlet({
        connection: { servers: server.url },
        stream: 'events',
        ackMillis: 500,
        ...options,
      }),
      { retryMillisMax: 20 },
    );
  const start = (outlet = outletOf(), batchEvents = 50) => {
    const feed = new SourceFeed(source, { heartbeatMillis: 20 });
    const runner = new OutletRunner({
      ...{ feed, outlet, positions },
      ...{ lookMillis: 10, batchEvents },
    });
    const stopping = new AbortController();
    const running = runner.run(stopping.signal);
    const stop = async () => {
      stopping.abort();
      await running;
      await feed.close();
      await outlet.close();
    };
    stops.push(stop);
    return { runner, stop };
  };
  const commit = (count: number, each = 1) => {
    for (let at = 0; at < count; at += 1)
      source.commit(Array.from({ length: each }, (_, part) => ({ data: { at, part } })));
  };
  const manage = async <Result>(
    work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<Result>,
  ) => {
    const connection = await connect({ servers: server.url });
    try {
      return await work(await jetstreamManager(connection));
    } finally {
      await connection.close();
    }
  };
  const addStream = (config: Partial<StreamConfig> = {}) =>
    manage((manager) =>
      manager.streams.add({
        ...{ name: 'events', subjects: ['holdfast.>'], duplicate_window: WINDOW_NANOS },
        ...config,
      }),
    );
  const held = () =>
    manage(async (manager) => {
      const { state } = await manager.streams.info('events');
      const found = [];
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
        const message = await manager.streams.getMessage('events', { seq });
        if (message !== null) found.push(message);
      }
      return found;
    });
  const heldPositions = async () =>
    (await held()).map(({ header }) => Number(header.get('Holdfast-Position')));
  const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
  const delivered = (runner: OutletRunner, position: number) =>
    eventually(() => expect(runner.status).toMatchObject({ state: 'live', position }));
  const troubled = (runner: OutletRunner, code: string) =>
    eventually(() =>
      expect(runner.status).toMatchObject({ state: 'retrying', lastError: { code } }),
    );
  /** As a runner gives them, without one. */
  const given = (outlet: NatsOutlet, events: readonly RecordedEvent[]) =>
    outlet.deliver(events, new AbortController().signal, {
      ...{ logId: source.logId, after: 0 as Position, upTo: events.at(-1)!.position },
      ...{ delivered: undefined, attempts: 0, failingSinceMillis: undefined },
    });
  /** As from a backup, or as a disk that is put back to what it was, which no position tells. */
  const restoreTo = async (position: number, isToldByTimeline = true) => {
    const { logId, timelines } = source as unknown as { logId: string; timelines: unknown };
    const kept = (await eventsOf(source)).slice(0, position);
    source = Object.assign(new MemoryEventSource(), {
      ...{ logId, events: kept },
      ...(!isToldByTimeline && { timelines }),
    });
    source.restart();
  };
  const cursorAt = (position: number) => new SourceFeed(source).cursorAt(position as Position);

  it('publishes each event with its position, in its subject', async () => {
    await addStream();
    source.commit([{ stream: 'room:blue', type: 'Room.Booked', data: { day: 'monday' } }]);
    const { runner } = start(outletOf({ subject: 'holdfast.{stream}.{type}' }));
    await delivered(runner, 1);
    const [message] = await held();
    const { id } = (await eventsOf(source))[0]!;
    expect(message?.subject).toBe('holdfast.room%3Ablue.Room%2EBooked');
    expect(message?.json()).toEqual({
      ...{ id, type: 'Room.Booked', stream: 'room:blue', version: 1 },
      ...{ recordedAt: '1970-01-01T00:00:01.000Z', data: { day: 'monday' } },
    });
    const { header } = message!;
    expect(Object.fromEntries(header.keys().map((key) => [key, header.get(key)]))).toEqual({
      'Nats-Msg-Id': `${source.logId}:1:${id}`,
      'Nats-Expected-Stream': 'events',
      'Nats-Expected-Last-Sequence': '0',
      'Holdfast-Log': source.logId,
      'Holdfast-Position': '1',
      'Holdfast-Event': id,
      'Holdfast-Type': 'Room.Booked',
      'Holdfast-Stream': 'room:blue',
    });
  });

  it('publishes many, pipelined, and once each', async () => {
    await addStream();
    commit(500, 4);
    const { runner } = start(outletOf({ inFlightMax: 16 }));
    await delivered(runner, 2_000);
    expect(await heldPositions()).toEqual(upTo(2_000));
  });

  it('publishes once what it has published and not saved, however long ago', async () => {
    await addStream();
    commit(20, 3);
    // Killed after the server has everything, and before the position moves.
    const outlet = outletOf();
    await given(outlet, (await eventsOf(source)).slice(0, 45));
    await outlet.close();
    // Beyond the window the server knows none of the ids any more.
    await sleep(300);
    const { runner } = start();
    await delivered(runner, 60);
    expect(await heldPositions()).toEqual(upTo(60));
  });

  it('publishes nothing behind what another process has published since, however long ago', async () => {
    await addStream();
    commit(30);
    const events = await eventsOf(source);
    const [one, other] = [outletOf(), outletOf()];
    await given(one, events.slice(0, 10));
    await given(other, events.slice(5, 20));
    // Beyond the window the server knows none of the ids any more.
    await sleep(300);
    await expect(given(one, events.slice(10, 30))).rejects.toMatchObject({
      code: 'OUTLET_NATS_STREAM_FOREIGN',
    });
    await given(one, events.slice(10, 30));
    expect(await heldPositions()).toEqual(upTo(30));
    await one.close();
    await other.close();
  });

  it('has every event once, in order, while the server is killed again and again', async () => {
    await addStream();
    const { runner } = start();
    for (let round = 0; round < 4; round += 1) {
      commit(100, 2);
      await sleep(15 * round);
      await server.kill();
      commit(20);
      await server.run();
    }
    await delivered(runner, 4 * 220);
    expect(await heldPositions()).toEqual(upTo(4 * 220));
  });

  it('has every event once when two processes publish without knowing of one another', async () => {
    await addStream();
    commit(300);
    const other = SqliteOutletPositions.inMemory();
    const first = start();
    const feed = new SourceFeed(source, { heartbeatMillis: 20 });
    const outlet = outletOf();
    const runner = new OutletRunner({ feed, outlet, positions: other, batchEvents: 30 });
    const stopping = new AbortController();
    const running = runner.run(stopping.signal);
    await delivered(first.runner, 300);
    await delivered(runner, 300);
    stopping.abort();
    await running;
    await outlet.close();
    await other.close();
    expect(await heldPositions()).toEqual(upTo(300));
  });

  it('waits while the stream is full, and goes on when there is room', async () => {
    await addStream({ max_bytes: 4_096, discard: DiscardPolicy.New });
    commit(50);
    const { runner } = start();
    await troubled(runner, 'OUTLET_NATS_FULL');
    const before = await heldPositions();
    expect(before).toEqual(upTo(before.length));
    expect(before.length).toBeLessThan(50);
    await manage((manager) => manager.streams.update('events', { max_bytes: 1_000_000 }));
    await delivered(runner, 50);
    expect(await heldPositions()).toEqual(upTo(50));
  });

  it('waits for its stream', async () => {
    commit(3);
    const { runner } = start();
    await troubled(runner, 'OUTLET_NATS_NO_STREAM');
    expect(runner.status.lastError?.message).toContain('no stream events');
    await addStream();
    await delivered(runner, 3);
    expect(await heldPositions()).toEqual(upTo(3));
  });

  it('waits for a stream that takes its subjects', async () => {
    await addStream({ subjects: ['other.>'] });
    commit(3);
    const { runner } = start();
    await troubled(runner, 'OUTLET_NATS_NO_STREAM');
    expect(runner.status.lastError?.message).toContain(
      'no stream takes the subject holdfast.happened',
    );
    await manage((manager) => manager.streams.update('events', { subjects: ['holdfast.*'] }));
    await delivered(runner, 3);
    expect(await heldPositions()).toEqual(upTo(3));
  });

  it('waits for JetStream', async () => {
    await server.kill();
    await server.run('');
    commit(3);
    const { runner } = start();
    await troubled(runner, 'OUTLET_NATS_NO_JETSTREAM');
    await server.kill();
    await server.run();
    await addStream();
    await delivered(runner, 3);
  });

  it('waits for a server, and for credentials that it takes', async () => {
    await server.kill();
    commit(3);
    const { runner } = start();
    await troubled(runner, 'OUTLET_NATS_UNREACHABLE');
    await server.run('jetstream {}\nauthorization { token: secret }');
    await troubled(runner, 'OUTLET_NATS_REFUSED');
    await server.kill();
    await server.run();
    await addStream();
    await delivered(runner, 3);
  });

  it('publishes nothing again that a slow server has stored after all', async () => {
    await addStream();
    commit(1);
    const { runner } = start();
    await delivered(runner, 1);
    server.freeze();
    commit(5, 2);
    await troubled(runner, 'OUTLET_NATS_SLOW');
    await sleep(200);
    server.thaw();
    await delivered(runner, 11);
    expect(await heldPositions()).toEqual(upTo(11));
  });

  it('says which event is too large, and publishes nothing behind it', async () => {
    await addStream({ max_msg_size: 2_000 });
    commit(1);
    source.commit([{ data: { long: 'x'.repeat(3_000) } }]);
    commit(1);
    const { runner } = start();
    await troubled(runner, 'OUTLET_NATS_TOO_LARGE');
    expect(await heldPositions()).toEqual([1]);
    await manage((manager) => manager.streams.update('events', { max_msg_size: 10_000 }));
    await delivered(runner, 3);
    expect(await heldPositions()).toEqual([1, 2, 3]);
  });

  it('publishes nothing behind what somebody else has published', async () => {
    await addStream();
    commit(2);
    const { runner } = start();
    await delivered(runner, 2);
    await manage(async (manager) => {
      await jetstream((manager as unknown as { nc: Parameters<typeof jetstream>[0] }).nc).publish(
        'holdfast.other',
        'x',
      );
    });
    commit(1);
    await troubled(runner, 'OUTLET_NATS_STREAM_FOREIGN');
    expect(await heldPositions()).toEqual([1, 2, 0]);
  });

  it('notices that the server has lost what it acknowledged, and publishes it again from there when it is told to', async () => {
    await addStream();
    commit(10);
    const { runner, stop } = start();
    await delivered(runner, 10);
    await stop();
    // As after a power cut of a server that syncs now and then.
    await server.kill();
    server.forget();
    await server.run();
    await addStream();
    commit(2);
    const again = start();
    await troubled(again.runner, 'OUTLET_NATS_STREAM_BEHIND');
    expect(await heldPositions()).toEqual([]);
    await positions.move('nats', cursorAt(0));
    await delivered(again.runner, 12);
    expect(await heldPositions()).toEqual(upTo(12));
  });

  it('publishes once what it is told to deliver again', async () => {
    await addStream();
    commit(120);
    const { runner } = start();
    await delivered(runner, 120);
    await positions.move('nats', cursorAt(7));
    await eventually(() => expect(runner.status.deliveredEvents).toBe(120 + 113));
    expect(await heldPositions()).toEqual(upTo(120));
  });

  it('refuses a stream that holds the same positions of another history', async () => {
    await addStream();
    commit(5);
    const { runner, stop } = start();
    await delivered(runner, 5);
    await stop();
    // The log was restored, and the file of the positions lost.
    await positions.remove('nats');
    const { logId } = source;
    source = Object.assign(new MemoryEventSource(), { logId });
    commit(3);
    const again = start();
    await troubled(again.runner, 'OUTLET_NATS_STREAM_FOREIGN');
    expect(await heldPositions()).toEqual(upTo(5));
  });

  it('says in the stream that a history ended, once, before what goes on', async () => {
    await addStream();
    commit(5);
    const { runner, stop } = start();
    await delivered(runner, 5);
    await stop();
    await restoreTo(3);
    commit(4);
    const again = start();
    await eventually(() => expect(again.runner.status.state).toBe('diverged'));
    await positions.accept('nats', cursorAt(3));
    await delivered(again.runner, 7);
    const messages = await held();
    expect(
      messages.map(({ header }) => [
        header.get('Holdfast-Type'),
        Number(header.get('Holdfast-Position')),
      ]),
    ).toEqual([
      ...upTo(5).map((position) => ['happened', position]),
      ['HistoryEnded', 3],
      ...[4, 5, 6, 7].map((position) => ['happened', position]),
    ]);
    expect(messages[5]).toMatchObject({ subject: 'holdfast.HistoryEnded' });
    expect(messages[5]?.json()).toMatchObject({ previous: { position: 5 }, next: cursorAt(3) });
  });

  it.each([
    ['at once', 0],
    ['one after the other', 1],
  ])(
    'refuses a stream that is ahead of an older copy of the log and the position, when the filter lets through what follows later: %s',
    async (_, batch) => {
      await addStream();
      const filtered = () => outletOf({ filter: { types: ['happened'] } });
      commit(5);
      const { runner, stop } = start(filtered());
      await delivered(runner, 5);
      await stop();
      const copied = cursorAt(3);
      await restoreTo(3, false);
      await positions.remove('nats');
      const lease = await positions.acquire('nats', 'as it was');
      if (!('token' in lease)) throw new Error('nobody else has it');
      await lease.save(copied, 3 as Position);
      await lease.release();
      source.commit([{ type: 'other' }], [{ type: 'other' }]);
      const again = start(filtered());
      if (batch > 0) await delivered(again.runner, 5);
      commit(1);
      await troubled(again.runner, 'OUTLET_NATS_STREAM_FOREIGN');
      expect(await heldPositions()).toEqual(upTo(5));
    },
  );

  it.each([
    [1, 0],
    [1, 5],
    [7, 4],
    [50, 0],
  ])(
    'publishes nothing again after histories ended, in batches of %s from %s',
    async (batch, position) => {
      await addStream();
      commit(40);
      const first = start();
      await delivered(first.runner, 40);
      await first.stop();
      for (const kept of [10, 5, 8]) {
        await restoreTo(kept);
        commit(12);
        const { runner, stop } = start();
        await eventually(() => expect(runner.status.state).toBe('diverged'));
        await positions.accept('nats', cursorAt(kept));
        await delivered(runner, kept + 12);
        await stop();
      }
      const before = await heldPositions();
      await positions.move('nats', cursorAt(position));
      const { runner } = start(outletOf(), batch);
      await delivered(runner, 20);
      expect(await heldPositions()).toEqual(before);
      commit(1);
      await delivered(runner, 21);
      expect(await heldPositions()).toEqual([...before, 21]);
    },
  );

  it('stops at once, also while the server answers nothing', async () => {
    await addStream();
    commit(1);
    const { runner, stop } = start(outletOf({ ackMillis: 60_000 }));
    await delivered(runner, 1);
    server.freeze();
    commit(1);
    await eventually(() => expect(runner.status.lagEvents).toBe(1));
    await stop();
    server.thaw();
    expect((await positions.load('nats'))?.cursor?.position).toBe(1);
  });
});

async function eventsOf(source: MemoryEventSource): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of source.readAll()) events.push(...batch.events);
  return events;
}
