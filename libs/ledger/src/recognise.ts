import type { Position, RecordedEvent } from '@holdfast/event-store';
import type { LedgerView } from './ledger-view.js';
import type { LedgerEventMetadata, LedgerEventType } from './ledger.events.js';

/** Whose key it is: keys belong to a ledger and an actor. */
export interface CommandKey {
  readonly ledger: string;
  readonly actor: string;
  readonly key: string;
}

export type Recognition =
  | { readonly kind: 'new' }
  /** Decided before: the answer is `answerOf` the event at `position`, which may not be durable yet. */
  | {
      readonly kind: 'replay';
      readonly position: Position;
      readonly outcome: 'accepted' | 'rejected';
    }
  /** The key was used for another request. */
  | { readonly kind: 'reused'; readonly position: Position }
  /** The key was used, for what is not known any more: its event has left the log for good. */
  | { readonly kind: 'removed'; readonly position: Position };

/** Whether a command was decided before, accepted or rejected: true for as long as its event is in the log, and reads no clock. */
export function recognise(
  { ledger, actor, key }: CommandKey,
  bodyHash: string,
  view: LedgerView,
): Recognition {
  const used = view.keyUse(ledger, actor, key);
  if (used === undefined) return { kind: 'new' };
  const { position, event } = used;
  if (event === undefined) return { kind: 'removed', position };
  return (event.metadata as LedgerEventMetadata).bodyHash === bodyHash
    ? { kind: 'replay', position, outcome: outcomeOf(event) }
    : { kind: 'reused', position };
}

export function outcomeOf({ type }: Pick<RecordedEvent, 'type'>): 'accepted' | 'rejected' {
  return type === ('CommandRejected' satisfies LedgerEventType) ? 'rejected' : 'accepted';
}
