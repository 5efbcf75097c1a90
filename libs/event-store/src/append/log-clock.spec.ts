import { describe, expect, it } from '@jest/globals';
import { type ClockBounds, type ClockStatus, LogClock } from './log-clock.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 23);

/** A machine whose two clocks the test moves, and a log that ends at `last`. */
class Machine {
  wall = START;
  monotonic = 1_000;
  last = START - 1_000;
  readonly told: ClockStatus['fault'][] = [];

  clock(bounds: Partial<ClockBounds> = {}): LogClock {
    return new LogClock(
      { nowMillis: () => this.wall, monotonicMillis: () => this.monotonic },
      {
        skewMillisMax: 10_000,
        gapMillisMax: 7 * DAY,
        onChange: ({ fault }) => this.told.push(fault),
        ...bounds,
      },
      () => this.last,
    );
  }

  pass(millis: number): void {
    this.wall += millis;
    this.monotonic += millis;
  }
}

const skew = (fault: string) =>
  expect.objectContaining({
    code: 'EVENT_CLOCK_SKEW',
    details: expect.objectContaining({ fault }),
  });

describe("the log's time", () => {
  it('is the wall clock, and never before the last event', () => {
    const machine = new Machine();
    const clock = machine.clock();
    expect(clock.present()).toEqual({ logMillis: START, wallMillis: START });
    machine.last = START + 9_000;
    expect(clock.present()).toEqual({ logMillis: START + 9_000, wallMillis: START });
    clock.assertTrusted();
  });

  it('advances no faster than the monotonic clock and the bound', () => {
    const machine = new Machine();
    const clock = machine.clock();
    machine.pass(60_000);
    machine.wall += 10_000;
    clock.assertTrusted();
    machine.wall += 31 * DAY;
    expect(() => clock.assertTrusted()).toThrow(skew('ahead'));
    expect(clock.present().logMillis).toBeLessThanOrEqual(START + 70_000);
    expect(clock.status()).toMatchObject({ fault: 'ahead', wallMillis: machine.wall });
    machine.pass(5_000);
    machine.wall -= 31 * DAY;
    clock.assertTrusted();
    expect(machine.told).toEqual(['ahead', undefined]);
  });

  it('does not creep ahead by many jumps that each are within the bound', () => {
    const machine = new Machine();
    const clock = machine.clock();
    clock.assertTrusted();
    machine.wall += 9_000;
    clock.assertTrusted();
    machine.wall += 9_000;
    expect(() => clock.assertTrusted()).toThrow(skew('ahead'));
  });

  it('follows a wall clock that goes a little faster or slower, for years', () => {
    for (const rate of [1.0005, 0.9995]) {
      const machine = new Machine();
      const clock = machine.clock();
      for (let hour = 0; hour < 20_000; hour++) {
        machine.monotonic += DAY / 24;
        machine.wall += (DAY / 24) * rate;
        machine.last = machine.wall;
        clock.assertTrusted();
      }
    }
  });

  it('goes on when a machine has slept, which the monotonic clock counts', () => {
    const machine = new Machine();
    const clock = machine.clock();
    machine.pass(30 * DAY);
    clock.assertTrusted();
  });

  it('stands while the wall clock is further behind than the bound, and heals when it has come there', () => {
    const machine = new Machine();
    const clock = machine.clock();
    machine.last = START;
    machine.wall -= 10_000;
    clock.assertTrusted();
    machine.wall -= 1;
    expect(() => clock.assertTrusted()).toThrow(skew('behind'));
    machine.pass(1);
    clock.assertTrusted();
    expect(machine.told).toEqual(['behind', undefined]);
  });
});

describe('the clock at a start', () => {
  it('wants acceptance when it is long after the last event, and not a moment earlier', () => {
    const machine = new Machine();
    machine.last = START - 7 * DAY;
    machine.clock().assertTrusted();
    machine.last -= 1;
    const clock = machine.clock();
    expect(() => clock.assertTrusted()).toThrow(skew('gap'));
    machine.pass(DAY);
    expect(() => clock.assertTrusted()).toThrow(skew('gap'));
    expect(clock.accept()).toMatchObject({ fault: undefined });
    clock.assertTrusted();
    machine.wall += DAY;
    expect(() => clock.assertTrusted()).toThrow(skew('ahead'));
  });

  it('has no gap before the first event', () => {
    const machine = new Machine();
    machine.last = 0;
    machine.clock().assertTrusted();
  });

  it('is believed from where it comes back, when it was wrong at first', () => {
    const machine = new Machine();
    machine.wall += 365 * DAY;
    const clock = machine.clock();
    expect(clock.status().fault).toBe('gap');
    machine.wall -= 365 * DAY;
    clock.assertTrusted();
    machine.wall += 365 * DAY;
    expect(() => clock.assertTrusted()).toThrow(skew('ahead'));
  });

  it('is waited for when the last event is ahead of it; accepted, the time of the log stands still until then', () => {
    const machine = new Machine();
    machine.last = START + 31 * DAY;
    const clock = machine.clock();
    expect(() => clock.assertTrusted()).toThrow(skew('behind'));
    clock.accept();
    clock.assertTrusted();
    expect(clock.present()).toEqual({ logMillis: START + 31 * DAY, wallMillis: START });
    machine.pass(31 * DAY + 1);
    expect(clock.present().logMillis).toBe(START + 31 * DAY + 1);
    machine.last = START + 31 * DAY + 60_000;
    expect(() => clock.assertTrusted()).toThrow(skew('behind'));
  });

  it.each([
    ['back', -DAY, 'behind'],
    ['back to 1970', -START, 'behind'],
    ['ahead', DAY, 'ahead of'],
  ])(
    'is accepted as it is where the last event is ahead of it, and no later jump is: %s',
    (_, millis, where) => {
      const fault = where.replace(' of', '');
      const allowed = new Date(START + DAY).toISOString();
      const machine = new Machine();
      machine.last = START + 31 * DAY;
      const clock = machine.clock();
      clock.accept();
      machine.pass(DAY);
      clock.assertTrusted();
      machine.wall += millis;
      expect(() => clock.assertTrusted()).toThrow(skew(fault));
      expect(() => clock.assertTrusted()).toThrow(
        `, which is ${where} what the monotonic clock allows: ${allowed}; nothing was appended`,
      );
      expect(clock.status()).toMatchObject({ fault, expectedMillis: START + DAY });
      machine.pass(DAY);
      expect(() => clock.assertTrusted()).toThrow(skew(fault));
      machine.wall -= millis;
      clock.assertTrusted();
      machine.wall += millis;
      expect(clock.accept().fault).toBeUndefined();
    },
  );

  it('is accepted by the time that was named, and no other jump is', () => {
    const machine = new Machine();
    machine.last = START - 30 * DAY;
    machine.clock({ acceptedMillis: START - 3_600_000 }).assertTrusted();
    const clock = machine.clock({ acceptedMillis: START - 3_600_001 });
    expect(() => clock.assertTrusted()).toThrow(skew('gap'));
  });

  it('says what it finds at once', () => {
    const machine = new Machine();
    machine.last = START - 30 * DAY;
    machine.clock();
    expect(machine.told).toEqual(['gap']);
  });
});
