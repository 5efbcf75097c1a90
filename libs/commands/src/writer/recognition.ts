import type { Position, RecordedEvent, TaggedEvent } from '@holdfast/event-store';
import { COMMAND_REJECTED } from '../model/command-model.js';

export type Recognition =
  | { readonly kind: 'new' }
  /** Decided before: the answer is `answerOf` the event, which may not be durable yet. */
  | { readonly kind: 'replay'; readonly event: RecordedEvent }
  /** The key was used for another request. */
  | { readonly kind: 'reused' }
  /** The key was used, for what is not known any more: its event has left the log for good. */
  | { readonly kind: 'removed'; readonly position: Position };

/** Whether a command was decided before, accepted or rejected: true for as long as its event is in the log, and reads no clock. */
export function recognised(used: TaggedEvent | undefined, bodyHash: string): Recognition {
  if (used === undefined) return { kind: 'new' };
  const { position, event } = used;
  if (event === undefined) return { kind: 'removed', position };
  return event.metadata['bodyHash'] === bodyHash ? { kind: 'replay', event } : { kind: 'reused' };
}

export function outcomeOf({ type }: Pick<RecordedEvent, 'type'>): 'accepted' | 'rejected' {
  return type === COMMAND_REJECTED ? 'rejected' : 'accepted';
}
