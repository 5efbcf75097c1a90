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
  OUTLET_NATS_UNREACHABLE: {
    meaning:
      'The NATS server cannot be reached, or the connection broke. Nothing is lost: the relay tries again and asks the stream how far it came.',
    action: 'Check the address, the server and the network.',
  },
  OUTLET_NATS_REFUSED: {
    meaning:
      'The NATS server refuses the credentials, or this user may not publish the subject or ask for the stream.',
    action:
      'Correct the credentials. The user needs to publish the subjects of the relay, `$JS.API.INFO`, `$JS.API.STREAM.INFO.<stream>` and `$JS.API.STREAM.MSG.GET.<stream>`, and to subscribe `_INBOX.>`.',
  },
  OUTLET_NATS_NO_JETSTREAM: {
    meaning: 'The NATS server, or the account, has no JetStream.',
    action: 'Enable it: `jetstream {}` in the configuration of the server, or for the account.',
  },
  OUTLET_NATS_NO_STREAM: {
    meaning:
      'The stream does not exist, or does not take a subject of the relay; the message says which.',
    action: 'Make the stream with these subjects: `docs/guides/outlets.md` has the command.',
  },
  OUTLET_NATS_FULL: {
    meaning: 'The stream is full and refuses new messages, or the server has no room.',
    action:
      'Raise the limits of the stream or the server, or let the stream discard old messages. The relay goes on by itself.',
  },
  OUTLET_NATS_SLOW: {
    meaning:
      'The server did not acknowledge in time. What it stored nevertheless is not published again.',
    action: 'Nothing, if it passes. Otherwise look at the disk and the load of the server.',
  },
  OUTLET_NATS_TOO_LARGE: {
    meaning:
      'An event is larger than the server or the stream takes. No later event is published before it.',
    action:
      'Raise `max_payload` of the server or `max_msg_size` of the stream. To leave the event out: `holdfast outlets move` behind it.',
  },
  OUTLET_NATS_STREAM_FOREIGN: {
    meaning:
      'The stream holds what does not belong there; the message says what: messages of somebody else, the events of another log, another history or another filter. Nothing was published behind it.',
    action:
      'Give the relay a stream that nobody else publishes to. After the positions were lost or the filter was changed: purge the stream, or make another.',
  },
  OUTLET_NATS_STREAM_BEHIND: {
    meaning:
      'The stream ends before what it has acknowledged: the server lost it (by default it syncs every two minutes, and acknowledges before), or the stream was purged of it or made anew. Nothing was published behind the gap.',
    action:
      '`holdfast outlets move <name> <position>` to the position that the stream ends with, which the message names: what is missing is published again. To leave it missing, move to where the outlet stands. Let the server sync always (`sync_interval: always`).',
  },
};
