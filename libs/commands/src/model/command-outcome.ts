import type { Position } from '@holdfast/event-store';
import type { CommandContext } from './command-context.js';
import type { Malformed, Rejection } from './command-model.js';

/** What a client sends besides the command. */
export type Attempt = Pick<
  CommandContext,
  'actor' | 'idempotency' | 'correlationId' | 'causationId' | 'dryRun'
>;

/** The outcome of a command, once it may be revealed. */
export type CommandOutcome<Answer> =
  Answered<Answer> | RefusedUnrecorded | Malformed | InFlight | Rehearsed<Answer>;

/** The answer is recorded and never changes: an acceptance or a refusal. */
export interface Answered<Answer> {
  readonly kind: 'answered';
  readonly outcome: 'accepted' | 'rejected';
  readonly answer: Answer;
  /** The position of the event behind the answer. A reader that has reached it has seen the whole commit, because batches end with commits. */
  readonly position: Position;
  /** The key had been used for the same request; this is the first answer. */
  readonly replayed: boolean;
}

/** Refused without a record: there is no place to record it, or the key belongs to another request. */
export interface RefusedUnrecorded {
  readonly kind: 'refused';
  readonly rejection: Rejection;
}

/** The first request with this key is not durable yet. */
export interface InFlight {
  readonly kind: 'in-flight';
}

/** The answer that the command would have got without the dry run. */
export interface Rehearsed<Answer> {
  readonly kind: 'rehearsed';
  readonly answer: Answer;
}

/** A command that was decided and perhaps appended, but must not be answered yet. */
export interface PendingOutcome<Answer> {
  /** Resolves once everything that the decision saw or made is durable; rejects when that cannot become true. Call it once. */
  readonly durable: () => Promise<void>;
  /** Call it after that. */
  readonly read: () => CommandOutcome<Answer>;
}

/** A command found by its key. */
export interface FoundCommand<Answer> {
  readonly kind: 'found';
  readonly position: Position;
  readonly recordedAtMillis: number;
  readonly outcome: 'accepted' | 'rejected';
  readonly answer: Answer;
}
