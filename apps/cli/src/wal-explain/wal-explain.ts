import { COMMANDS_ERROR_GUIDE } from '@holdfast/commands';
import { EVENT_STORE_ERROR_GUIDE } from '@holdfast/event-store';
import { nearestName } from '@holdfast/kernel';
import { LEDGER_ERROR_GUIDE } from '@holdfast/ledger-service';
import { OPERATIONS_ERROR_GUIDE } from '@holdfast/operations';
import { OUTLET_ERROR_GUIDE } from '@holdfast/outlets';
import { PROJECTION_ERROR_GUIDE } from '@holdfast/projections';
import { type ErrorAdvice, WAL_ERROR_GUIDE } from '@holdfast/wal';
import { CliExit } from '../exit-code.js';
import type { Terminal } from '../terminal/terminal.js';
import { CLI_ERROR_GUIDE } from './cli-error-guide.js';

/** Of every room; docs/operations.md prints the same. */
export const ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  ...WAL_ERROR_GUIDE,
  ...PROJECTION_ERROR_GUIDE,
  ...OUTLET_ERROR_GUIDE,
  ...EVENT_STORE_ERROR_GUIDE,
  ...COMMANDS_ERROR_GUIDE,
  ...OPERATIONS_ERROR_GUIDE,
  ...LEDGER_ERROR_GUIDE,
  ...CLI_ERROR_GUIDE,
};

/** What an error code means and what to do about it, as in docs/operations.md. */
export async function walExplain(code: string, terminal: Terminal): Promise<CliExit> {
  const advice = Object.entries(ERROR_GUIDE).find(([known]) => known === code.toUpperCase());
  if (advice === undefined) {
    const known = Object.keys(ERROR_GUIDE);
    const nearest = nearestName(code.toUpperCase(), known);
    const meant = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
    await terminal.line(`There is no error code ${code}.${meant} There are: ${known.join(', ')}.`);
    return CliExit.NO_INPUT;
  }
  const [known, { meaning, action }] = advice;
  await terminal.line(`${known}\n\n${meaning}\n\nWhat to do: ${action}`);
  return CliExit.OK;
}
