import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import { assert } from '@holdfast/kernel';
import { join } from 'node:path';
import type { FeedCursor } from '../../event-feed.js';
import { PositionWaiters } from '../../runner/position-waiters.js';
import { classified, notReady } from '../../read-model.errors.js';
import type { ReadModelDigest } from '../../read-model-store.js';
import {
  FILLING_GENERATION,
  type Generation,
  LIVE_GENERATION,
  LIVE_VERSIONS,
  REFUSAL,
  catalogPath,
  generationPath,
  hasGenerations,
  hasRefusals,
} from './sqlite-catalog.js';
import { SqliteConnection } from './sqlite-connection.js';
import { digestOf } from './sqlite-digest.js';
import type { SqliteStatement } from './sqlite-transaction.js';
import {
  type Bookkeeping,
  bookkeepingOf,
  cursorOf,
  hasCaughtUp,
  isOf,
  isPrepared,
} from './sqlite-bookkeeping.js';

export interface SqliteReadModelOptions {
  /** The directory given to `SqliteReadModelStore`. */
  readonly directory: string;
  readonly projection: { readonly name: string; readonly version: number };
  /**
   * Older versions whose tables the queries can read as well, the best first. They are read while there are no live tables of `projection.version`, so that an upgrade is no outage: a worker
   * of the older version keeps them up to date, or they stand still. Each query finds in `ReadModelSnapshot.version` what it reads. Default none.
   */
  readonly olderVersions?: readonly number[];
}

/** One moment of the read model: every statement run through it sees the same position. Valid only during the call. */
export interface ReadModelSnapshot {
  /** Of the projection whose tables these are. */
  readonly version: number;
  readonly position: Position;
  readonly cursor: FeedCursor | undefined;
  /** As `SqliteTransaction.prepare`. */
  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): SqliteStatement<Parameters, Row>;
}

interface OpenGeneration {
  readonly id: number;
  readonly version: number;
  readonly connection: SqliteConnection;
}

/** How often to look whether somebody removed the files under the open connections. */
const IN_PLACE_CHECK_MILLIS = 1_000;

/**
 * The query side of a read model, in any process or thread, while a worker writes it. Read-only; follows a rebuild to the new tables by itself; may be
 * opened before the files exist.
 */
export class SqliteReadModel {
  private catalog: SqliteConnection | undefined;
  private open: OpenGeneration | undefined;
  private checkedAtMillis = 0;
  private closed = false;
  private knowsRefusals = false;
  private filled: { readonly text: string | undefined; readonly atMillis: number } | undefined;
  private readonly waiters = new PositionWaiters(() => this.position);

  private constructor(private readonly options: SqliteReadModelOptions) {}

  static open(options: SqliteReadModelOptions): SqliteReadModel {
    return new SqliteReadModel(options);
  }

  /** Whether there is a live read model of this version that can be read: one that has caught up once, and is of its log. `read` throws until then. */
  get ready(): boolean {
    return this.bookkeeping() !== undefined;
  }

  /** How far the read model has come; 0 while there is none that can be read. */
  get position(): Position {
    return (this.bookkeeping()?.position ?? BEFORE_FIRST_POSITION) as Position;
  }

  /**
   * Runs a synchronous query against one moment of the read model. Throws `READ_MODEL_NOT_READY`, `READ_MODEL_UNAVAILABLE`,
   * `READ_MODEL_DAMAGED`, and what the query throws.
   */
  read<Result>(query: (snapshot: ReadModelSnapshot) => Result): Result {
    const live = this.readable();
    assert(!live.database.inTransaction, 'one query at a time: a snapshot dies with its call');
    try {
      live.begin('DEFERRED');
      const cursor = cursorOf(bookkeepingOf(live));
      const position = cursor?.position ?? BEFORE_FIRST_POSITION;
      const version = this.open?.version ?? this.options.projection.version;
      return query({ version, position, cursor, prepare: (sql) => live.prepare(sql) });
    } catch (error) {
      throw classified(live.path, error);
    } finally {
      this.end(live);
    }
  }

  /** True once the read model has reached the position; false when that took too long or the signal fired. */
  waitForPosition(
    position: Position,
    timeoutMillis: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    return this.waiters.wait(position, timeoutMillis, signal);
  }

  /** As `ReadModelStore.digest`. Throws `READ_MODEL_NOT_READY`. */
  async digest(): Promise<ReadModelDigest> {
    const live = this.readable();
    const connection = new SqliteConnection(live.path, { readonly: true });
    try {
      return await digestOf(connection);
    } finally {
      connection.close();
    }
  }

