import type { ErrorAdvice } from '@holdfast/projections';

/** One entry for each code of this library; `docs/operations.md` prints the same, which a test checks. */
export const OUTLET_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  OUTLET_FAILED: {
    meaning:
      'The other side did not take what comes next; the message says why. The outlet tries again from the same position, with growing pauses, and nothing else waits for it.',
    action:
      'Mend what the message names. The outlet goes on by itself. Look at its lag: the log keeps what was not delivered.',
  },
  OUTLET_DISABLED: {
    meaning:
      'The outlet gave up after failures that trying again does not mend; the message says which. The log keeps what was not delivered.',
    action: 'Mend what the message names, then `holdfast outlets resume`.',
  },
  OUTLET_DIVERGED: {
    meaning:
      'The log was restored or replaced: what was delivered is of another log, or of a history that ended. The outlet delivers nothing of the new history by itself.',
    action:
      'Find out up to which position both histories are the same: the position that the log was restored to. Then `holdfast outlets accept <name> <position>`: the other side is told that what it has after it is void, and gets what follows.',
  },
  OUTLET_NOT_DIVERGED: {
    meaning:
      'There is nothing to accept: the outlet follows the log as it is. Nothing was changed.',
    action: 'To deliver again from a position: `holdfast outlets move`.',
  },
  OUTLET_FENCED: {
    meaning: 'Another process delivers to this outlet, or it was removed. Nothing is lost.',
    action: 'Nothing: the process waits for its turn.',
  },
  OUTLET_MOVED: {
    meaning: 'An operator has moved, paused or disabled the outlet while it delivered.',
    action: 'Nothing: it goes on from where it was moved to.',
  },
  OUTLET_UNKNOWN: {
    meaning: 'No outlet of this name has ever delivered or been moved. Nothing was changed.',
    action: 'Look at `holdfast outlets list`.',
  },
  OUTLET_INVALID: {
    meaning: 'A name that an outlet cannot have. Nothing was changed.',
    action:
      'Choose one of 1 to 63 lower-case letters, digits and hyphens that begins with a letter.',
  },
  OUTLET_POSITIONS_UNAVAILABLE: {
    meaning:
      'The file with the positions of the outlets cannot be read or written now: disk full, permissions, too many open files, or removed. Nothing is delivered meanwhile, and nothing is lost.',
    action: 'Free space, or fix what the message names. The outlets go on by themselves.',
  },
  OUTLET_POSITIONS_DAMAGED: {
    meaning:
      'The database reports the file with the positions of the outlets as damaged. The log is not affected.',
    action:
      'Stop the process, put the file back from a backup, or remove it: then each outlet begins at the beginning of the log and everything is delivered again. Check the disk.',
  },
};
