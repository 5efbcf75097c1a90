import type { Position } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import { StatusKeeper } from './projection-status.js';
import { TestClock } from './testing/read-model.contract.js';

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
});