  /** Waits end with false. */
  close(): void {
    this.closed = true;
    this.waiters.close();
    this.letGo();
  }

  private end(live: SqliteConnection): void {
    try {
      live.rollback();
    } catch (error) {
      // The next query opens the files anew.
      this.letGo();
      throw error;
    }
  }

  /** Whoever asks how far it is gets an answer in any case; whoever reads it learns what is wrong. */
  private bookkeeping(): Bookkeeping | undefined {
    try {
      const live = this.live();
      const served = live !== undefined && this.refusalOf(this.open?.id) === undefined;
      return served ? bookkeepingOf(live) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Throws `READ_MODEL_NOT_READY`, `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
  private readable(): SqliteConnection {
    const { directory, projection } = this.options;
    try {
      const live = this.live();
      if (live === undefined) throw notReady(projection, this.filledSoFar());
      const refusal = this.refusalOf(this.open?.id);
      if (refusal !== undefined) throw notReady(projection, refusal);
      return live;
    } catch (error) {
      throw classified(join(directory, projection.name), error);
    }
  }

  /** The worker's reason why queries are not to see what it has filled. */
  private refusalOf(id: number | undefined): string | undefined {
    const { catalog } = this;
    if (catalog === undefined || id === undefined) return undefined;
    this.knowsRefusals ||= hasRefusals(catalog);
    if (!this.knowsRefusals) return undefined;
    return catalog.prepare<[number], { readonly reason: string }>(REFUSAL).get(id)?.reason;
  }

  /** Looked up once a second only: many queries may be refused meanwhile. */
  private filledSoFar(): string | undefined {
    const now = performance.now();
    if (this.filled === undefined || now - this.filled.atMillis >= IN_PLACE_CHECK_MILLIS)
      this.filled = { text: this.filling(), atMillis: now };
    return this.filled.text;
  }

  /** How far the tables have come that will be the live ones, and which other version is live meanwhile. */
  private filling(): string | undefined {
    const { version } = this.options.projection;
    const live = this.catalog?.prepare<[], Pick<Generation, 'version'>>(LIVE_VERSIONS).get();
    const filling = this.catalog?.prepare<[number], Generation>(FILLING_GENERATION).get(version);
    const other = live && live.version !== version ? `version ${live.version} is live, ` : '';
    if (filling === undefined)
      return other && `${other}and nobody fills tables of version ${version}`;
    const open = this.openGeneration(filling, isPrepared);
    const position = open === undefined ? 0 : bookkeepingOf(open.connection).position;
    open?.connection.close();
    return `${other}version ${version} is being filled and stands at position ${position}`;
  }

  private live(): SqliteConnection | undefined {
    if (this.closed) return undefined;
    this.letGoOfRemovedFiles();
    const generation = this.liveGeneration();
    if (generation?.id === this.open?.id) return this.open?.connection;
    const before = this.open;
    this.open = undefined;
    before?.connection.close();
    this.open = generation && this.openGeneration(generation, hasCaughtUp);
    return this.open?.connection;
  }

  private liveGeneration(): Generation | undefined {
    const { directory, projection, olderVersions = [] } = this.options;
    const path = catalogPath(directory, projection.name);
    this.catalog ??= SqliteConnection.openedIf(path, hasGenerations);
    for (const version of [projection.version, ...olderVersions]) {
      const live = this.catalog?.prepare<[number], Generation>(LIVE_GENERATION).get(version);
      if (live !== undefined) return live;
    }
    return undefined;
  }

  private openGeneration(
    { id, version }: Pick<Generation, 'id' | 'version'>,
    isMade: (connection: SqliteConnection) => boolean,
  ): OpenGeneration | undefined {
    const { directory, projection } = this.options;
    const path = generationPath(directory, projection.name, id);
    const connection = SqliteConnection.openedIf(
      path,
      (opened) => isMade(opened) && isOf(opened, { ...projection, version }),
    );
    return connection && { id, version, connection };
  }

  private letGoOfRemovedFiles(): void {
    if (performance.now() - this.checkedAtMillis < IN_PLACE_CHECK_MILLIS) return;
    this.checkedAtMillis = performance.now();
    const connections = [this.catalog, this.open?.connection];
    if (connections.some((connection) => connection?.isInPlace() === false)) this.letGo();
  }

  private letGo(): void {
    const connections = [this.open?.connection, this.catalog];
    this.open = undefined;
    this.catalog = undefined;
    this.knowsRefusals = false;
    for (const connection of connections) connection?.close();
  }
}
