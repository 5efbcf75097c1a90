import { assert, errorMessage } from '@holdfast/kernel';
import type { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';
import { ANSWER_MILLIS_MAX, inTime } from './in-time.js';

/** It works, and an operator should look at it: a sentence. Requests may be sent. */
export interface Degraded {
  readonly degraded: string;
}

/** `true`; what is wrong though it works; or why it does not: a sentence for the operator. */
export type HealthResult = true | Degraded | string;
export type HealthCheck = () => HealthResult | Promise<HealthResult>;

/** What somebody who asks for the health wants to know beside it; undefined when it is not known now. */
export type HealthFact = () => FactValue | undefined | Promise<FactValue | undefined>;
type FactValue = number | string;

export interface HealthReport {
  readonly ready: boolean;
  /** By the name of the check: `ok`, `degraded: …`, or why not. */
  readonly checks: Readonly<Record<string, string>>;
  /** By their names; absent when nothing has any. */
  readonly facts?: Readonly<Record<string, FactValue>>;
}

/** What must be right before this process should be sent requests. Parts register their checks and facts under a name each. */
export class Health {
  private readonly checks = new Map<string, HealthCheck>();
  private readonly facts = new Map<string, HealthFact>();

  constructor(private readonly lifecycle: ServiceLifecycle) {}

  register(name: string, check: HealthCheck): void {
    assert(!this.checks.has(name), `the health check ${name} is registered once`);
    this.checks.set(name, check);
  }

  /** A fact never makes a process unready: what it throws, or is late with, is left out. */
  tell(name: string, fact: HealthFact): void {
    assert(!this.facts.has(name), `the fact ${name} is registered once`);
    this.facts.set(name, fact);
  }

  async report(): Promise<HealthReport> {
    const [results, facts] = await Promise.all([this.results(), this.known()]);
    const unavailable = this.lifecycle.unavailableBecause;
    if (unavailable !== undefined) results.unshift(['service', unavailable]);
    return {
      ready: results.every(([, result]) => typeof result !== 'string'),
      checks: Object.fromEntries(results.map(([name, result]) => [name, textOf(result)])),
      ...(facts.length > 0 && { facts: Object.fromEntries(facts) }),
    };
  }

  private results(): Promise<[string, HealthResult][]> {
    return Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, HealthResult]> => {
        const late = `no answer within ${ANSWER_MILLIS_MAX} ms`;
        return [name, await inTime(check, late).catch(errorMessage)];
      }),
    );
  }

  private async known(): Promise<[string, FactValue][]> {
    const told = await Promise.all(
      [...this.facts].map(async ([name, fact]) => {
        const value = await inTime(fact, undefined).catch(() => undefined);
        return [name, value] as const;
      }),
    );
    return told.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  }
}

function textOf(result: HealthResult): string {
  if (result === true) return 'ok';
  return typeof result === 'string' ? result : `degraded: ${result.degraded}`;
}
