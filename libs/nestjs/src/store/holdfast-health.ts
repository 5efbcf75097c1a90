import { Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import { EventStore } from './event-store.js';

export interface HoldfastReport {
  readonly ready: boolean;
  /** By the name of the check: `ok`, or what is wrong. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Whether requests should be sent here: for a controller of the service's own, or a health library. */
@Injectable()
export class HoldfastHealth {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  report(): HoldfastReport {
    const { healthChecks, stopping } = this.store;
    const faults = Array.from(healthChecks, ([name, check]) => [name, check()] as const);
    if (stopping.aborted) faults.unshift(['service', 'is stopping']);
    return {
      ready: faults.every(([, fault]) => fault === undefined),
      checks: Object.fromEntries(faults.map(([name, fault]) => [name, fault ?? 'ok'])),
    };
  }

  /** The report, which is answered with 503 while this is not ready. */
  check(): HoldfastReport {
    const report = this.report();
    if (!report.ready) throw new ServiceUnavailableException(report);
    return report;
  }
}
