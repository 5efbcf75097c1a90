import type { Position } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { Statement } from 'better-sqlite3';
import type { FeedCursor } from './event-feed.js';

export interface SqliteReadModelOptions {
  /** The directory given to `SqliteReadModelStore`. */
  readonly directory: string;
  readonly projection: { readonly name: string; readonly version: number };
}

/** One moment of the read model: every statement run through it sees the same position. Dies with the call. */
export interface ReadModelSnapshot {
  readonly position: Position;
  readonly cursor: FeedCursor | undefined;
  /** Compiled once and kept. */
  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): Statement<Parameters, Row>;
}

/**
 * The query side of a read model, in any process or thread, while a worker writes it: read-only, follows a rebuild to the new
 * tables by itself, and may be made before the file exists.
 */
export class SqliteReadModel {
  static open(options: SqliteReadModelOptions): SqliteReadModel {
    return notBuiltYet(options);
  }

  /** Whether there is a live read model of this version; `read` throws `READ_MODEL_NOT_READY` until then. */
  get ready(): boolean {
    return notBuiltYet();
  }

  /** How far the read model has come; 0 while there is none. */
  get position(): Position {
    return notBuiltYet();
  }

  /** Runs a synchronous query against one moment of the read model. Throws `READ_MODEL_NOT_READY`. */
  read<Result>(query: (snapshot: ReadModelSnapshot) => Result): Result {
    return notBuiltYet(query);
  }

  /** True once the read model has reached the position; false when that took too long. Looks every few milliseconds. */
  waitForPosition(
    position: Position,
    timeoutMillis: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    return notBuiltYet(position, timeoutMillis, signal);
  }

  close(): void {
    return notBuiltYet();
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
