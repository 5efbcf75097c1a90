import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Position, RecordedEvent } from '@holdfast/event-store';
import { SourceFeed } from '@holdfast/projections';
import { MemoryEventSource, eventually } from '@holdfast/projections/testing';
import { outletDisabled } from '../outlet.errors.js';
import type { Delivery, EndedHistory, Outlet } from '../outlet.js';
import { SqliteOutletPositions } from '../store/sqlite-outlet-positions.js';
import { OutletRunner, type OutletRunnerOptions } from './outlet-runner.js';

/** The other side: keeps what it was given, and fails as it is told to. */
class Receiver implements Outlet {
  readonly name: string = 'mail';
  readonly retryMillisMax = 1;
  readonly got: number[][] = [];
  readonly deliveries: Delivery[] = [];
  readonly ends: EndedHistory[] = [];
  failure: (() => unknown) | undefined;

  async deliver(
    events: readonly RecordedEvent[],
    signal: AbortSignal,
    delivery: Delivery,
  ): Promise<void> {
    this.deliveries.push(delivery);
    await this.answer(signal);
    this.got.push(events.map(({ position }) => position));
  }

  async historyEnded(ended: EndedHistory): Promise<void> {
    await this.answer();
    this.ends.push(ended);
  }

  get positions(): number[] {
    return this.got.flat();
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  protected async answer(_signal?: AbortSignal): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure();
  }
}

