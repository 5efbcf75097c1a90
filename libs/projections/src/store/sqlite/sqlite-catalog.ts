import { makeDurableDirectory } from '@holdfast/event-store/reading';
import type { Clock } from '@holdfast/kernel';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { classified, fenced, newer } from '../../read-model.errors.js';
import type { ReadModelTarget } from '../../read-model-store.js';
import { SqliteConnection } from './sqlite-connection.js';
import { ORDER_TABLES, SqliteOrders } from './sqlite-orders.js';

export interface Generation {
  readonly id: number;
  readonly version: number;
  readonly state: 'filling' | 'live' | 'retired';
}

/** One that is not on its way out, and since when it is live. */
export interface StandingGeneration extends Generation {
  readonly state: 'filling' | 'live';
  readonly promotedAtMillis: number | null;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS generation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('filling', 'live', 'retired')),
    retired_at INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS refusal (
    generation INTEGER PRIMARY KEY,
    reason TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS pause (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER NOT NULL
  ) STRICT;
`;

/**
 * One live generation and one that is being filled, of each version. A catalog of a program that knew one of each over all versions has an index of the same name, and that program
 * leaves the new one as it finds it.
 */
const ONE_OF_EACH = `CREATE UNIQUE INDEX one_of_each ON generation (version, state) WHERE state <> 'retired'`;
const HAS_ONE_OF_EACH = `SELECT 1 FROM sqlite_schema WHERE name = 'one_of_each' AND sql LIKE '%(version, state)%'`;
/** When a generation became the live one; null for those of before there was this column. */
const HAS_PROMOTED_AT = `SELECT 1 FROM pragma_table_info('generation') WHERE name = 'promoted_at'`;

export function catalogPath(directory: string, projection: string): string {
  return join(directory, projection, 'catalog.sqlite');
}

export function generationPath(directory: string, projection: string, id: number): string {
  return join(directory, projection, `generation-${String(id).padStart(6, '0')}.sqlite`);
}

/** Whether a catalog's writer has finished making it. */
export function hasGenerations(connection: SqliteConnection): boolean {
  const table = connection.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'generation'`);
  return table.get() !== undefined;
}

export const LIVE_GENERATION = `SELECT id, version, state FROM generation WHERE state = 'live' AND version = ?`;
export const FILLING_GENERATION = `SELECT id, version, state FROM generation WHERE state = 'filling' AND version = ?`;
/** The newest first. */
export const LIVE_VERSIONS = `SELECT version FROM generation WHERE state = 'live' ORDER BY version DESC`;
const NEWEST_VERSION = `SELECT max(version) AS version FROM generation WHERE state <> 'retired'`;
/** Tables of a version of which a newer one has been live since then. */
const SUPERSEDED = `
  SELECT id, version, state FROM generation old
  WHERE state <> 'retired' AND EXISTS (
    SELECT 1 FROM generation newer WHERE newer.state = 'live' AND newer.version > old.version AND coalesce(newer.promoted_at, 0) <= ?
  )
`;

