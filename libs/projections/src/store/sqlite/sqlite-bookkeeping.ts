import type { Position } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import type { FeedCursor } from '../../event-feed.js';
import { SqliteConnection } from './sqlite-connection.js';

/** The projection's position and lease, in the same file and so in the same transactions as its tables. */
export interface Bookkeeping {
  readonly log_id: string | null;
  readonly position: number;
  readonly timeline: string | null;
  readonly token: number;
  readonly owner: string | null;
  readonly lease_until: number;
  readonly attempts: number;
  readonly error: string | null;
}

const EXISTS = `SELECT 1 FROM sqlite_schema WHERE name = 'holdfast_projection'`;
const BOOKKEEPING = `
  SELECT log_id, position, timeline, token, owner, lease_until, attempts, error FROM holdfast_projection
`;

/** Whether a file's tables have been made. */
export function isPrepared(connection: SqliteConnection): boolean {
  return connection.prepare(EXISTS).get() !== undefined;
}

/** Whether these tables were made for this projection: a catalog that was removed or put back counts its generations anew, over files that are there. */
export function isOf(
  connection: SqliteConnection,
  { name, version }: { readonly name: string; readonly version: number },
): boolean {
  const made = `SELECT 1 FROM holdfast_projection WHERE name = ? AND version = ?`;
  return connection.prepare(made).get(name, version) !== undefined;
}

/** A file that was made before there was this mark has none: it is taken for caught up. */
const CATCHING_UP = 1;

/** Of tables that have just been made: whatever a catalog says of them, they are not live. */
export function markCatchingUp({ database }: SqliteConnection): void {
  database.pragma(`user_version = ${CATCHING_UP}`);
}

/** Before a catalog calls the tables live. */
export function markCaughtUp({ database }: SqliteConnection): void {
  database.pragma('user_version = 0');
}

/** Whether a file's tables are whole: a catalog may be of another time than the file, which was removed and made anew. */
export function hasCaughtUp(connection: SqliteConnection): boolean {
  const isMarked = connection.database.pragma('user_version', { simple: true }) === CATCHING_UP;
  return !isMarked && isPrepared(connection);
}

export function bookkeepingOf(connection: SqliteConnection): Bookkeeping {
  return defined(
    connection.prepare<[], Bookkeeping>(BOOKKEEPING).get(),
    'the one row of a generation',
  );
}

/** Of the tables at a path. Undefined where there are none, or none that can be read now. */
export function bookkeepingAt(path: string): Bookkeeping | undefined {
  try {
    return SqliteConnection.reading(path, isPrepared, bookkeepingOf);
  } catch {
    return undefined;
  }
}

export function cursorOf({ log_id, position, timeline }: Bookkeeping): FeedCursor | undefined {
  if (log_id === null || timeline === null) return undefined;
  return { logId: log_id, position: position as Position, timeline };
}
