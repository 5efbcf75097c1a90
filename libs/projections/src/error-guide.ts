/** What an operator needs to know of a code: what has happened, what is safe, what to do. */
export interface ErrorAdvice {
  readonly meaning: string;
  readonly action: string;
}

/** One entry for each code of this library; `docs/operations.md` prints the same, which a test checks. */
export const PROJECTION_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  FEED_UNAVAILABLE: {
    meaning:
      'The log, or the service that serves its feed, is out of reach. The read model stays as it is and falls behind; nothing is skipped.',
    action:
      'Nothing, if the command service is being started: the worker tries again from where it stands. Otherwise look at that service, at the network, or at the volume of the log.',
  },
  FEED_REFUSED: {
    meaning:
      'The server of the feed does not serve this consumer: credentials, versions, or a floor under a name that may have none.',
    action:
      'Correct the credentials, start the versions that belong together, or name the consumer in HOLDFAST_FLOOR_CONSUMERS of the command service.',
  },
  FEED_DIVERGED: {
    meaning:
      'The read model was made from another log, or from a history of this one that was since replaced: by a restore, or by an older copy in its place. It is not followed, which would mix two truths, and queries get no answers from it (503).',
    action:
      'After a restore nothing: it is made anew from the log by itself, unless `HOLDFAST_READ_MODEL_DIVERGED=refuse`. Where the message names another log id, two installations were mixed up: find out which data directory is the right one. To go on with this log, stop the worker, remove its read model, start it.',
  },
  FEED_COMPACTED: {
    meaning:
      'The log no longer holds what follows the position of this read model: retention has removed it.',
    action:
      'Give the log its archive, or restore a backup that still has it, and rebuild the projection from there.',
  },
  FEED_INVALID: {
    meaning:
      'The feed sent what cannot be, such as a gap or events that go back. Nothing of it was applied.',
    action:
      'Run `holdfast wal verify` on the log. If that is sound, report it as a bug, with the message.',
  },
  FEED_PROTOCOL: {
    meaning: 'A consumer of the feed sent what the protocol does not allow; it was let go.',
    action: 'Look at which program and version connects there.',
  },
  PROJECTION_FAILED: {
    meaning:
      'The projection cannot apply a commit, which the message names. Everything before it is applied and durable; queries go on and show that moment.',
    action:
      'It is a mistake of the program: start one that can apply the event. The count of attempts is in the message.',
  },
  READ_MODEL_NOT_READY: {
    meaning:
      'There are no tables of this version of the projection that queries may see: they have not caught up with the log once yet, or they are not of this log. Queries are answered 503.',
    action:
      'The message says how far they have come, or why they are not shown. Look at the worker that fills them.',
  },
  READ_MODEL_UNAVAILABLE: {
    meaning:
      'The files of the read model cannot be read or written now: disk full, permissions, too many open files, or they were removed.',
    action: 'Free space, or mend what the message names. The worker goes on by itself.',
  },
  READ_MODEL_DAMAGED: {
    meaning: 'The database finds its own file damaged. The log is not concerned.',
    action:
      'Stop the worker, remove the read model and start it: it is made again from the log. Then look at the disk.',
  },
  READ_MODEL_NEWER: {
    meaning: 'A newer version of the projection has made the read model, or is filling it.',
    action:
      'Start the newer version. To go back, stop its worker and remove the read model: it is made again from the log.',
  },
  READ_MODEL_FENCED: {
    meaning:
      'Another worker has taken this read model over, or a rebuild has replaced its tables. Nothing is lost.',
    action: 'Nothing: the worker waits for its turn.',
  },
  READ_MODEL_CONFLICT: {
    meaning:
      'The position of the read model is not where this worker left it, so it wrote nothing.',
    action:
      'Nothing, if it happens once: the worker begins again from the stored position. If it repeats, somebody else writes to these files.',
  },
};
