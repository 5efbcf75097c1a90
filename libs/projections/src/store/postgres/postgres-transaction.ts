import { assert } from '@holdfast/kernel';
import type { PostgresSession } from './postgres-session.js';

/** What a projection writes through, in the schema of its tables. */
export interface PostgresTransaction {
  /**
   * One statement, prepared once a connection. `numeric` comes back as text and `bigint` as a number, which throws beyond 2^53. Need not be awaited: statements run in their order, and
   * the transaction ends after the last one; it fails with the first that does.
   */
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>;
  /**
   * One statement for many rows, which it finds as columns: `INSERT INTO t SELECT * FROM unnest($1::text[], $2::bigint[])`. Measured, it takes a fiftieth of the processor time of a statement for
   * each row (docs/adr/0021). Nothing runs for no rows. A key must not come twice in one upsert: add up what belongs together, here or by `GROUP BY`.
   */
  readonly queryRows: <Row = Record<string, unknown>>(
    sql: string,
    rows: readonly (readonly unknown[])[],
  ) => Promise<readonly Row[]>;
}

/** Transactions begin and end with the position that belongs to them. */
const ENDS_TRANSACTION =
  /^\s*(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set|reset|discard)\b/i;

export class OpenTransaction implements PostgresTransaction {
  private readonly pending = new Set<Promise<unknown>>();
  private failure: { readonly error: unknown } | undefined;
  private ended = false;

  constructor(private readonly session: PostgresSession) {}

  /** Bound, so that it may be taken out of the transaction; the next one too. */
  readonly query = <Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    assert(!this.ended, 'a transaction is not used after its end');
    assert(!ENDS_TRANSACTION.test(sql), 'a projection leaves its transaction as it is');
    const running = this.session.rows<Row>(sql, values);
    this.pending.add(running);
    // Nobody need wait for it; what it throws ends the transaction.
    running.then(
      () => this.pending.delete(running),
      (error: unknown) => {
        this.failure ??= { error };
        this.pending.delete(running);
      },
    );
    return running;
  };

  readonly queryRows = <Row>(
    sql: string,
    rows: readonly (readonly unknown[])[],
  ): Promise<readonly Row[]> => {
    const [first] = rows;
    if (first === undefined) return Promise.resolve([]);
    const columns = first.map((_, column) => rows.map((row) => row[column]));
    return this.query<Row>(sql, columns);
  };

  /** Waits for what runs. Throws what the first statement that failed threw, caught or not. */
  async finish(): Promise<void> {
    while (this.pending.size > 0) await Promise.allSettled(this.pending);
    this.ended = true;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /**
   * As `finish`, for a transaction that is given up because of `thrown`. Returns what the first statement that failed threw, if one had: the server refuses all after it, and whatever was thrown
   * may be but that, or say it in other words.
   */
  async abandon(thrown: unknown): Promise<unknown> {
    const { failure } = this;
    this.ended = true;
    await Promise.allSettled(this.pending);
    return failure === undefined ? thrown : failure.error;
  }
}
