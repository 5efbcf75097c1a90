import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import { assert } from '@holdfast/kernel';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedCursor } from '../../event-feed.js';
import { notReady } from '../../read-model.errors.js';
import type { ReadModelDigest } from '../../read-model-store.js';
import { PositionWaiters } from '../../runner/position-waiters.js';
import { COLUMNS, type GenerationRow, cursorOf } from './postgres-catalog.js';
import { digestOf } from './postgres-digest.js';
import { isRemoved } from './postgres-errors.js';
import {
  type PostgresConnection,
  PostgresSession,
  type SessionPool,
  schemaOf,
} from './postgres-session.js';

export interface PostgresReadModelOptions extends PostgresConnection {
  readonly projection: { readonly name: string; readonly version: number };
  /**
   * Older versions whose tables the queries can read as well, the best first. They are read while there are no live tables of `projection.version`, so that an upgrade is no outage. Each query
   * finds in `PostgresSnapshot.version` what it reads. Default none.
   */
  readonly olderVersions?: readonly number[];
  /** Queries at a time; more wait for their turn, at most five seconds. Default 10. */
  readonly connectionsMax?: number;
  /** The server ends a statement that takes longer. Default 30,000. */
  readonly statementMillisMax?: number;
}

/** One moment of the read model: every statement run through it sees the same position. Valid only during the call. */
export interface PostgresSnapshot {
  /** Of the projection whose tables these are. */
  readonly version: number;
  readonly position: Position;
  readonly cursor: FeedCursor | undefined;
  /** Prepared once a connection. `numeric` comes back as text and `bigint` as a number, which throws beyond 2^53. */
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>;
}

const CONNECTIONS_MAX = 10;
const STATEMENT_MILLIS_MAX = 30_000;
/** Beyond the server's own limit: then the server is out of reach. */
const ANSWER_GRACE_MILLIS = 5_000;
/** A server that takes longer to begin hangs, and no query waits for what it would have for its answer. */
const SNAPSHOT_MILLIS_MAX = 5_000;
const POSITION_POLL_MILLIS = 5;

/**
 * The query side of a read model, in any number of processes, while a worker writes it; also on a standby. Read-only; follows a rebuild to the new tables by itself; may be opened before there is a
 * server.
 */
export class PostgresReadModel {
  private readonly pool: SessionPool;
  private readonly schema: string;
  private readonly waiters = new PositionWaiters(() => this.reached);
  /** As it was when somebody asked last. */
  private reached = BEFORE_FIRST_POSITION;
  private isLooking = false;
  private isClosed = false;
  private readonly closed = Promise.withResolvers<undefined>();

  private constructor(private readonly options: PostgresReadModelOptions) {
    const { connectionsMax = CONNECTIONS_MAX } = options;
    this.schema = schemaOf(options);
    const answerMillisMax = this.statementMillisMax + ANSWER_GRACE_MILLIS;
    this.pool = PostgresSession.pooled(options, { connectionsMax, answerMillisMax });
  }

  static open(options: PostgresReadModelOptions): PostgresReadModel {
    return new PostgresReadModel(options);
  }

  /** Whether there is a live read model of a version that can be read: one that has caught up once, and is of its log. `read` throws until then. */
  async ready(): Promise<boolean> {
    return (await this.servedNow()) !== undefined;
  }

  /** How far the read model has come; 0 while there is none that can be read. */
  async position(): Promise<Position> {
    const served = await this.servedNow();
    return (served?.position ?? BEFORE_FIRST_POSITION) as Position;
  }

  /**
   * Runs a query against one moment of the read model. Throws `READ_MODEL_NOT_READY`, `READ_MODEL_UNAVAILABLE` (also when the server ends a statement that takes too long), `READ_MODEL_DAMAGED`,
   * and what the query throws.
   */
  read<Result>(query: (snapshot: PostgresSnapshot) => Promise<Result>): Promise<Result> {
    return this.within(async (session, row) => {
      const snapshot = new OpenSnapshot(session, row);
      try {
        return await query(snapshot);
      } finally {
        snapshot.end();
      }
    });
  }

  /** True once the read model has reached the position; false when that took too long or the signal fired. However many wait, one look every few milliseconds is made for all. */
  async waitForPosition(
    position: Position,
    timeoutMillis: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    // A pool that is closed lets go of whoever waits for a connection only after a while.
    await Promise.race([this.look(), this.closed.promise]);
    if (this.isClosed) return false;
    const reached = this.waiters.wait(position, timeoutMillis, signal);
    void this.lookWhileSomebodyWaits();
    return await reached;
  }

