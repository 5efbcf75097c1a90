import { createHash } from 'node:crypto';
import Database, { type Database as SqliteDatabase, type Statement } from 'better-sqlite3';

const ID_BYTES = 16;

/** Which rows and ids of a file came already. They live in a private temporary file of SQLite, so that memory does not grow with them. */
export class SeenRows {
  private readonly database: SqliteDatabase = new Database('');
  private readonly countRow: Statement<[Buffer], { times: number }>;
  private readonly addId: Statement<[Buffer, number]>;
  private readonly findId: Statement<[Buffer], { line: number }>;

  constructor() {
    // Nothing of it outlives the process.
    this.database.pragma('journal_mode = OFF');
    this.database.pragma('synchronous = OFF');
    this.database.exec(
      `CREATE TABLE row_counts (hash BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
       CREATE TABLE ids (id BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
       BEGIN`,
    );
    this.countRow = this.database.prepare(
      `INSERT INTO row_counts VALUES (?, 1)
       ON CONFLICT (hash) DO UPDATE SET times = times + 1 RETURNING times`,
    );
    this.addId = this.database.prepare('INSERT OR IGNORE INTO ids VALUES (?, ?)');
    this.findId = this.database.prepare('SELECT line FROM ids WHERE id = ?');
  }

  /** How many rows with this hash came, with this one. */
  occurrence(hash: string): number {
    return this.countRow.get(Buffer.from(hash, 'hex'))?.times ?? 1;
  }

  /** The line of the row that came with this id before; undefined when this is the first. */
  earlierLine(id: string, line: number): number | undefined {
    const digest = createHash('sha256').update(id).digest().subarray(0, ID_BYTES);
    return this.addId.run(digest, line).changes === 1 ? undefined : this.findId.get(digest)?.line;
  }

  close(): void {
    this.database.close();
  }
}
