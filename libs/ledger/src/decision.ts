import type { ExpectedVersion, Position } from '@holdfast/event-store';
import type { CommandUnchanged, LedgerEvent } from './ledger.events.js';
import type { Rejection } from './rejections.js';

/** One stream's part of a commit; a command of this room makes exactly one event. */
export interface LedgerAppend {
  readonly stream: string;
  readonly expectedVersion: ExpectedVersion;
  readonly events: readonly [LedgerEvent];
}

/** What came of a command. Every kind is a value: `decide` throws only for bugs. */
export type Decision = Accepted | Refused | Replayed | Removed | Unchanged | Malformed;

/** Append it; once durable, the answer is `answerOf` the event. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly append: LedgerAppend;
}

/** Refused by a rule. With an `append`, the refusal is recorded first and answered once durable. */
export interface Refused {
  readonly kind: 'refused';
  readonly rejection: Rejection;
  readonly append: LedgerAppend | undefined;
}

/** The key was used before for the same request: answer again what the event at `position` says. */
export interface Replayed {
  readonly kind: 'replayed';
  readonly position: Position;
}

/** The key was used before, and the event at `position`, which says for what, has left the log for good: nothing is applied again, whatever is asked. */
export interface Removed {
  readonly kind: 'removed';
  readonly position: Position;
}

/** A command idempotent by name found what it asks for and has no key to use up: answer `answerOf` this, append nothing. */
export interface Unchanged {
  readonly kind: 'unchanged';
  /** Of the event that made the thing. */
  readonly position: Position;
  readonly data: CommandUnchanged;
}

/** The command breaks the grammar of a field: 400, never recorded. */
export interface Malformed {
  readonly kind: 'malformed';
  /** As in the request: `legs[1].amount`. */
  readonly field: string;
  /** What the field must be, as a sentence's end: "must be 1 to 36 digits without a leading zero". */
  readonly problem: string;
}
