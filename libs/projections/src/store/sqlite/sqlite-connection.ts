import SqliteDatabase, { type Database } from 'better-sqlite3';
import { existsSync, statSync } from 'node:fs';
import { classified, unavailable } from '../../read-model.errors.js';
import { SqliteStatements } from './sqlite-statements.js';
import type { SqliteStatement } from './sqlite-transaction.js';

export interface ConnectionOptions {
  readonly readonly?: boolean;
}

/** Longest wait for another connection's write to the same file. It blocks the thread. */
export const BUSY_TIMEOUT_MILLIS = 2_000;
/** Pages of the write-ahead log before SQLite moves them into the database: 16 MiB, and rare enough for a catch-up. */
const CHECKPOINT_PAGES = 4_000;
const CACHE_KIBIBYTES = 32 * 1024;

/** One connection to one SQLite file, with each statement compiled once. */
export class SqliteConnection {
  readonly database: Database;
  private readonly statements: SqliteStatements;
  private readonly device: number;
  private readonly inode: number;

  /** Throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
  constructor(
    readonly path: string,
    { readonly = false }: ConnectionOptions = {},
  ) {
    let database: Database | undefined;
    try {
      database = new SqliteDatabase(path, { readonly, timeout: BUSY_TIMEOUT_MILLIS });
      this.database = database;
      this.statements = new SqliteStatements(database);
      this.database.pragma(`cache_size = -${CACHE_KIBIBYTES}`);
      if (!readonly) {
        this.database.pragma('journal_mode = WAL');
        // A commit is on disk when it returns. NORMAL: a crash may take back the last commits, but never part of one.
        this.database.pragma('synchronous = FULL');
        this.database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      }
      ({ dev: this.device, ino: this.inode } = statSync(path));
    } catch (error) {
      // What is tried again and again must not keep a descriptor each time.
      database?.close();
      throw classified(path, error);
    }
  }

  /** A connection that only reads, to a file that is there and that its writer has finished making. */
  static openedIf(
    path: string,
    isMade: (connection: SqliteConnection) => boolean,
  ): SqliteConnection | undefined {
    if (!existsSync(path)) return undefined;
    const connection = new SqliteConnection(path, { readonly: true });
    let made = false;
    try {
      made = connection.read(() => isMade(connection));
    } finally {
      if (!made) connection.close();
    }
    return made ? connection : undefined;
  }

  /** One look at a file that is there and that its writer has finished making. */
  static reading<Result>(
    path: string,
    isMade: (connection: SqliteConnection) => boolean,
    look: (connection: SqliteConnection) => Result,
  ): Result | undefined {
    const connection = SqliteConnection.openedIf(path, isMade);
    try {
      return connection?.read(() => look(connection));
    } finally {
      connection?.close();
    }
  }

  /** As `SqliteTransaction.prepare`. */
  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): SqliteStatement<Parameters, Row> {
    return this.statements.prepare(sql);
  }

  /** Runs the body in a write transaction; everything or nothing. Classifies what the database throws. */
  transaction<Result>(body: () => Result): Result {
    try {
      this.begin('IMMEDIATE');
      const result = body();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw classified(this.path, error);
    }
  }

  /** Reads, and classifies what the database throws: outside a transaction it may be busy or out of descriptors as well. */
  read<Result>(body: () => Result): Result {
    try {
      return body();
    } catch (error) {
      throw classified(this.path, error);
    }
  }

  /** With rows of an earlier call that somebody still holds, SQLite begins nothing. */
  begin(kind: 'DEFERRED' | 'IMMEDIATE'): void {
    this.statements.closeIterators();
    this.prepare(`BEGIN ${kind}`).run();
  }

  commit(): void {
    this.statements.closeIterators();
    this.prepare('COMMIT').run();
  }

  /** Some failures have already ended the transaction. Throws `READ_MODEL_UNAVAILABLE`, and then the connection is of no use any more. */
  rollback(): void {
    try {
      this.statements.closeIterators();
      if (this.database.inTransaction) this.prepare('ROLLBACK').run();
    } catch (error) {
      throw unavailable(this.path, error);
    }
  }

  waitAtMost(busyMillis: number): void {
    this.database.pragma(`busy_timeout = ${busyMillis}`);
  }

  /** Whether the file at the path is still the open one: a deleted file goes on taking writes and nobody would know. */
  isInPlace(): boolean {
    const found = this.read(() => statSync(this.path, { throwIfNoEntry: false }));
    return found?.ino === this.inode && found.dev === this.device;
  }

  /** Throws `READ_MODEL_UNAVAILABLE`. */
  close(): void {
    try {
      this.statements.closeIterators();
      this.database.close();
    } catch (error) {
      throw unavailable(this.path, error);
    }
  }
}
