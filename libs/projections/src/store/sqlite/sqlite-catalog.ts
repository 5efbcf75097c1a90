import { makeDurableDirectory } from '@holdfast/event-store/reading';
import type { Clock } from '@holdfast/kernel';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { classified, fenced, newer } from '../../read-model.errors.js';
import type { ReadModelTarget } from '../../read-model-store.js';
import { SqliteConnection } from './sqlite-connection.js';

export interface Generation {
  readonly id: number;
  readonly version: number;
  readonly state: 'filling' | 'live' | 'retired';
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS generation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('filling', 'live', 'retired')),
    retired_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS one_of_each ON generation (state) WHERE state <> 'retired';
  CREATE TABLE IF NOT EXISTS refusal (
    generation INTEGER PRIMARY KEY,
    reason TEXT NOT NULL
  ) STRICT;
`;

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

export const LIVE_GENERATION = `SELECT id, version, state FROM generation WHERE state = 'live'`;
export const FILLING_GENERATION = `SELECT id, version, state FROM generation WHERE state = 'filling'`;

/** A catalog of an older program has no such table until a worker of this one opens it. */
export function hasRefusals(connection: SqliteConnection): boolean {
  return (
    connection.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'refusal'`).get() !== undefined
  );
}

export const REFUSAL = `SELECT reason FROM refusal WHERE generation = ?`;

/**
 * Which set of a projection's tables is live, which one is being filled, and which are on their way out. At most one is live and at
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

  isInPlace(): boolean {
    return this.connection.isInPlace();
  }

  /** A read model may be deleted under a running worker, which then starts it anew. */
  reopenIfRemoved(): void {
    if (this.isInPlace()) return;
    this.connection.close();
    this.connection = this.connect();
  }

  live(): Generation | undefined {
    return this.connection.read(() =>
      this.connection.prepare<[], Generation>(LIVE_GENERATION).get(),
    );
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
      const live = this.live();
      const filling = this.filling();
      if (target === 'live') {
        if (live?.version === version) return live;
        // Also one that is only being filled: two workers would retire each other's tables for ever, and neither's would catch up.
        const newest = Math.max(live?.version ?? 0, filling?.version ?? 0);
        if (newest > version) throw newer(this.projection, version, newest);
      }
      if (filling?.version === version) return filling;
      // Half-filled tables of a version that is no longer wanted.
      if (filling !== undefined) this.retire(filling);
      return this.add(version);
    });
  }

  /**
   * The switch, from the live generation that its caller has compared itself with: false when that is not the live one any more. Throws `READ_MODEL_FENCED`
   * for a generation that was given up: it never replaces another.
   */
  promote(id: number, over: number | undefined): boolean {
    return this.connection.transaction(() => {
      const state = this.stateOf(id);
      if (state !== 'filling') throw fenced({ generation: id, state: state ?? 'removed' });
      const live = this.live();
      if (live?.id !== over) return false;
      if (live !== undefined) this.retire(live);
      this.connection.prepare(`UPDATE generation SET state = 'live' WHERE id = ?`).run(id);
      return true;
    });
  }

  /** Queries see it no more, and its worker begins another one. */
  giveUp(id: number): void {
    this.connection.transaction(() => this.retire({ id }));
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

  isRefused(id: number): boolean {
    return this.connection.read(() => this.connection.prepare(REFUSAL).get(id)) !== undefined;
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
      connection.transaction(() => connection.database.exec(TABLES));
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private filling(): Generation | undefined {
    return this.connection.prepare<[], Generation>(FILLING_GENERATION).get();
  }

  private retire({ id }: Pick<Generation, 'id'>): void {
    this.connection
      .prepare(`UPDATE generation SET state = 'retired', retired_at = ? WHERE id = ?`)
      .run(this.clock.nowMillis(), id);
  }

  private add(version: number): Generation {
    const { lastInsertRowid } = this.connection
      .prepare(`INSERT INTO generation (version, state) VALUES (?, 'filling')`)
      .run(version);
    return { id: Number(lastInsertRowid), version, state: 'filling' };
  }
}
