import { ChoiceVariable, IntegerVariable, TextVariable } from './variable.js';

/** How read models are kept. */
export class ReadModelConfiguration {
  @ChoiceVariable('HOLDFAST_READ_MODEL_DIVERGED', {
    default: 'rebuild',
    meaning:
      'What happens to a read model of a history that the log no longer has, because the log was restored or replaced by an older copy. Queries are 503 `projection-lagging` from then on. `rebuild` rebuilds it from the log; `refuse` waits for an operator. A read model of another log is always refused. Tables of a new version of the read model replace it in either case, since they are built from the present log.',
    choices: ['rebuild', 'refuse'],
  })
  readonly diverged!: 'rebuild' | 'refuse';

  @ChoiceVariable('HOLDFAST_PROJECTION_BAD_EVENTS', {
    default: 'stop',
    meaning:
      'What happens when the projection cannot apply an event. `stop`: it stops there, and says so. `retry`: it stops after `HOLDFAST_PROJECTION_ATTEMPTS`. `quarantine`: after as many it sets the commit aside, with later ones that touch the same, and goes on.',
    choices: ['stop', 'retry', 'quarantine'],
  })
  readonly badEvents!: 'stop' | 'retry' | 'quarantine';

  @IntegerVariable('HOLDFAST_PROJECTION_ATTEMPTS', {
    default: 5,
    min: 1,
    max: 1_000,
    meaning:
      'How often `retry` and `quarantine` of `HOLDFAST_PROJECTION_BAD_EVENTS` try a commit, with pauses of up to five seconds. Restarts count on.',
  })
  readonly badEventAttempts!: number;

  @IntegerVariable('HOLDFAST_PROJECTION_QUARANTINE_EVENTS_MAX', {
    default: 1_000,
    min: 1,
    max: 1_000_000,
    meaning:
      'The most events that may wait in the quarantine. Before there are more, the projection stops.',
  })
  readonly quarantineEventsMax!: number;
}

/** Where read models are: the same for whoever fills them, queries them or takes care of them. */
export class ReadModelPlaceConfiguration {
  @TextVariable('HOLDFAST_READ_MODEL_URL', {
    default: '',
    meaning:
      'Keeps the read models in PostgreSQL: `postgres://user@host:5432/database?sslmode=verify-full`, in a database whose encoding is UTF8. A password is better given by `PGPASSWORD` or a password file. Empty: SQLite, in the data directory. Set it to the same for every process of an installation.',
    pattern: /^(?:postgres(?:ql)?:\/\/[\x21-\x7e]{1,2000})?$/,
    allowed: 'a postgres:// URL',
    secret: true,
  })
  readonly url!: string;

  @TextVariable('HOLDFAST_READ_MODEL_SCHEMA', {
    default: 'holdfast',
    meaning:
      'The schema of the catalog in PostgreSQL, and the beginning of the names of all schemas of read models. Installations that share a database have one each.',
    pattern: /^[a-z][a-z0-9]{0,19}$/,
    allowed: '1 to 20 lower-case letters and digits, starting with a letter',
  })
  readonly schema!: string;
}
