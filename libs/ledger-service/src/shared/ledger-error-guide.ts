import type { ErrorAdvice } from '@holdfast/wal';

/** One entry for each code of the ledger, its service and its administration, beside those of operations; `docs/operations.md` prints the same, which a test checks. */
export const LEDGER_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  LEDGER_EVENT_UNKNOWN: {
    meaning:
      'The log holds an event that this ledger does not know: a newer version wrote it, or the log is not one of a ledger. To skip it would be to forget money, so the service does not start (78).',
    action: 'Start the newer version again, or name the right data directory.',
  },
  QUERIES_FULL: {
    meaning: 'More queries wait for a thread than may wait (429). Commands are not concerned.',
    action:
      'Clients ask again. If it stays so, ask for smaller pages, or let query services of their own answer.',
  },
  QUERY_THREAD_ENDED: {
    meaning:
      'The thread that answered this query ended, or the service is stopping (503). Commands are not concerned, and no answer is wrong.',
    action:
      'Clients ask again: another thread is begun. If it repeats, the cause is in the log: report it as a bug.',
  },
  QUERIES_SLOW: {
    meaning:
      'The read model could not be looked at in time: queries that take long keep every thread of queries, or the files of the read model do not answer. Health is degraded and says how old the last look is; commands are not concerned.',
    action:
      'If it stays so, ask for smaller pages or let query services of their own answer, and look at the disk of the read model.',
  },
  POSTGRES_CLIENT_MISSING: {
    meaning:
      '`HOLDFAST_READ_MODEL_URL` is set, and the package `pg` is not installed. The service does not start (78).',
    action: 'Install it (`npm install pg`), or unset the variable: then read models are in SQLite.',
  },
  POSTGRES_URL_INVALID: {
    meaning:
      '`HOLDFAST_READ_MODEL_URL` is no URL that PostgreSQL takes, names a certificate that cannot be read, or has a `@` behind the first `/`, `?` or `#`, as a password does that is not escaped. The service does not start (78). The URL is not shown, because it may hold a password.',
    action:
      'Correct it. Characters such as `@`, `/` and `%` in a user or password are written as `%40`, `%2F` and `%25`.',
  },
  ADMIN_TOKEN_MISSING: {
    meaning:
      'The admin API is to listen where others can reach it, and has no token. The service does not start (78).',
    action: 'Set `HOLDFAST_ADMIN_TOKEN_FILE`, or leave `HOLDFAST_ADMIN_HOST` on loopback.',
  },
  ADMIN_TOKEN_INVALID: {
    meaning: 'The token has fewer than 16 characters, or its file cannot be read.',
    action: 'Make a new one: `openssl rand -hex 32`.',
  },
  PORT_IN_USE: {
    meaning:
      'The port that the service is to listen on belongs to another process (75). Nothing was made or changed.',
    action:
      'Look which one it is (`ss -ltnp`): perhaps a Holdfast that runs already. End it, or give this one another port by the variable that the message names.',
  },
  PORT_UNUSABLE: {
    meaning:
      'The service cannot listen where it is to: the host is not an address of this machine, the port is one that its user may not have, or two variables name one port (78). Nothing was made or changed.',
    action:
      'Correct `HOLDFAST_HTTP_HOST`, `HOLDFAST_ADMIN_HOST`, or the port that the message names.',
  },
};
