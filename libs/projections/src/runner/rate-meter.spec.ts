import { describe, expect, it } from '@jest/globals';
import { RateMeter } from './rate-meter.js';

describe('a rate meter', () => {
  it('tells the rate since the first count, then over the last five seconds, then nothing', () => {
    let now = 1_000_000;
    const meter = new RateMeter(() => now);
    expect(meter.perSecond()).toBe(0);
    for (let count = 0; count < 10; count += 1) {
      meter.count(100);
      now += 100;
    }
    expect(meter.perSecond()).toBeCloseTo(1_000, 5);
    for (let count = 0; count < 100; count += 1) {
      meter.count(10);
      now += 100;
    }
    expect(meter.perSecond()).toBeGreaterThan(90);
    expect(meter.perSecond()).toBeLessThan(106);
    now += 60_000;
    expect(meter.perSecond()).toBe(0);
  });
});
