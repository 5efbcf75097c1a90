import { CodedError } from '@holdfast/kernel';
import { exitCodeOf } from '@holdfast/nestjs/process';
import { ExitCode } from '@holdfast/platform';
import { expect, it } from '@jest/globals';
import { LEDGER_EXIT_CODES } from './ledger-exit-codes.js';

it.each([
  'WAL_POISONED',
  'WAL_FENCED',
  'EVENT_STATE_BROKEN',
  'EVENT_STATE_DAMAGED',
  'EVENT_STATE_UNAVAILABLE',
])('%s ends the process with the code that says that only another start can go on', (code) => {
  expect(LEDGER_EXIT_CODES[code]).toBe(ExitCode.POISONED);
});

it.each(['WAL_FULL', 'ENOSPC', 'EDQUOT'])(
  '%s ends a start with the code that says that there is no room',
  (code) => {
    expect(LEDGER_EXIT_CODES[code]).toBe(ExitCode.FULL_DISK);
  },
);

it('a log of a newer ledger is no state that another start mends, though folding it is what fails', () => {
  const cause = new CodedError('LEDGER_EVENT_UNKNOWN', 'a newer version wrote it', {});
  const broken = new CodedError('EVENT_STATE_BROKEN', 'folding failed', {}, { cause });
  expect(exitCodeOf(broken, LEDGER_EXIT_CODES)).toBe(ExitCode.CONFIGURATION);
});
