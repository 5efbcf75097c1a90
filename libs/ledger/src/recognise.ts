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

/** Whether a command was decided before, accepted or rejected. A pure function of the state. */
export function recognise(command: CommandKey, bodyHash: string, view: LedgerView): Recognition {
  const known = view.commandKey(command.ledger, command.actor, command.key);
  if (known === undefined) return { kind: 'new' };
  const { position, outcome } = known;
  return known.bodyHash === bodyHash
    ? { kind: 'replay', position, outcome }
    : { kind: 'reused', position };
}
