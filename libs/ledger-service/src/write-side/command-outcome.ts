import type { Position } from '@holdfast/event-store';
import type { Answer, Rejection } from '@holdfast/ledger';

/** What a client says beside the command itself. */
export interface Attempt {
  readonly actor: string;
  /** `Idempotency-Key` and the hash of the request; only commands that are idempotent by name, and dry runs, go without. */
  readonly idempotency?: { readonly key: string; readonly bodyHash: string } | undefined;
  readonly correlationId?: string | undefined;
  /** Decide, answer, and leave no trace. */
  readonly dryRun?: boolean | undefined;
}

/** What came of a command, once it may be told. */
export type CommandOutcome = Answered | Refused | Malformed | InFlight | Rehearsed;

/** The answer is recorded at `position`, and the same for ever: an acceptance or a refusal. */
export interface Answered {
  readonly kind: 'answered';
  readonly answer: Answer;
  readonly position: Position;
  /** The key had been used for the same request, and this is what was answered then. */
  readonly replayed: boolean;
}

/** Refused without a record: an unknown ledger, or a key that belongs to another request. */
export interface Refused {
  readonly kind: 'refused';
  readonly rejection: Rejection;
}

/** The command breaks the grammar of a field, which only a program's bug or a rule across fields lets through to here. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly field: string;
  readonly problem: string;
}

/** The first request with this key is not durable yet. */
export interface InFlight {
  readonly kind: 'in-flight';
}

/** What a dry run would have been answered. */
export interface Rehearsed {
  readonly kind: 'rehearsed';
  readonly answer: Answer;
}

/** A command that was decided and perhaps appended, but nobody may hear of it yet. */
export interface PendingOutcome {
  /** Resolves once everything that the decision saw or made is durable; rejects when that cannot become true. To be called once. */
  readonly durable: () => Promise<void>;
  /** To be called when it is. */
  readonly read: () => CommandOutcome;
}
