import { makeDurableDirectory, syncDirectory } from '@holdfast/event-store/reading';
import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { positionsError } from '../outlet.errors.js';

const IN_MEMORY = ':memory:';
/** Longest wait for another connection's write. It blocks the thread. */
const BUSY_TIMEOUT_MILLIS = 2_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS outlet (
    name TEXT PRIMARY KEY,
    log_id TEXT,
    position INTEGER NOT NULL DEFAULT 0,
    timeline TEXT,
    delivered INTEGER,
    furthest TEXT,
    paused INTEGER NOT NULL DEFAULT 0,
    disabled TEXT,
    diverged TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    error TEXT,
    ended TEXT,
    revision INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS token (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO token VALUES (1, 0);
`;

/** The one file of all outlets. What is committed is on the disk; a file that was removed is begun anew. */
export class SqliteOutletFile {
  private database: Database | undefined;
  private place: string | undefined;
  private readonly statements = new Map<string, Statement>();

  constructor(private readonly path: string) {}

  /** Where holders show that they are alive; undefined in memory, where they are of this process. */
  get locksPath(): string | undefined {
    return this.path === IN_MEMORY ? undefined : `${this.path}.lock`;
  }

  get(sql: string, ...values: readonly unknown[]): unknown {
    return this.prepare(sql).get(...values);
  }

  all(sql: string, ...values: readonly unknown[]): readonly unknown[] {
    return this.prepare(sql).all(...values);
  }

  run(sql: string, ...values: readonly unknown[]): number {
    return this.prepare(sql).run(...values).changes;
  }

  /** One look or one change, whole or not at all. Classifies what the database throws. */
  transaction<Result>(body: () => Result, kind: 'deferred' | 'immediate' = 'immediate'): Result {
    try {
      const database = this.opened();
      const result = database.transaction(body)[kind]();
      // What is committed to a removed file is nowhere, and nobody has been told of it yet.
      if (!this.isInPlace()) throw new Error('the file was removed or replaced');
      return result;
    } catch (error) {
      throw positionsError(this.path, error);
    }
  }

  close(): void {
    this.statements.clear();
    this.database?.close();
    this.database = undefined;
  }

  private prepare(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.opened().prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private opened(): Database {
    if (this.database !== undefined && this.isInPlace()) return this.database;
    this.close();
    if (this.path !== IN_MEMORY) makeDurableDirectory(dirname(this.path));
    const database = new SqliteDatabase(this.path, { timeout: BUSY_TIMEOUT_MILLIS });
    try {
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.exec(TABLES);
      // A file that a power cut takes away whole would have everything delivered again.
      if (this.path !== IN_MEMORY) syncDirectory(dirname(this.path));
    } catch (error) {
      database.close();
      throw error;
    }
    this.place = placeOf(this.path);
    this.database = database;
    return database;
  }

  private isInPlace(): boolean {
    return this.path === IN_MEMORY || placeOf(this.path) === this.place;
  }
}

function placeOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev}:${found.ino}`;
}
