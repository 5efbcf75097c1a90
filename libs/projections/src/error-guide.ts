/** What an operator needs to know of a code: what has happened, what is safe, what to do. */
export interface ErrorAdvice {
  readonly meaning: string;
  readonly action: string;
}

/** One entry for each code of this library; `docs/operations.md` prints the same, which a test checks. */
export const PROJECTION_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  FEED_UNAVAILABLE: {
    meaning:
      'The log, or the service that serves its feed, cannot be reached. The read model stays as it is and falls behind; nothing is skipped.',
    action:
      "Nothing, if the command service is starting: the worker retries from its position. Otherwise check that service, the network, or the log's volume.",
  },
  FEED_REFUSED: {
    meaning:
      "The feed's server does not serve this consumer: a wrong token or version, or a floor under a name that may not have one.",
    action:
      'Give both ends the same `HOLDFAST_FEED_TOKEN` and start them again, start matching versions, or add the consumer to HOLDFAST_FLOOR_CONSUMERS of the command service.',
  },
  FEED_SECURITY_INVALID: {
    meaning:
      'The key, a certificate or the token of the feed cannot be read, is of no use, or one goes without the other. The process has not started, so that nothing is served in plain text that was to be encrypted.',
    action:
      'Correct what the message names: the `HOLDFAST_FEED_TLS_…` and `HOLDFAST_FEED_TOKEN…` variables.',
  },
  FEED_DIVERGED: {
    meaning:
      'The read model was made from another log, or from a history of this log that was replaced since: by a restore, or by an older copy. Following would mix two histories, so it stops, and queries on it are 503.',
    action:
      'After a restore, nothing: it is rebuilt from the log by itself, unless `HOLDFAST_READ_MODEL_DIVERGED=refuse`. If the message names another log id, two installations were mixed up: find out which data directory is right. To continue with this log, stop the worker, remove its read model, start it.',
  },
  FEED_COMPACTED: {
    meaning: "Retention has removed the events that follow this read model's position.",
    action:
      'Give the log its archive, or restore a backup that still has the events, and rebuild the projection from there.',
  },
  FEED_INVALID: {
    meaning:
      'The feed sent something impossible, such as a gap or events that go back. Nothing of it was applied.',
    action:
      'Run `holdfast wal verify` on the log. If that is sound, report it as a bug, with the message.',
  },
  FEED_PROTOCOL: {
    meaning: 'A consumer of the feed broke the protocol and was disconnected.',
    action: 'Check which program and version connects there.',
  },
  PROJECTION_FAILED: {
    meaning:
      'The projection cannot apply a commit, its quarantine is full, or the database refuses its tables; the message says which. Everything before it is applied and durable; queries go on and show that moment.',
    action:
      'It is a bug of the program: start one that is mended. Commands go on. With `HOLDFAST_PROJECTION_BAD_EVENTS=quarantine` it goes on without what it cannot apply.',
  },
  PROJECTION_THREAD_ENDED: {
    meaning:
      'The projection runs as a thread of the process that does everything, and ended without being told to. The process ends as well, because half a service would look whole.',
    action:
      'Let the supervisor start it again: nothing is lost, and the projection goes on where its read model stands. If it happens again, look at the lines of `thread: projection` before it, and at the memory that the machine has left.',
  },
  PROJECTION_LAGGING: {
    meaning: 'A read model was waited for, and is not as far yet.',
    action: 'Wait longer. The message says what the projection does.',
  },
  READ_MODEL_NOT_READY: {
    meaning:
      'Queries may not see any tables of this version of the projection yet: the tables have never caught up with the log, or belong to another log. Queries are answered 503.',
    action:
      'The message says how far they have come, or why they are hidden. Check the worker that fills them.',
  },
  READ_MODEL_UNAVAILABLE: {
    meaning:
      'The files of the read model, or its database, cannot be read or written now: disk full, permissions, too many open files or connections, out of reach, or removed.',
    action: 'Free space, or fix what the message names. The worker continues by itself.',
  },
  READ_MODEL_DAMAGED: {
    meaning: 'The database reports its own file as damaged. The log is not affected.',
    action:
      'Stop the worker, remove the read model and start it: it is rebuilt from the log. Then check the disk.',
  },
  READ_MODEL_NEWER: {
    meaning:
      'A newer version of the projection has built tables or is filling them, and there are none of this version.',
    action:
      'Start the newer version. To go back, stop its worker and remove the read model: it is rebuilt from the log.',
  },
  READ_MODEL_CHANGED: {
    meaning:
      'The program has other statements for the tables of the projection than those that made them, under the same version. The read model stays as it is.',
    action:
      'Raise the `version` of the projection: new tables are filled from the log and take the place of the old ones. Or go back to the statements of before.',
  },
  READ_MODEL_FENCED: {
    meaning:
      'Another worker has taken over this read model, or a rebuild has replaced its tables. Nothing is lost.',
    action: 'Nothing: the worker waits for its turn.',
  },
  READ_MODEL_PAUSED: {
    meaning: 'An operator has paused the projection. Queries go on with what is there.',
    action: 'Nothing, or `holdfast projections resume`: the worker goes on by itself then.',
  },
  READ_MODEL_CONFLICT: {
    meaning:
      'The position of the read model is not where this worker left it, so it wrote nothing.',
    action:
      'Nothing, if it happens once: the worker restarts from the stored position. If it repeats, another program writes to these files.',
  },
};
