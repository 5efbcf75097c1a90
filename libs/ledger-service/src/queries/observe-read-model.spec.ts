import type { Position } from '@holdfast/event-store';
import { Health, ServiceLifecycle } from '@holdfast/platform';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Asked } from './ledger-queries.js';
import type { SeenLog } from './ledger-reader.js';
import { observeReadModel } from './observe-read-model.js';
import { ReadModelSight } from './read-model-sight.js';

const TIMELINE = 'a'.repeat(16);

describe('the health of a read model', () => {
  let health: Health;
  let nowMillis: number;
  let durable: number;
  /** Where the read model stands; undefined when nobody answers. */
  let position: number | undefined;

  beforeEach(() => {
    health = new Health(new ServiceLifecycle());
    [nowMillis, durable, position] = [0, 40, 40];
    const look = (): Asked => ({
      finding: { kind: 'found', body: new Uint8Array(), version: undefined },
      cursor: { logId: 'log', timeline: TIMELINE, position: position as Position },
    });
    const asker = {
      ask: () =>
        position === undefined ? new Promise<Asked>(() => undefined) : Promise.resolve(look()),
      close: () => Promise.resolve(),
    };
    const seen = (): SeenLog => ({
      logId: 'log',
      durablePosition: durable as Position,
      newestTimeline: TIMELINE,
      timelineAt: () => TIMELINE,
    });
    const log = { look: seen, ask: () => Promise.resolve(seen()) };
    observeReadModel(new ReadModelSight(asker, 5), log, health, {
      monotonicMillis: () => nowMillis,
    });
  });

  const told = async () => {
    const { ready, checks, facts } = await health.report();
    return { ready, check: checks['read-model'], facts };
  };

  it('is degraded while nobody looks in time, and says how old what it knows is', async () => {
    expect(await told()).toMatchObject({ ready: true, check: 'ok', facts: {} });
    nowMillis += 7_000;
    position = undefined;
    const { ready, check, facts } = await told();
    expect(ready).toBe(true);
    expect(check).toMatch(
      /^degraded: the read model could not be looked at within 5 ms: other queries.*last seen 7 s ago, at position 40$/,
    );
    expect(facts).toBeUndefined();
    position = 40;
    expect(await told()).toMatchObject({ check: 'ok', facts: { readModelPosition: 40 } });
  });

  it('is red while nobody has looked at it even once', async () => {
    position = undefined;
    expect(await told()).toMatchObject({
      ready: false,
      check: expect.stringContaining('could not be looked at within 5 ms'),
    });
  });

  it('counts for how long it has stood still from when there was something to fill in', async () => {
    for (const hour of [1, 2]) {
      nowMillis = hour * 3_600_000;
      expect(await told()).toMatchObject({ check: 'ok' });
    }
    durable = 41;
    expect(await told()).toMatchObject({ check: 'ok' });
    nowMillis += 30_000;
    expect(await told()).toMatchObject({
      ready: true,
      check: expect.stringContaining('nobody fills it: at position 40 for 30 s'),
    });
    // Filled in, and behind again: another wait.
    position = 41;
    expect(await told()).toMatchObject({ check: 'ok' });
    nowMillis += 3_600_000;
    durable = 42;
    expect(await told()).toMatchObject({ check: 'ok' });
  });
});