describe('OutletRunner', () => {
  let source: MemoryEventSource;
  let positions: SqliteOutletPositions;
  let receiver: Receiver;
  let stops: (() => Promise<void>)[];

  const commit = (count = 1, type = 'happened') =>
    source.commit(Array.from({ length: count }, () => ({ type })));
  const start = (options: Partial<OutletRunnerOptions> = {}) => {
    const feed = new SourceFeed(source, { heartbeatMillis: 20 });
    const runner = new OutletRunner({
      feed,
      outlet: receiver,
      positions,
      lookMillis: 10,
      ...options,
    });
    const stopping = new AbortController();
    const running = runner.run(stopping.signal);
    const stop = async () => {
      stopping.abort();
      await running.catch(() => undefined);
      await feed.close();
    };
    stops.push(stop);
    return { runner, running, stop };
  };
  const cursorAt = (position: number) => new SourceFeed(source).cursorAt(position as Position);

  beforeEach(() => {
    source = new MemoryEventSource();
    positions = SqliteOutletPositions.inMemory();
    receiver = new Receiver();
    stops = [];
  });

  afterEach(async () => {
    for (const stop of stops) await stop();
    await positions.close();
  });

  it('delivers whole commits in order, and what comes later', async () => {
    commit(3);
    commit(2);
    const { runner } = start({ batchEvents: 2 });
    await eventually(() =>
      expect(receiver.got).toEqual([
        [1, 2, 3],
        [4, 5],
      ]),
    );
    commit();
    await eventually(() => expect(runner.status).toMatchObject({ position: 6, state: 'live' }));
    expect(receiver.positions).toEqual([1, 2, 3, 4, 5, 6]);
    expect(runner.status).toMatchObject({ deliveredEvents: 6, lagEvents: 0, attempts: 0 });
  });

  it('goes on where it stood, in another process too', async () => {
    commit(2);
    const first = start();
    await eventually(() => expect(first.runner.status.position).toBe(2));
    await first.stop();
    commit();
    start();
    await eventually(() => expect(receiver.positions).toEqual([1, 2, 3]));
    expect(receiver.deliveries.at(-1)).toMatchObject({ after: 2, upTo: 3, delivered: 2 });
  });

  it('moves past what its filter leaves out', async () => {
    commit(1, 'wanted');
    commit(1, 'other');
    Object.assign(receiver, { filter: { types: ['wanted'] } });
    const { runner } = start();
    await eventually(() => expect(runner.status.position).toBe(2));
    expect(receiver.positions).toEqual([1]);
    expect((await positions.load('mail'))?.delivered).toBe(1);
  });

  it('tries again from the same position, and counts how often over a restart', async () => {
    commit(2);
    receiver.failure = () => new Error('away');
    const { runner, stop } = start();
    await eventually(() => expect(receiver.deliveries.length).toBeGreaterThan(3));
    expect(runner.status).toMatchObject({
      ...{ position: 0, lagEvents: 2 },
      lastError: { code: 'OUTLET_FAILED', message: expect.stringContaining('away') },
    });
    await stop();
    const { attempts = 0 } = (await positions.load('mail')) ?? {};
    expect(attempts).toBeGreaterThan(2);
    const before = receiver.deliveries.length;
    receiver.failure = undefined;
    start();
    await eventually(() => expect(receiver.positions).toEqual([1, 2]));
    expect(receiver.deliveries[before]).toMatchObject({ attempts });
    expect(receiver.deliveries[before]?.failingSinceMillis).toBeDefined();
    expect(await positions.load('mail')).toMatchObject({ attempts: 0, error: undefined });
  });

  it('a failing outlet holds up no other one', async () => {
    receiver.failure = () => new Error('away');
    const other = new Receiver();
    Object.assign(other, { name: 'search' });
    start();
    start({ outlet: other });
    commit(3);
    await eventually(() => expect(other.positions).toEqual([1, 2, 3]));
    expect(receiver.positions).toEqual([]);
  });

  it('stops trying when the outlet says so, until it is resumed', async () => {
    commit();
    receiver.failure = () => outletDisabled('mail', 'gone for good');
    const { runner } = start();
    await eventually(() =>
      expect(runner.status).toMatchObject({ state: 'disabled', reason: 'gone for good' }),
    );
    expect(receiver.deliveries).toHaveLength(1);
    receiver.failure = undefined;
    await positions.resume('mail');
    await eventually(() => expect(receiver.positions).toEqual([1]));
    expect(runner.status.state).toBe('live');
  });

  it('delivers again what follows a position that an operator moves it to', async () => {
    commit();
    commit();
    commit();
    const { runner } = start();
    await eventually(() => expect(runner.status.position).toBe(3));
    await positions.move('mail', cursorAt(1));
    await eventually(() => expect(receiver.positions).toEqual([1, 2, 3, 2, 3]));
  });

  it('delivers nothing while it is paused', async () => {
    commit();
    const { runner } = start();
    await eventually(() => expect(runner.status.position).toBe(1));
    await positions.pause('mail');
    await eventually(() => expect(runner.status.state).toBe('paused'));
    commit();
    await eventually(() => expect(runner.status).toMatchObject({ head: 2, lagEvents: 1 }));
    expect(receiver.positions).toEqual([1]);
    await positions.resume('mail');
    await eventually(() => expect(receiver.positions).toEqual([1, 2]));
  });

  it('gives up a delivery under way when its outlet is moved, and saves nothing of it', async () => {
    commit(1);
    const signals: (AbortSignal | undefined)[] = [];
    const slow = new (class extends Receiver {
      protected override async answer(signal?: AbortSignal): Promise<void> {
        signals.push(signal);
        if (signals.length > 1) return;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        throw new Error('given up');
      }
    })();
    start({ outlet: slow });
    await eventually(() => expect(signals).toHaveLength(1));
    await positions.move('mail', cursorAt(0));
    await eventually(() => expect(slow.positions).toEqual([1]));
    expect(await positions.load('mail')).toMatchObject({ attempts: 0, cursor: { position: 1 } });
  });

  it('one of two processes delivers, and the other goes on once it has ended', async () => {
    const first = start({ owner: 'first' });
    commit();
    await eventually(() => expect(first.runner.status.position).toBe(1));
    const second = start({ owner: 'second' });
    await eventually(() => expect(second.runner.status.state).toBe('waiting-for-lease'));
    commit();
    await eventually(() => expect(first.runner.status.position).toBe(2));
    await first.stop();
    commit();
    await eventually(() => expect(second.runner.status.position).toBe(3));
    expect(receiver.positions).toEqual([1, 2, 3]);
  });

  it('sends nothing of another history until an operator accepts it, and says first that the old one ended', async () => {
    for (let count = 0; count < 5; count += 1) commit();
    const first = start();
    await eventually(() => expect(first.runner.status.position).toBe(5));
    await first.stop();
    const previous = cursorAt(5);
    // Restored to position 3, and written on.
    const { logId } = source;
    source = Object.assign(new MemoryEventSource(), { logId });
    for (let count = 0; count < 3; count += 1) commit();
    source.restart();
    for (let count = 0; count < 4; count += 1) commit();
    const { runner } = start();
    await eventually(() => expect(runner.status.state).toBe('diverged'));
    expect(runner.status.lastError?.code).toBe('FEED_DIVERGED');
    expect(receiver.positions).toEqual([1, 2, 3, 4, 5]);
    receiver.failure = () => new Error('not now');
    const next = cursorAt(3);
    await positions.accept('mail', next);
    await eventually(() => expect(runner.status.lastError?.code).toBe('OUTLET_FAILED'));
    expect(receiver.deliveries).toHaveLength(1);
    receiver.failure = undefined;
    await eventually(() => expect(receiver.positions.slice(5)).toEqual([4, 5, 6, 7]));
    expect(receiver.ends).toEqual([{ previous, next }]);
  });

  it('notices that what was given away was taken back, though its position never moved there', async () => {
    commit();
    const first = start();
    await eventually(() => expect(first.runner.status.position).toBe(1));
    await first.stop();
    // Taken, and the answer lost with the process.
    receiver.failure = () => new Error('nobody hears of it');
    commit();
    const second = start();
    await eventually(() => expect(second.runner.status.state).toBe('retrying'));
    await second.stop();
    const previous = cursorAt(2);
    const { logId } = source;
    source = Object.assign(new MemoryEventSource(), { logId });
    Object.assign(source, { timelines: [{ from: 1, timeline: previous.timeline }] });
    commit();
    source.restart();
    commit();
    receiver.failure = undefined;
    const { runner } = start();
    await eventually(() => expect(runner.status.state).toBe('diverged'));
    await positions.accept('mail', cursorAt(1));
    await eventually(() => expect(receiver.positions).toEqual([1, 2]));
    expect(receiver.ends).toEqual([{ previous, next: cursorAt(1) }]);
  });

  it('keeps in the log what it has not delivered', async () => {
    const feed = new SourceFeed(source);
    const opened = spied(feed);
    commit(2);
    receiver.failure = () => new Error('away');
    start({ feed });
    await eventually(() => expect(receiver.deliveries.length).toBeGreaterThan(0));
    expect(opened[0]).toMatchObject({ consumer: 'outlet-mail', keepsFloor: true });
    expect(opened.applied).toEqual([]);
    receiver.failure = undefined;
    await eventually(() => expect(opened.applied).toEqual([2]));
  });

  it('ends when it is told to, also while nothing works', async () => {
    commit();
    receiver.failure = () => new Error('away');
    const { runner, stop } = start();
    await eventually(() => expect(runner.status.state).toBe('retrying'));
    await stop();
    expect(runner.status.state).toBe('stopped');
    expect((await positions.load('mail'))?.owner).toBeUndefined();
  });
});

/** What the feed is asked for, and told. */
function spied(feed: SourceFeed): object[] & { applied: number[] } {
  const asked = Object.assign([] as object[], { applied: [] as number[] });
  const open = feed.open.bind(feed);
  feed.open = (options) => {
    asked.push(options);
    const subscription = open(options);
    const applied = subscription.applied.bind(subscription);
    return Object.assign(subscription, {
      applied: (position: Position) => {
        asked.applied.push(position);
        applied(position);
      },
    });
  };
  return asked;
}
