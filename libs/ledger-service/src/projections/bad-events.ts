import type { BadEventPolicy } from '@holdfast/projections';

/** As an installation is told it. */
export interface BadEventChoice {
  readonly badEvents: BadEventPolicy['kind'];
  readonly badEventAttempts: number;
  readonly quarantineEventsMax: number;
}

export function badEventPolicyOf({
  badEvents: kind,
  badEventAttempts: attempts,
  quarantineEventsMax: most,
}: BadEventChoice): BadEventPolicy {
  return kind === 'stop' ? { kind } : { kind, attempts, most };
}
