import { expect, it } from '@jest/globals';
import type { Position, RecordedEvent } from '@holdfast/event-store';
import { SourceFeed } from '@holdfast/projections';
import { MemoryEventSource, eventually } from '@holdfast/projections/testing';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndedHistory, Outlet } from '../outlet.js';
import type { OutletLease, OutletPositions } from '../outlet-positions.js';
import { SqliteOutletPositions } from '../store/sqlite-outlet-positions.js';
import { OutletRunner } from './outlet-runner.js';

type Step =
  | { readonly kind: 'commit'; readonly events: number }
  | { readonly kind: 'work'; readonly millis: number }
  | { readonly kind: 'fail'; readonly how: 'not taken' | 'in part' | 'taken unheard' | 'no more' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'move'; readonly back: number }
  | { readonly kind: 'restore'; readonly back: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('commit' as const),
        events: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('work' as const),
        millis: fc.integer({ min: 0, max: 4 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('fail' as const),
        how: fc.constantFrom(
          'not taken' as const,
          'in part' as const,
          'taken unheard' as const,
          'no more' as const,
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('move' as const),
        back: fc.integer({ min: 0, max: 6 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('restore' as const),
        back: fc.integer({ min: 0, max: 6 }),
      }),
    },
  ),
  { maxLength: 25 },
);

/** What the other side has: events, and the notes that a history ended. */
class Receiver implements Outlet {
  readonly name = 'mail';
  readonly retryMillisMax = 1;
  readonly log: (RecordedEvent | EndedHistory)[] = [];
  failure: 'not taken' | 'in part' | 'taken unheard' | 'no more' = 'no more';

  async deliver(events: readonly RecordedEvent[]): Promise<void> {
    await Promise.resolve();
    if (this.failure === 'not taken') throw new Error('not taken');
    if (this.failure === 'in part') {
      this.log.push(...events.slice(0, events.length / 2));
      throw new Error('taken in part');
    }
    this.log.push(...events);
    if (this.failure === 'taken unheard') throw new Error('the answer was lost');
  }

  historyEnded(ended: EndedHistory): void {
    if (this.failure === 'not taken') throw new Error('not taken');
    this.log.push(ended);
  }

  /** The events that count, each once, in the order of its first delivery in a history that goes on. */
  counted(): RecordedEvent[] {
    let counted: RecordedEvent[] = [];
    for (const entry of this.log)
      if ('previous' in entry)
        counted = counted.filter(({ position }) => position <= entry.next.position);
      else if (!counted.some(({ id }) => id === entry.id)) counted.push(entry);
    return counted;
  }
}

/** Positions as a process has them that may be killed: from then on nothing of it reaches the disk. */
function mortal(positions: OutletPositions): { positions: OutletPositions; kill: () => void } {
  let killed = false;
  const guarded = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(of, key) {
        const value: unknown = Reflect.get(of, key, of);
        if (typeof value !== 'function') return value;
        return async (...values: unknown[]) => {
          if (killed)
            throw Object.assign(new Error('killed'), { code: 'OUTLET_POSITIONS_UNAVAILABLE' });
          const result = (await Reflect.apply(value, of, values)) as
            OutletLease | object | undefined;
          return result !== undefined && 'token' in result ? guarded(result) : result;
        };
      },
    });
  return { positions: guarded(positions), kill: () => (killed = true) };
}

/** One log with its outlet, and everything that may befall it. */
class World {
  source = new MemoryEventSource();
  readonly receiver = new Receiver();
  private nowMillis = 1_000_000;
  readonly positions = SqliteOutletPositions.inMemory({
    clock: { nowMillis: () => this.nowMillis },
  });
  private process: { kill: () => void; end(): Promise<void>; runner: OutletRunner };

  constructor() {
    this.process = this.start();
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'commit':
        this.source.commit(Array.from({ length: step.events }, () => ({})));
        return;
      case 'work':
        await sleep(step.millis);
        return;
      case 'fail':
        this.receiver.failure = step.how;
        return;
      case 'kill': {
        await this.restart();
        return;
      }
      case 'move': {
        const { cursor, hold } = (await this.positions.load('mail')) ?? {};
        if (cursor === undefined || hold !== undefined) return;
        const { position } = cursor;
        const whole = this.boundaryAt(Math.min(position, this.source.durablePosition) - step.back);
        // Of the history that there is: whoever moves an outlet asks the log.
        if (this.source.timelineAt(position) === cursor.timeline)
          await this.positions.move('mail', this.cursorAt(whole));
        return;
      }
      case 'restore': {
        await this.restore(this.boundaryAt(this.source.durablePosition - step.back));
        return;
      }
    }
  }

  async settle(): Promise<void> {
    this.receiver.failure = 'no more';
    await this.acceptIfDiverged();
    const { durablePosition } = this.source;
    await eventually(() =>
      expect(this.process.runner.status).toMatchObject({
        state: 'live',
        position: durablePosition,
      }),
    );
  }

  async end(): Promise<void> {
    await this.process.end();
    await this.positions.close();
  }

  async events(): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const batch of this.source.readAll()) events.push(...batch.events);
    return events;
  }

  /** The position that the log was restored to is where both histories are the same. */
  private restoredTo = Infinity;

  private async restore(to: number): Promise<void> {
    await this.process.end();
    const kept = (await this.events()).slice(0, to);
    const timelines = (this.source as unknown as { timelines: object[] }).timelines;
    const { logId } = this.source;
    this.source = Object.assign(new MemoryEventSource(), { logId });
    const inside = this.source as unknown as {
      events: RecordedEvent[];
      timelines: object[];
    };
    inside.events.push(...kept);
    inside.timelines.splice(0, Infinity, ...timelines);
    this.source.restart();
    this.restoredTo = Math.min(this.restoredTo, to);
    this.process = this.start();
  }

  private async acceptIfDiverged(): Promise<void> {
    await eventually(() =>
      expect(['live', 'diverged']).toContain(this.process.runner.status.state),
    );
    const record = await this.positions.load('mail');
    if (record?.hold === 'diverged')
      await this.positions.accept(
        'mail',
        this.cursorAt(Math.min(this.restoredTo, this.source.durablePosition)),
      );
  }

  private async restart(): Promise<void> {
    this.process.kill();
    await this.process.end();
    this.process = this.start();
  }

  private start() {
    // Whoever had the lease has had it for too long.
    this.nowMillis += 20_000;
    const { positions, kill } = mortal(this.positions);
    const feed = new SourceFeed(this.source, { heartbeatMillis: 2 });
    const stopping = new AbortController();
    const runner = new OutletRunner({
      ...{ feed, positions, lookMillis: 2, batchEvents: 3 },
      outlet: this.receiver,
    });
    const running = runner.run(stopping.signal);
    const end = async () => {
      stopping.abort();
      await running;
      await feed.close();
    };
    return { kill, end, runner };
  }

  private cursorAt(position: number) {
    return new SourceFeed(this.source).cursorAt(position as Position);
  }

  private boundaryAt(position: number): number {
    const { events } = this.source as unknown as { events: readonly RecordedEvent[] };
    let at = Math.max(0, position);
    while (at > 0 && events[at - 1]?.endsCommit !== true) at -= 1;
    return at;
  }
}

it('whatever fails, is killed, moved or restored: the other side has every event, in the order of the log, and of no ended history unmarked', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const world = new World();
      try {
        for (const step of taken) await world.take(step);
        await world.settle();
        expect(world.receiver.counted().map(({ id }) => id)).toEqual(
          (await world.events()).map(({ id }) => id),
        );
      } finally {
        await world.end();
      }
    }),
    { numRuns: 40 },
  );
});