  /** As `ReadModelStore.digest`. Throws `READ_MODEL_NOT_READY`. */
  digest(): Promise<ReadModelDigest> {
    return this.within((session, row) => digestOf(session, row.schema, cursorOf(row)));
  }

  /** Waits end with false. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.closed.resolve(undefined);
    this.waiters.close();
    await this.pool.close();
  }

  private get statementMillisMax(): number {
    return this.options.statementMillisMax ?? STATEMENT_MILLIS_MAX;
  }

  private within<Result>(
    work: (session: PostgresSession, row: GenerationRow) => Promise<Result>,
  ): Promise<Result> {
    return this.pool.with(async (session) => {
      try {
        const row = await this.begin(session);
        if (row === undefined) throw notReady(this.options.projection, await this.why(session));
        if (row.refusal !== null) throw notReady(this.options.projection, row.refusal);
        return await work(session, row);
      } finally {
        // Nothing was written.
        await session.rollback();
      }
    });
  }

  /** Takes the snapshot, and finds what is live in it: one way to the server and back. */
  private async begin(session: PostgresSession): Promise<GenerationRow | undefined> {
    const millis = this.statementMillisMax;
    const begin = `
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL statement_timeout = ${millis};
      SET LOCAL idle_in_transaction_session_timeout = ${millis};
      SELECT live.*, set_config('search_path', quote_ident(schema), true) FROM (${this.live}) live
    `;
    try {
      const results = await session.runAll(begin, SNAPSHOT_MILLIS_MAX);
      return results.at(-1)?.rows[0] as GenerationRow | undefined;
    } catch (error) {
      // No worker has made a catalog yet.
      if (!isRemoved(error)) throw error;
      throw notReady(this.options.projection);
    }
  }

  private get live(): string {
    const { projection, olderVersions = [] } = this.options;
    const versions = [projection.version, ...olderVersions].map(Number).join(', ');
    return `
      SELECT ${COLUMNS} FROM ${escapeIdentifier(this.schema)}.generation
      WHERE projection = ${escapeLiteral(projection.name)} AND state = 'live'
        AND version IN (${versions}) AND to_regnamespace(quote_ident(schema)) IS NOT NULL
      ORDER BY array_position(ARRAY[${versions}], version) LIMIT 1
    `;
  }

  /** How far the tables have come that will be the live ones, and which other version is live meanwhile. */
  private async why(session: PostgresSession): Promise<string | undefined> {
    const { name, version } = this.options.projection;
    const rows = await session.rows<GenerationRow>(
      `SELECT ${COLUMNS} FROM ${escapeIdentifier(this.schema)}.generation
       WHERE projection = $1 AND state <> 'retired' ORDER BY version DESC`,
      [name],
    );
    const live = rows.find((row) => row.state === 'live' && row.version !== version);
    const filling = rows.find((row) => row.state === 'filling' && row.version === version);
    const other = live === undefined ? '' : `version ${live.version} is live, `;
    if (filling === undefined)
      return other && `${other}and nobody fills tables of version ${version}`;
    return `${other}version ${version} is being filled and stands at position ${filling.position}`;
  }

  /** Whoever asks how far it is gets an answer in any case; whoever reads it learns what is wrong. */
  private async servedNow(): Promise<GenerationRow | undefined> {
    try {
      const [row] = await this.pool.with((session) => session.rows<GenerationRow>(this.live));
      return row?.refusal === null ? row : undefined;
    } catch {
      return undefined;
    }
  }

  private async look(): Promise<void> {
    this.reached = await this.position();
  }

  private async lookWhileSomebodyWaits(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    while (this.waiters.waiting) {
      await this.look();
      this.waiters.look();
      await sleep(POSITION_POLL_MILLIS);
    }
    this.isLooking = false;
  }
}

class OpenSnapshot implements PostgresSnapshot {
  readonly version: number;
  readonly position: Position;
  readonly cursor: FeedCursor | undefined;
  private ended = false;

  constructor(
    private readonly session: PostgresSession,
    row: GenerationRow,
  ) {
    this.version = row.version;
    this.cursor = cursorOf(row);
    this.position = this.cursor?.position ?? BEFORE_FIRST_POSITION;
  }

  /** Bound, so that it may be taken out of the snapshot. */
  readonly query = <Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    assert(!this.ended, 'a snapshot dies with its call');
    return this.session.rows<Row>(sql, values);
  };

  end(): void {
    this.ended = true;
  }
}
