import type { Position } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import { StatusKeeper } from './projection-status.js';
import { TestClock } from '../testing/read-model.contract.js';

describe('what a projection tells of its lag', () => {
  it.each([0, -3_600_000, 3_600_000])(
    'goes by the time that has passed, also when the wall clock is set by %d ms',
    (stepMillis) => {
      const clock = new TestClock();
      const keeper = new StatusKeeper({ name: 'tally', version: 1 }, clock);
      keeper.holds(1, 0 as Position, 0);
      keeper.headIs(40 as Position);
      clock.step(stepMillis);
      clock.advance(600_000);
      expect(keeper.status).toMatchObject({
        lagEvents: 40,
        lagSeconds: 600,
        stillMillis: 600_000,
        unheardMillis: 600_000,
      });
    },
  );

  it.each([
    ['that follows', (keeper: StatusKeeper) => keeper.holds(1, 40 as Position, 0)],
    [
      'that is a spare',
      (keeper: StatusKeeper) => keeper.waits(40 as Position, 'waiting-for-lease'),
    ],
  ])('stands still only while there is something to apply: one %s', (_, begin) => {
    const clock = new TestClock();
    const keeper = new StatusKeeper({ name: 'tally', version: 1 }, clock);
    begin(keeper);
    for (const second of [1, 2, 3]) {
      keeper.headIs(40 as Position);
      clock.advance(3_600_000);
      expect([second, keeper.status.stillMillis]).toEqual([second, 0]);
    }
    keeper.headIs(41 as Position);
    clock.advance(1_000);
    keeper.headIs(42 as Position);
    clock.advance(1_000);
    expect(keeper.status).toMatchObject({ lagEvents: 2, stillMillis: 2_000 });
  });
});
