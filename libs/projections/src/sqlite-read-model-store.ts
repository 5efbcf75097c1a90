import { type Clock, assert } from '@holdfast/kernel';
import type { Statement } from 'better-sqlite3';
import type { SqlProjection } from './projection.js';
import type {
  AcquireOptions,
  ReadModelDigest,
  ReadModelLease,
  ReadModelStore,
} from './read-model-store.js';

/** What a projection writes through: better-sqlite3's own statements, compiled once a connection and kept. */
export interface SqliteTransaction {
  /** One statement for one SQL text, however often it is asked for. */
  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): Statement<Parameters, Row>;
}

export interface SqliteReadModelStoreOptions {
  /** Holds a folder for each projection; made when missing. */
  readonly directory: string;
  readonly projection: SqlProjection<SqliteTransaction>;
  /** How long a lease outlives a holder that neither commits nor ends. Default 5,000. */
  readonly leaseMillis?: number;
  /** How long replaced tables stay for queries that still read them. Default 60,000. */
  readonly graceMillis?: number;
  readonly clock?: Clock;
}

/** The embedded read model: one SQLite file a generation, and a small catalog that says which one is live. */
export class SqliteReadModelStore implements ReadModelStore<SqliteTransaction> {
  declare readonly projection: SqlProjection<SqliteTransaction>;

  static open(options: SqliteReadModelStoreOptions): SqliteReadModelStore {
    return notBuiltYet(options);
  }

  acquire(options: AcquireOptions): Promise<ReadModelLease<SqliteTransaction> | undefined> {
    return notBuiltYet(options);
  }

  digest(): Promise<ReadModelDigest> {
    return notBuiltYet();
  }

  close(): Promise<void> {
    return notBuiltYet();
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
