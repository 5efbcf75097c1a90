import { uptime } from 'node:os';

/** The only source of wall time; tests set it, replay never reads it. */
export interface Clock {
  /** Wall time in whole milliseconds since 1970 UTC. May step backwards. */
  nowMillis(): number;
}

/** A clock that also tells how much time has passed, which nobody can set. */
export interface MonotonicClock extends Clock {
  /** Milliseconds since some moment. Never steps, and counts the time for which the machine was suspended. */
  monotonicMillis(): number;
}

const SECOND_MILLIS = 1_000;
/** The two clocks of the process come this far apart before the third is asked. */
const DRIFT_MILLIS_MAX = 100;

/**
 * The process's own monotonic clock stands still while the machine is suspended, and the machine's uptime does not (libuv reads `/proc/uptime`, or
 * CLOCK_BOOTTIME). The uptime costs a system call, so it is asked only when wall time and monotonic time have come apart: that is a machine that slept, or a
 * wall clock that was set, and the uptime tells which.
 */
class SystemClock implements MonotonicClock {
  private readonly asleepBefore = uptime() * SECOND_MILLIS - performance.now();
  private asleepMillis = 0;
  private apart = Date.now() - performance.now();

  nowMillis(): number {
    return Date.now();
  }

  monotonicMillis(): number {
    const running = performance.now();
    const apart = Date.now() - running;
    if (Math.abs(apart - this.apart) > DRIFT_MILLIS_MAX) {
      this.apart = apart;
      const asleep = uptime() * SECOND_MILLIS - running - this.asleepBefore;
      this.asleepMillis = Math.max(this.asleepMillis, asleep);
    }
    return running + this.asleepMillis;
  }
}

export const systemClock: MonotonicClock = new SystemClock();
