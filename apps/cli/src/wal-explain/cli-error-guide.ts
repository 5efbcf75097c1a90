import type { ErrorAdvice } from '@holdfast/wal';

/** What the command line fails with under a code of its own; `docs/operations.md` prints the same, which a test checks. */
export const CLI_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  CONFIGURATION_INVALID: {
    meaning:
      'A setting is missing or not what it can be; the message lists all of them (exit code 78). Nothing was started.',
    action: 'Correct the environment, by what the message says of each.',
  },
  SERVICE_UNREACHABLE: {
    meaning: 'The service does not answer at its address (exit code 69).',
    action:
      'Look whether it runs, and whether the address is right (`HOLDFAST_URL`, `HOLDFAST_ADMIN_URL`). Without a service, `--data` works on its data directory.',
  },
  IMPORT_CSV_INVALID: {
    meaning:
      'The CSV file is not one, or lacks a column; the message names the line (exit code 65). Rows before it may be posted.',
    action: 'Correct the file and start the import again: what is posted is not posted twice.',
  },
  IMPORT_FILE_CHANGED: {
    meaning:
      'The CSV file was changed while the import read it (exit code 75). The import has stopped, and of what came behind the change nothing is posted.',
    action:
      'Start the import again once the file is whole; what is posted is not posted twice. Of a file that grows on, import a copy.',
  },
  IMPORT_OPTION_INVALID: {
    meaning:
      'An option of the import is not what it can be, or a file that it would write is one that it reads, is written for something else, was edited since an import wrote it, or is no note of an import (exit code 64). Nothing was changed or posted.',
    action:
      'Name another file, or move the one that is there away. An edited rejects file is imported as an attempt of its own: `--attempt 2`.',
  },
  IMPORT_RUNNING: {
    meaning:
      'Another import writes the same rejects file or note (exit code 75). Nothing was changed or posted.',
    action:
      'Wait until it has ended. Two imports of one file may run at once if each has a rejects file and a note of its own.',
  },
  IMPORT_MAPPING_INVALID: {
    meaning:
      'The mapping of an import is not what it can be; the message names the member (exit code 65). Nothing was posted.',
    action: 'Correct it; docs/guides/import.md explains each member.',
  },
  IMPORT_REFUSED: {
    meaning:
      'The service does not take what an import sends, and the message says why (exit code 76). The import has stopped.',
    action: 'Mend what the message names, and start the import again: it goes on where it was.',
  },
  IMPORT_HISTORY_CHANGED: {
    meaning:
      'Ten times in one run, the ledger did not answer an imported row any more as it had answered it: it was restored to an earlier moment each time, or retention removes answers while the import reads (exit code 75). The import has stopped.',
    action:
      'Start the import again once that has ended: every row is looked at again, and what is posted is not posted twice.',
  },
  ADMIN_DENIED: {
    meaning: 'The command line was refused by the admin API (exit code 77).',
    action: 'Give it the token: `HOLDFAST_ADMIN_TOKEN_FILE`.',
  },
  ADMIN_REFUSED: {
    meaning: 'The admin API says no, and why: the name of a problem and a sentence (exit code 1).',
    action: 'What the sentence says.',
  },
  JOB_CANCELLED: {
    meaning: 'The job that the command line has followed was cancelled (exit code 130).',
    action: 'Start it again: it goes on where it was.',
  },
};
