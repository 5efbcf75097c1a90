import { KEY_RETENTION_MILLIS_DEFAULT } from './key-retention.js';
import type { LedgerEventMetadata, LedgerEventType } from './ledger.events.js';

/** What the decision needs of an event; its metadata is asked for only where the type alone does not decide. */
export interface CompactableEvent {
  readonly type: string;
  readonly recordedAtMillis: number;
  readonly metadata: object;
}

const REFUSAL: LedgerEventType = 'CommandRejected';

/**
 * Whether the books can do without an event for ever: a refusal whose key is no longer known, so that nobody can be answered with it any more. It moved no
 * money, and nothing else refers to it. Everything else stays: money, accounts, what was changed and when.
 *
 * Once true it stays true, because time along a log never goes back.
 */
export function isDispensable(event: CompactableEvent, nowMillis: number): boolean {
  if (event.type !== REFUSAL) return false;
  const { keyRetentionMillis = KEY_RETENTION_MILLIS_DEFAULT } =
    event.metadata as LedgerEventMetadata;
  return event.recordedAtMillis + keyRetentionMillis <= nowMillis;
}
