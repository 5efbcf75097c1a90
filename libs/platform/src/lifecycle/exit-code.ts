/** What a process says when it ends, in the values of sysexits.h where one fits. */
export const ExitCode = {
  OK: 0,
  /** Anything without a code of its own. */
  FAILURE: 1,
  /** Storage is poisoned: outcomes in flight are unknown and only a restart with recovery can tell (EX_SOFTWARE). */
  POISONED: 70,
  /** Another process holds the data (EX_TEMPFAIL). */
  LOCKED: 75,
  /** The configuration is wrong; starting again will not help (EX_CONFIG). */
  CONFIGURATION: 78,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Exit codes by error code, for example `{ WAL_POISONED: ExitCode.POISONED }`. Other errors give `FAILURE`. */
export type ExitCodes = Readonly<Record<string, ExitCode>>;
