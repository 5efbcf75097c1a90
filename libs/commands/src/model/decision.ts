import type { Position, RecordedEvent, StreamAppend } from '@holdfast/event-store';
import type { Answerable, Malformed, Rejection } from './command-model.js';

/** The outcome of deciding a command. Every kind is a value: deciding throws only for bugs. */
export type Decision = Accepted | Refused | Replayed | Removed | FoundUnchanged | Malformed;

/** Append it; once durable, the answer is `CommandDecisions.answerOf` its first event. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly appends: readonly StreamAppend[];
}

/** Refused by a rule. With `appends`, the refusal is recorded first and answered once durable. */
export interface Refused {
  readonly kind: 'refused';
  readonly rejection: Rejection;
  readonly appends: readonly StreamAppend[] | undefined;
}

/** The key was used before for the same request: answer from this event again. It may not be durable yet. */
export interface Replayed {
  readonly kind: 'replayed';
  /** As it was recorded. */
  readonly event: RecordedEvent;
}

/** The key was used before, but the event at `position` has left the log for good. Nothing is applied again, whatever the request is. */
export interface Removed {
  readonly kind: 'removed';
  readonly position: Position;
}

/** Everything is already as the command asks, and it has no key to use up: answer `answerOf` this event, append nothing. */
export interface FoundUnchanged {
  readonly kind: 'unchanged';
  readonly position: Position | undefined;
  readonly event: Answerable;
}
