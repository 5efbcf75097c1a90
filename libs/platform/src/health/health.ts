import { assert, errorMessage } from '@holdfast/kernel';
import type { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';

/** `true`, or why not: a sentence for the operator. */
export type HealthResult = true | string;
export type HealthCheck = () => HealthResult | Promise<HealthResult>;

export interface HealthReport {
  readonly ready: boolean;
  /** By the name of the check: `ok`, or why not. */
  readonly checks: Readonly<Record<string, string>>;
}

const CHECK_MILLIS_MAX = 1_000;

/** What must be right before this process should be sent requests. Parts register their checks under a name each. */
export class Health {
  private readonly checks = new Map<string, HealthCheck>();

  constructor(private readonly lifecycle: ServiceLifecycle) {}

  register(name: string, check: HealthCheck): void {
    assert(!this.checks.has(name), `the health check ${name} is registered once`);
    this.checks.set(name, check);
  }

  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await resultOf(check)] as const),
    );
    const unavailable = this.lifecycle.unavailableBecause;
    if (unavailable !== undefined) results.unshift(['service', unavailable]);
    return {
      ready: results.every(([, result]) => result === true),
      checks: Object.fromEntries(
        results.map(([name, result]) => [name, result === true ? 'ok' : result]),
      ),
    };
  }
}

async function resultOf(check: HealthCheck): Promise<HealthResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_MILLIS_MAX} ms`), CHECK_MILLIS_MAX);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return errorMessage(error);
  } finally {
    clearTimeout(timer);
  }
}
