import type { Database, Statement } from 'better-sqlite3';
import type { SqliteChanges, SqliteStatement, SqliteTransaction } from './sqlite-transaction.js';

/** How many texts stay compiled at least, and half of how many at most. A query that writes values into its text makes a new one each time. */
const TEXTS_KEPT = 200;

/** The statements of one connection, and what they have left open. */
export class SqliteStatements implements SqliteTransaction {
  /** In two halves: what was not asked for since the newer one began goes when that one is full. To ask again costs one look. */
  private newer = new Map<string, SharedStatement>();
  private older = new Map<string, SharedStatement>();
  private readonly open = new Set<Iterator<unknown>>();

  constructor(private readonly database: Database) {}

  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): SqliteStatement<Parameters, Row> {
    const statement = this.newer.get(sql) ?? this.renewed(sql);
    return statement as SqliteStatement as SqliteStatement<Parameters, Row>;
  }

  /** SQLite refuses to end a transaction, and to close, while rows are being told. */
  closeIterators(): void {
    for (const rows of this.open) rows.return?.();
    this.open.clear();
  }

  private renewed(sql: string): SharedStatement {
    const { database, open } = this;
    const statement = this.older.get(sql) ?? new SharedStatement({ database, open, sql }, {});
    if (this.newer.size >= TEXTS_KEPT) {
      this.older = this.newer;
      this.newer = new Map();
    }
    this.newer.set(sql, statement);
    return statement;
  }
}

interface Source {
  readonly database: Database;
  readonly sql: string;
  readonly open: Set<Iterator<unknown>>;
}

interface Mode {
  readonly rows?: 'pluck' | 'raw';
  readonly safeIntegers?: boolean;
}

/** A statement of better-sqlite3 whose modes are fixed. Those are switches there, and what one caller switched would stay so for all. */
class SharedStatement implements SqliteStatement {
  private readonly compiled: Statement;
  private readonly modes = new Map<string, SharedStatement>();
  private iterated: Statement | undefined;

  constructor(
    private readonly source: Source,
    private readonly mode: Mode,
  ) {
    this.compiled = this.compile();
  }

  run(...parameters: unknown[]): SqliteChanges {
    return this.compiled.run(...parameters);
  }

  get(...parameters: unknown[]): unknown {
    return this.compiled.get(...parameters);
  }

  all(...parameters: unknown[]): unknown[] {
    return this.compiled.all(...parameters);
  }

  *iterate(...parameters: unknown[]): IterableIterator<unknown> {
    // Apart from the others, and from those of it that are not at their end: one text may be asked again within its own rows.
    this.iterated ??= this.compile();
    const statement = this.iterated.busy ? this.compile() : this.iterated;
    const rows = statement.iterate(...parameters);
    this.source.open.add(rows);
    try {
      yield* rows;
    } finally {
      this.source.open.delete(rows);
    }
  }

  pluck(): SqliteStatement {
    return this.in({ ...this.mode, rows: 'pluck' });
  }

  raw(): SqliteStatement {
    return this.in({ ...this.mode, rows: 'raw' });
  }

  safeIntegers(): SqliteStatement {
    return this.in({ ...this.mode, safeIntegers: true });
  }

  private in(mode: Mode): SqliteStatement {
    const name = `${mode.rows} ${mode.safeIntegers}`;
    let statement = this.modes.get(name);
    if (statement === undefined) {
      statement = new SharedStatement(this.source, mode);
      this.modes.set(name, statement);
    }
    return statement;
  }

  private compile(): Statement {
    const { database, sql } = this.source;
    const { rows, safeIntegers } = this.mode;
    const statement = database.prepare(sql);
    if (safeIntegers === true) statement.safeIntegers();
    return rows === undefined ? statement : statement[rows]();
  }
}