/** A catalog of an older program has no such table until a worker of this one opens it. */
export function hasRefusals(connection: SqliteConnection): boolean {
  return (
    connection.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'refusal'`).get() !== undefined
  );
}

export const REFUSAL = `SELECT reason FROM refusal WHERE generation = ?`;

/**
 * Which sets of a projection's tables are live, which are being filled, and which are on their way out. Versions stand side by side: of each at most one set is live and at
 * most one is being filled; the database itself sees to that. Tables are live once they have caught up with the log, and never before: that they are is the
 * record of it. Switching is one transaction here, and nowhere else.
 */
export class SqliteCatalog {
  private connection: SqliteConnection;

  /** Throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
  constructor(
    private readonly directory: string,
    private readonly projection: string,
    private readonly clock: Clock,
  ) {
    this.connection = this.connect();
  }

  pathOf(id: number): string {
    return generationPath(this.directory, this.projection, id);
  }

  get orders(): SqliteOrders {
    return new SqliteOrders(this.connection);
  }

  isInPlace(): boolean {
    return this.connection.isInPlace();
  }

  /** A read model may be deleted under a running worker, which then starts it anew. */
  reopenIfRemoved(): void {
    if (this.isInPlace()) return;
    this.connection.close();
    this.connection = this.connect();
  }

  live(version: number): Generation | undefined {
    return this.connection.read(() =>
      this.connection.prepare<[number], Generation>(LIVE_GENERATION).get(version),
    );
  }

  /** What is not on its way out. */
  generations(): readonly StandingGeneration[] {
    const sql = `SELECT id, version, state, promoted_at AS promotedAtMillis FROM generation WHERE state <> 'retired' ORDER BY id`;
    return this.connection.read(() => this.connection.prepare<[], StandingGeneration>(sql).all());
  }

  isPaused(): boolean {
    const sql = 'SELECT 1 FROM pause';
    return this.connection.read(() => this.connection.prepare(sql).get() !== undefined);
  }

  setPaused(paused: boolean): void {
    this.connection.transaction(() => {
      if (paused)
        this.connection
          .prepare('INSERT OR IGNORE INTO pause VALUES (1, ?)')
          .run(this.clock.nowMillis());
      else this.connection.prepare('DELETE FROM pause').run();
    });
  }

  /** Of the versions before this one. */
  liveBefore(version: number): readonly Generation[] {
    return this.generations().filter((one) => one.state === 'live' && one.version < version);
  }

  stateOf(id: number): Generation['state'] | undefined {
    const state = 'SELECT state FROM generation WHERE id = ?';
    return this.connection.read(() =>
      this.connection.prepare<[number], Pick<Generation, 'state'>>(state).get(id),
    )?.state;
  }

  /** The generation that a worker is to fill. Throws `READ_MODEL_NEWER`. */
  choose(target: ReadModelTarget, version: number): Generation {
    return this.connection.transaction(() => {
      const live = this.live(version);
      if (target === 'live' && live !== undefined) return live;
      const filling = this.connection
        .prepare<[number], Generation>(FILLING_GENERATION)
        .get(version);
      if (filling !== undefined) return filling;
      // An older program goes on with tables of its own while there are any, and never begins new ones by itself: it may be the one that was forgotten.
      const newest = this.connection.prepare<[], { version: number | null }>(NEWEST_VERSION).get();
      if (target === 'live' && (newest?.version ?? 0) > version)
        throw newer(this.projection, version, newest?.version ?? 0);
      return this.add(version);
    });
  }

  /**
   * The switch, from the live generation of its version that its caller has compared itself with: false when that is not the live one any more. Throws `READ_MODEL_FENCED`
   * for a generation that was given up: it never replaces another.
   */
  promote({ id, version }: Pick<Generation, 'id' | 'version'>, over: number | undefined): boolean {
    return this.connection.transaction(() => {
      const state = this.stateOf(id);
      if (state !== 'filling') throw fenced({ generation: id, state: state ?? 'removed' });
      const live = this.live(version);
      if (live?.id !== over) return false;
      if (live !== undefined) this.retire(live);
      this.connection
        .prepare(`UPDATE generation SET state = 'live', promoted_at = ? WHERE id = ?`)
        .run(this.clock.nowMillis(), id);
      return true;
    });
  }

  /**
   * Retires the tables of older versions, once a newer one has been live for so long and nobody has held a lease on them since. A worker that takes them at this very moment
   * is fenced: it has come too late.
   */
  retireSuperseded(sinceMillis: number, isKept: (path: string) => boolean): void {
    const superseded = this.connection.read(() =>
      this.connection.prepare<[number], Generation>(SUPERSEDED).all(sinceMillis),
    );
    for (const { id } of superseded) if (!isKept(this.pathOf(id))) this.giveUp(id);
  }

  /** Queries see it no more, and its worker begins another one. False when that has been so. */
  giveUp(id: number): boolean {
    return this.connection.transaction(() => this.retire({ id }));
  }

  /** Its file is another's, who may be using it: the file stays, and a worker begins another generation. */
  disown(id: number): void {
    this.connection.transaction(() =>
      this.connection.prepare('DELETE FROM generation WHERE id = ?').run(id),
    );
  }

  /** Queries are told the reason instead of answers, until `accept`. */
  refuse(id: number, reason: string): void {
    this.connection.transaction(() =>
      this.connection.prepare('INSERT OR REPLACE INTO refusal VALUES (?, ?)').run(id, reason),
    );
  }

  refusalOf(id: number): string | undefined {
    const refusal = this.connection.read(() =>
      this.connection.prepare<[number], { readonly reason: string }>(REFUSAL).get(id),
    );
    return refusal?.reason;
  }

  accept(id: number): void {
    this.connection.transaction(() =>
      this.connection.prepare('DELETE FROM refusal WHERE generation = ?').run(id),
    );
  }

  /** Removes what was retired before the time given. Queries that still read a file keep it until they close it. */
  sweep(beforeMillis: number): void {
    const retired = `SELECT id FROM generation WHERE state = 'retired' AND retired_at <= ?`;
    const due = this.connection.read(() =>
      this.connection.prepare<[number], Pick<Generation, 'id'>>(retired).all(beforeMillis),
    );
    for (const { id } of due) {
      // Crash here: the row is still there, and the next sweep goes on.
      for (const suffix of ['', '-wal', '-shm', '.lock'])
        this.connection.read(() => rmSync(this.pathOf(id) + suffix, { force: true }));
      this.connection.transaction(() => {
        this.connection.prepare('DELETE FROM generation WHERE id = ?').run(id);
        this.connection.prepare('DELETE FROM refusal WHERE generation = ?').run(id);
        this.connection.prepare('DELETE FROM quarantine_release WHERE generation = ?').run(id);
      });
    }
  }

  close(): void {
    this.connection.close();
  }

  private connect(): SqliteConnection {
    const path = catalogPath(this.directory, this.projection);
    try {
      // SQLite syncs its files' names in here. What a consumer said that it holds may be removed from the log, so the name of this directory has to stay too.
      makeDurableDirectory(dirname(path));
    } catch (error) {
      throw classified(path, error);
    }
    const connection = new SqliteConnection(path);
    try {
      connection.transaction(() => prepareCatalog(connection));
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private retire({ id }: Pick<Generation, 'id'>): boolean {
    const { changes } = this.connection
      .prepare(
        `UPDATE generation SET state = 'retired', retired_at = ? WHERE id = ? AND state <> 'retired'`,
      )
      .run(this.clock.nowMillis(), id);
    return changes === 1;
  }

  private add(version: number): Generation {
    const { lastInsertRowid } = this.connection
      .prepare(`INSERT INTO generation (version, state) VALUES (?, 'filling')`)
      .run(version);
    return { id: Number(lastInsertRowid), version, state: 'filling' };
  }
}

function prepareCatalog(connection: SqliteConnection): void {
  const { database } = connection;
  database.exec(TABLES);
  database.exec(ORDER_TABLES);
  const has = (sql: string): boolean => database.prepare(sql).get() !== undefined;
  if (!has(HAS_PROMOTED_AT)) database.exec('ALTER TABLE generation ADD COLUMN promoted_at INTEGER');
  if (!has(HAS_ONE_OF_EACH)) database.exec(`DROP INDEX IF EXISTS one_of_each; ${ONE_OF_EACH}`);
}
