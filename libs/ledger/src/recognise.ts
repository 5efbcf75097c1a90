import type { Position } from '@holdfast/event-store';
import type { LedgerView } from './ledger-view.js';

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
  | { readonly kind: 'reused'; readonly position: Position };

/** Whether a command was decided before, accepted or rejected, as long as its key is kept. A pure function of the state and the present. */
export function recognise(
  { ledger, actor, key }: CommandKey,
  bodyHash: string,
  view: LedgerView,
  nowMillis: number,
): Recognition {
  const known = view.commandKey(ledger, actor, key, nowMillis);
  if (known === undefined) return { kind: 'new' };
  const { position, outcome } = known;
  return known.bodyHash === bodyHash
    ? { kind: 'replay', position, outcome }
    : { kind: 'reused', position };
}
