import { AssertionFailed } from '@holdfast/kernel';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Position } from './event.js';
import {
  type RetentionFacts,
  type RetentionOptions,
  type TimedEvents,
  firstPositionSince,
  retentionBound,
} from './retention.js';

const at = (position: number): Position => position as Position;
const FACTS: RetentionFacts = {
  durablePosition: at(1_000),
  nowMillis: 100_000,
  archivedPosition: at(900),
  snapshotPositions: [at(700), at(500)],
  // One event a hundred milliseconds.
  firstPositionSince: (millis) => at(Math.min(1_001, Math.max(1, Math.ceil(millis / 100)))),
};
const bound = (options: Partial<RetentionOptions>, facts: Partial<RetentionFacts> = {}) =>
  retentionBound(
    { policy: 'archive', livePositionsMin: 0, liveMillisMin: 0, ...options },
    { ...FACTS, ...facts },
  );

describe('retention', () => {
  it('keeps everything unless it is told otherwise', () => {
    expect(bound({ policy: 'keep-all' })).toEqual({
      below: 0,
      limits: [{ reason: 'policy', below: 0 }],
    });
  });

  it.each<[string, Partial<RetentionOptions>]>([
    ['a policy that nobody knows', { policy: 'snapshot' as RetentionOptions['policy'] }],
    ['events that are no number', { livePositionsMin: NaN }],
    ['a time that is no number', { liveMillisMin: NaN }],
  ])('lets nothing go under %s', (_, options) => {
    expect(() => bound(options)).toThrow(AssertionFailed);
  });

  it('lets go of what is in the archive', () => {
    expect(bound({ policy: 'archive' }).below).toBe(901);
    expect(bound({ policy: 'archive' }, { archivedPosition: at(0) }).below).toBe(1);
  });

  it.each([
    [[700, 500], 500],
    [[500, 700], 500],
    [[900, 700, 500], 700],
    [[700], 0],
    [[700, 700], 0],
    [[], 0],
  ])('with snapshots at %j, lets go of what is below %i', (positions, below) => {
    expect(bound({ policy: 'snapshots' }, { snapshotPositions: positions.map(at) }).below).toBe(
      below,
    );
  });

  it('keeps what is young, and the newest so many, and says which reason decides', () => {
    expect(bound({ livePositionsMin: 300 })).toEqual({
      below: 701,
      limits: [
        { reason: 'positions', below: 701 },
        { reason: 'archive', below: 901 },
      ],
    });
    // 40 seconds ago: event 600.
    expect(bound({ livePositionsMin: 300, liveMillisMin: 40_000 }).limits).toEqual([
      { reason: 'age', below: 600 },
      { reason: 'positions', below: 701 },
      { reason: 'archive', below: 901 },
    ]);
    expect(bound({ livePositionsMin: 5_000 }).below).toBe(0);
  });

  it('never lets go of what is needed, whatever it is asked (property)', () => {
    const position = fc.integer({ min: 0, max: 1_000 }).map(at);
    fc.assert(
      fc.property(
        fc.constantFrom('keep-all' as const, 'archive' as const, 'snapshots' as const),
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 0, max: 200_000 }),
        position,
        fc.array(position, { maxLength: 4 }),
        (policy, livePositionsMin, liveMillisMin, archivedPosition, snapshotPositions) => {
          const options = { policy, livePositionsMin, liveMillisMin };
          const facts = { ...FACTS, archivedPosition, snapshotPositions };
          const { below } = retentionBound(options, facts);
          const gone = below - 1;
          if (policy === 'keep-all') expect(gone).toBeLessThan(1);
          if (policy === 'archive') expect(gone).toBeLessThanOrEqual(archivedPosition);
          if (policy === 'snapshots' && gone >= 1)
            expect(snapshotPositions.filter((kept) => kept > gone).length).toBeGreaterThan(1);
          expect(gone).toBeLessThanOrEqual(Math.max(0, 1_000 - livePositionsMin));
          if (liveMillisMin > 0 && gone >= 1)
            expect(gone * 100).toBeLessThan(100_000 - liveMillisMin);
        },
      ),
    );
  });
});

describe('the first position since a time', () => {
  it('is what a walk along the log finds, also over positions that have no event (property)', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 200 }), fc.nat(70), (steps, since, hole) => {
        let millis = 0;
        const times = steps.map((step) => (millis += step));
        const events = times.flatMap((recordedAtMillis, index) =>
          (index + 1) % 7 === hole % 7 ? [] : [{ position: at(index + 1), recordedAtMillis }],
        );
        const log: TimedEvents = {
          firstPosition: at(1),
          durablePosition: at(times.length),
          eventAtOrAbove: (asked) => events.find(({ position }) => position >= asked),
        };
        const found = firstPositionSince(log, since);
        // Everything below is older, and everything from there on is not.
        for (const { position, recordedAtMillis } of events)
          expect(recordedAtMillis >= since).toBe(position >= found);
      }),
      { numRuns: runs({ short: 50, long: 300 }) },
    );
  });

  it('asks a handful of times, however many positions compaction has given up', () => {
    let asked = 0;
    const log: TimedEvents = {
      firstPosition: at(1),
      durablePosition: at(2_000_000),
      eventAtOrAbove: (position) => {
        asked += 1;
        return position > 1_900_000
          ? { position, recordedAtMillis: position }
          : { position: at(1_900_001), recordedAtMillis: 1_900_001 };
      },
    };
    expect(firstPositionSince(log, 1_950_000)).toBe(1_950_000);
    expect(asked).toBeLessThan(30);
  });
});
