import { WAL_ERROR_GUIDE } from '@holdfast/wal';
import { CliExit } from '../exit-code.js';
import type { Terminal } from '../terminal/terminal.js';

/** What an error code means and what to do about it, as in docs/operations.md. */
export async function walExplain(code: string, terminal: Terminal): Promise<CliExit> {
  const advice = Object.entries(WAL_ERROR_GUIDE).find(([known]) => known === code.toUpperCase());
  if (advice === undefined) {
    await terminal.line(
      `There is no error code ${code}. There are: ${Object.keys(WAL_ERROR_GUIDE).join(', ')}.`,
    );
    return CliExit.NO_INPUT;
  }
  const [known, { meaning, action }] = advice;
  await terminal.line(`${known}\n\n${meaning}\n\nWhat to do: ${action}`);
  return CliExit.OK;
}
