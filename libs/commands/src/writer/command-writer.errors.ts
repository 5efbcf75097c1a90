import type { Position } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';

/** The log takes no more work and this command was not in it: nothing was applied. */
export function commandsUnavailable(cause: unknown): never {
  throw new CodedError(
    'COMMANDS_UNAVAILABLE',
    'the log takes no work until it is opened again; nothing was applied',
    {},
    { cause },
  );
}

/** The command is in the log's queue or half written: only recovery can tell whether it survives. */
export function outcomeUnknown(cause: unknown): never {
  throw new CodedError(
    'COMMAND_OUTCOME_UNKNOWN',
    'the log failed before the command was durable; the same key will tell what happened',
    {},
    { cause },
  );
}

/** The command was applied, but the event that says how it was answered has left the log for good. */
export function answerRemoved(position: Position): never {
  throw new CodedError(
    'COMMAND_ANSWER_REMOVED',
    `the answer at position ${position} was removed from the log by retention`,
    { position },
  );
}
