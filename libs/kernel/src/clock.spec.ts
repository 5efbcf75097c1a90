import { afterEach, expect, it, jest } from '@jest/globals';
import { systemClock } from './clock.js';

afterEach(() => {
  jest.restoreAllMocks();
});

it("the machine's monotonic time does not follow a wall clock that is set", () => {
  const before = systemClock.monotonicMillis();
  for (const setMillis of [3_600_000, -3_600_000, 31 * 86_400_000]) {
    const wallMillis = Date.now() + setMillis;
    jest.spyOn(Date, 'now').mockReturnValue(wallMillis);
    expect(systemClock.nowMillis()).toBe(wallMillis);
    const after = systemClock.monotonicMillis();
    expect(after).toBeGreaterThanOrEqual(before);
    expect(after - before).toBeLessThan(3_600_000);
    jest.restoreAllMocks();
  }
});
