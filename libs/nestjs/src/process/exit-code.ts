import { errorCode } from '@holdfast/kernel';

/** What a process says when it ends, in the values of sysexits.h where one fits. */
export const ExitCode = {
  OK: 0,
  /** Anything without a code of its own. */
  FAILURE: 1,
  /** The data is damaged and was not touched; starting again will not help (EX_DATAERR). */
  DATA: 65,
  /** Storage is poisoned: outcomes in flight are unknown, and only a restart with recovery can tell (EX_SOFTWARE). */
  POISONED: 70,
  /** There is no room on the disk to start with; once there is, starting again will help (EX_IOERR). */
  FULL_DISK: 74,
  /** Another process holds the data, or the port (EX_TEMPFAIL). */
  LOCKED: 75,
  /** The configuration is wrong; starting again will not help (EX_CONFIG). */
  CONFIGURATION: 78,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** By error code, for example `{ WAL_POISONED: ExitCode.POISONED }`. */
export type ExitCodes = Readonly<Record<string, ExitCode>>;

const CAUSES_MAX = 8;

/**
 * The exit code of an error or of the nearest of its causes that has one; `FAILURE` for all others. `CONFIGURATION` goes before `POISONED`: a state that breaks
 * because a newer program wrote the log breaks at every start, and whoever supervises the process must not try again for ever.
 */
export function exitCodeOf(error: unknown, exitCodes: ExitCodes): ExitCode {
  let found: ExitCode | undefined;
  let thrown = error;
  for (let depth = 0; depth < CAUSES_MAX && thrown !== undefined; depth++) {
    const code = exitCodes[errorCode(thrown) ?? ''];
    if (code === ExitCode.CONFIGURATION && found === ExitCode.POISONED) return code;
    found ??= code;
    thrown = causeOf(thrown);
  }
  return found ?? ExitCode.FAILURE;
}

function causeOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'cause' in thrown
    ? thrown.cause
    : undefined;
}
