import { createHash } from 'node:crypto';
import Database, { type Database as SqliteDatabase, type Statement } from 'better-sqlite3';

const NAME_BYTES = 16;

type SeenName = 'id' | 'reference';

/** Which rows, ids and references of a file came already. They live in a private temporary file of SQLite, so that memory does not grow with them. */
export class SeenRows {
  private readonly database: SqliteDatabase = new Database('');
  private readonly countRow: Statement<[Buffer], { times: number }>;
  private readonly addName: Statement<[Buffer, number]>;
  private readonly findName: Statement<[Buffer], { line: number }>;

  constructor() {
    // Nothing of it outlives the process.
    this.database.pragma('journal_mode = OFF');
    this.database.pragma('synchronous = OFF');
    this.database.exec(
      `CREATE TABLE row_counts (hash BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
       CREATE TABLE names (name BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
       BEGIN`,
    );
    this.countRow = this.database.prepare(
      `INSERT INTO row_counts VALUES (?, 1)
       ON CONFLICT (hash) DO UPDATE SET times = times + 1 RETURNING times`,
    );
    this.addName = this.database.prepare('INSERT OR IGNORE INTO names VALUES (?, ?)');
    this.findName = this.database.prepare('SELECT line FROM names WHERE name = ?');
  }

  /** How many rows with this hash came, with this one. */
  occurrence(hash: string): number {
    return this.countRow.get(Buffer.from(hash, 'hex'))?.times ?? 1;
  }

  /** The line of the row that came with this id or reference before; undefined when this is the first. */
  earlierLine(what: SeenName, name: string, line: number): number | undefined {
    const digest = digestOf(what, name);
    const isFirst = this.addName.run(digest, line).changes === 1;
    return isFirst ? undefined : this.findName.get(digest)?.line;
  }

  /** Whether a row came with it. */
  has(what: SeenName, name: string): boolean {
    return this.findName.get(digestOf(what, name)) !== undefined;
  }

  close(): void {
    this.database.close();
  }
}

function digestOf(what: SeenName, name: string): Buffer {
  return createHash('sha256').update(`${what} ${name}`).digest().subarray(0, NAME_BYTES);
}
