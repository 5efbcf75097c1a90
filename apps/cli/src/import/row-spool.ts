import Database from 'better-sqlite3';

/**
 * Rows, as JSON keeps them, from the last to the first, in constant memory: they wait in a file of SQLite's own, which has no name and goes with the process. Throws what
 * the rows throw, before any is given.
 */
export async function* fromTheEnd<Row>(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
  const spool = new Database('');
  try {
    spool.exec('CREATE TABLE rows (place INTEGER PRIMARY KEY, row TEXT NOT NULL)');
    const add = spool.prepare<[string]>('INSERT INTO rows (row) VALUES (?)');
    spool.exec('BEGIN');
    for await (const row of rows) add.run(JSON.stringify(row));
    spool.exec('COMMIT');
    const all = spool.prepare<[], { row: string }>('SELECT row FROM rows ORDER BY place DESC');
    for (const { row } of all.iterate()) yield JSON.parse(row) as Row;
  } finally {
    spool.close();
  }
}
