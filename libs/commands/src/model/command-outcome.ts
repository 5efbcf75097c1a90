import type { Position } from '@holdfast/event-store';
import type { CommandContext } from './command-context.js';
import type { Malformed, Rejection } from './command-model.js';

/** What a client says beside the command itself. */
export type Attempt = Pick<
  CommandContext,
  'actor' | 'idempotency' | 'correlationId' | 'causationId' | 'dryRun'
>;

/** What came of a command, once it may be told. */
export type CommandOutcome<Answer> =
  Answered<Answer> | RefusedUnrecorded | Malformed | InFlight | Rehearsed<Answer>;

/** The answer is recorded, and the same for ever: an acceptance or a refusal. */
export interface Answered<Answer> {
  readonly kind: 'answered';
  readonly outcome: 'accepted' | 'rejected';
  readonly answer: Answer;
  /** Of the event that it is made of. Whoever has read up to there has read all of its commit, for batches end with commits. */
  readonly position: Position;
  /** The key had been used for the same request, and this is what was answered then. */
  readonly replayed: boolean;
}

/** Refused without a record: there is nowhere to record it, or the key belongs to another request. */
export interface RefusedUnrecorded {
  readonly kind: 'refused';
  readonly rejection: Rejection;
}

/** The first request with this key is not durable yet. */
export interface InFlight {
  readonly kind: 'in-flight';
}

/** What a dry run would have been answered. */
export interface Rehearsed<Answer> {
  readonly kind: 'rehearsed';
  readonly answer: Answer;
}

/** A command that was decided and perhaps appended, but nobody may hear of it yet. */
export interface PendingOutcome<Answer> {
  /** Resolves once everything that the decision saw or made is durable; rejects when that cannot become true. To be called once. */
  readonly durable: () => Promise<void>;
  /** To be called when it is. */
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
