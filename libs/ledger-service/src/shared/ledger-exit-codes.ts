import { LOG_EXIT_CODES } from '@holdfast/nestjs/process';
import { ExitCode, type ExitCodes } from '@holdfast/platform';

/** How a process of the ledger ends, by the code of what ended it. docs/operations.md says what to do about each. */
export const LEDGER_EXIT_CODES: ExitCodes = {
  ...LOG_EXIT_CODES,
  CONFIGURATION_INVALID: ExitCode.CONFIGURATION,
  LEDGER_EVENT_UNKNOWN: ExitCode.CONFIGURATION,
  POSTGRES_CLIENT_MISSING: ExitCode.CONFIGURATION,
  POSTGRES_URL_INVALID: ExitCode.CONFIGURATION,
};
