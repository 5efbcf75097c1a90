import type { Position } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';

/** The log takes no more work and this command was not in it: nothing was applied. */
export function ledgerUnavailable(cause: unknown): CodedError {
  return new CodedError(
    'LEDGER_UNAVAILABLE',
    'the log takes no work until it is opened again; nothing was applied',
    {},
    { cause },
  );
}

/** The command is in the log's queue or half written: only recovery can tell whether it survives. */
export function ledgerOutcomeUnknown(cause: unknown): CodedError {
  return new CodedError(
    'LEDGER_OUTCOME_UNKNOWN',
    'the log failed before the command was durable; the same key will tell what happened',
    {},
    { cause },
  );
}

/** The command was applied, but the event that says how it was answered has left the log for good. */
export function ledgerAnswerRemoved(position: Position): CodedError {
  return new CodedError(
    'LEDGER_ANSWER_REMOVED',
    `the answer at position ${position} was removed from the log by retention`,
    { position },
  );
}
