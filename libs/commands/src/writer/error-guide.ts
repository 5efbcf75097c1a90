import type { EVENT_STORE_ERROR_GUIDE } from '@holdfast/event-store';

type ErrorAdvice = (typeof EVENT_STORE_ERROR_GUIDE)[keyof typeof EVENT_STORE_ERROR_GUIDE];

/** One entry for each code that a writer of commands throws; `docs/operations.md` prints the same, which a test checks. */
export const COMMANDS_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  COMMAND_OUTCOME_UNKNOWN: {
    meaning:
      'The log failed while a command was on its way. Only recovery can tell whether it happened (503 with `outcome: unknown`).',
    action: 'Let the process restart. Clients send the same request with the same key again.',
  },
  COMMANDS_UNAVAILABLE: {
    meaning:
      'The log accepts no more commands, because it failed or the service is stopping (503 with `outcome: not-applied`). This command applied nothing.',
    action:
      'The last log line has the reason; the supervisor restarts the process. Clients send again.',
  },
  COMMAND_ANSWER_REMOVED: {
    meaning:
      'The command was decided long ago, and the event with its answer has left the log (410 `answer-removed`). Nothing was applied now.',
    action: 'Nothing. It happens only under the policy `snapshots`.',
  },
  COMMANDS_EVENT_UNKNOWN: {
    meaning:
      'The log holds an event that no decider of this service evolves: a newer version of the service wrote it, a decider was removed, or the log is another service’s. Skipping it would lose facts, so the service does not start.',
    action:
      'Start the newer version again, or name the right directory. If a decider was removed on purpose, list its events as `retired`.',
  },
  COMMANDS_DECIDER_BROKEN: {
    meaning:
      'A decider or a lookup threw while it folded an event, or while it made the answer. It changed the state or the event in place, or it met data that it does not foresee. Before a commit, nothing was applied; at a start, it is the cause of `EVENT_STATE_BROKEN`.',
    action:
      'The message names it and the event. Mend the program: a fold returns a new state and changes nothing that it is given.',
  },
};
