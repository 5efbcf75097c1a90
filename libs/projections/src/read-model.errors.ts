import { CodedError, type ErrorDetails, errorCode, errorMessage } from '@holdfast/kernel';

/** Another worker has a higher token: this one must ask for a lease again before it writes anything more. */
export function fenced(details: ErrorDetails): CodedError {
  return new CodedError(
    'READ_MODEL_FENCED',
    'another worker has taken over this read model',
    details,
  );
}

/** The lease is ours, but the read model is not where this worker left it. */
export function conflict(details: ErrorDetails): CodedError {
  return new CodedError(
    'READ_MODEL_CONFLICT',
    'another process moved the position of the read model',
    details,
  );
}

/** An operator wants nothing to be applied until the projection is resumed. */
export function paused(projection: string): CodedError {
  return new CodedError('READ_MODEL_PAUSED', `the projection ${projection} is paused`, {
    projection,
  });
}

/** A read model that was waited for. `state` says why it is behind. */
export function lagging(projection: string, position: number, state: string): CodedError {
  return new CodedError(
    'PROJECTION_LAGGING',
    `${projection} has not come as far as ${position}: ${state}`,
    { projection, position },
  );
}

/** The disk or the database refuses for now: trying again from the stored position is right. */
export function unavailable(path: string, cause: unknown): CodedError {
  return new CodedError(
    'READ_MODEL_UNAVAILABLE',
    `the read model ${path} cannot be written: ${errorMessage(cause)}`,
    { path },
    { cause },
  );
}

export function damaged(path: string, cause: unknown): CodedError {
  return new CodedError(
    'READ_MODEL_DAMAGED',
    `the read model ${path} is damaged (${errorMessage(cause)}); rebuild the projection`,
    { path },
    { cause },
  );
}

/** A program of an older version must not take a read model back by itself. */
export function newer(name: string, version: number, newerVersion: number): CodedError {
  return new CodedError(
    'READ_MODEL_NEWER',
    `the read model ${name} is of version ${newerVersion} and this program makes version ${version}; rebuild it on purpose to go back`,
    { name, version, newerVersion },
  );
}

/** What the tables of another program of the same version hold is not what this one would have made. */
export function changed(
  { name, version }: { readonly name: string; readonly version: number },
  tables: readonly string[],
): CodedError {
  return new CodedError(
    'READ_MODEL_CHANGED',
    `the read model ${name} of version ${version} was made with another definition of ${tables.join(', ')} than this program has: raise the version to ${version + 1}, and it is made anew from the log`,
    { name, version, tables: tables.join(', ') },
  );
}

/** Whatever else ends a projection: a bug of its program, such as tables that the database refuses to make. */
export function cannotGoOn(name: string, cause: unknown): CodedError {
  return new CodedError(
    'PROJECTION_FAILED',
    `the projection ${name} cannot go on: ${errorMessage(cause)}`,
    { projection: name },
    { cause },
  );
}

/** So much is wrong that it is no matter of single commits. */
export function quarantineFull(
  name: string,
  found: {
    readonly position: number;
    readonly waiting: number;
    readonly eventsMax: number;
    readonly error?: string | undefined;
  },
): CodedError {
  const { position, waiting, eventsMax, error } = found;
  const why = error === undefined ? 'which waits behind another' : `which is refused: ${error}`;
  return new CodedError(
    'PROJECTION_FAILED',
    `the quarantine of the projection ${name} is full: ${waiting} of at most ${eventsMax} events wait, and there is no room for the commit at position ${position}, ${why}`,
    { projection: name, position, waiting, eventsMax },
  );
}

/** Tables that were filled lack what the live ones have. */
export function lacksMore(
  name: string,
  generation: number,
  { position, error }: { readonly position: number; readonly error: string | undefined },
): CodedError {
  return new CodedError(
    'PROJECTION_FAILED',
    `the projection ${name} does not switch to generation ${generation}: the commit at position ${position} waits in its quarantine, and the live tables have it${error === undefined ? '' : ` (${error})`}`,
    { projection: name, generation, position },
  );
}

export function tablesRefused(name: string, statement: string, cause: unknown): CodedError {
  return new CodedError(
    'PROJECTION_FAILED',
    `SQLite refuses the tables of the projection ${name}: ${errorMessage(cause)}`,
    { projection: name, statement },
    { cause },
  );
}

/** Nothing that queries may see, and why if anything is known of it. */
export function notReady(
  { name, version }: { readonly name: string; readonly version: number },
  why?: string,
): CodedError {
  const because = why ? `: ${why}` : '';
  return new CodedError(
    'READ_MODEL_NOT_READY',
    `there is no read model ${name} of version ${version} yet${because}`,
    { name, version },
  );
}

const UNAVAILABLE =
  /^(SQLITE_(FULL|IOERR|BUSY|LOCKED|CANTOPEN|READONLY|NOMEM|PROTOCOL)|ENOSPC|EIO|EMFILE|ENFILE|ENOMEM|EDQUOT|EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST|ESTALE)/;
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)/;

/** What the database threw as what its caller must do; an error that is not the database's stays as it is. */
export function classified(path: string, error: unknown): unknown {
  const code = errorCode(error) ?? '';
  if (UNAVAILABLE.test(code)) return unavailable(path, error);
  if (DAMAGED.test(code)) return damaged(path, error);
  return error;
}

/** Another connection is writing; also when that has been classified already. */
export function isBusy(error: unknown): boolean {
  const cause = error instanceof CodedError ? error.cause : error;
  return errorCode(cause)?.startsWith('SQLITE_BUSY') ?? false;
}
