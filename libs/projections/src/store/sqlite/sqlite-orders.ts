import type { Position, RecordedEvent } from '@holdfast/event-store';
import type { QuarantineOrders, SkipDecision } from '../../quarantined-commit.js';
import type { SqliteConnection } from './sqlite-connection.js';

/** What operators have asked the workers for, in the catalog. A decision to skip stays: it is the record of it, and holds for tables that are filled later. */
export const ORDER_TABLES = `
  CREATE TABLE IF NOT EXISTS quarantine_release (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generation INTEGER NOT NULL,
    position INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS quarantine_skip (
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    events INTEGER NOT NULL,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    error TEXT,
    content TEXT NOT NULL,
    PRIMARY KEY (position, event_id, events)
  ) STRICT;
`;

const RELEASES = 'SELECT id, position FROM quarantine_release WHERE generation = ? ORDER BY id';
const SKIPS = `
  SELECT position, event_id AS eventId, events, decided_by AS "by", reason, decided_at AS atMillis, error FROM quarantine_skip ORDER BY position
`;

type Skip = Omit<SkipDecision, 'content' | 'error'> & { readonly error: string | null };

export class SqliteOrders {
  constructor(private readonly connection: SqliteConnection) {}

  releasesOf(generation: number): QuarantineOrders['releases'] {
    const rows = this.connection.read(() =>
      this.connection
        .prepare<[number], { readonly id: number; readonly position: Position | null }>(RELEASES)
        .all(generation),
    );
    return rows.map(({ id, position }) => ({ id, position: position ?? undefined }));
  }

  release(generation: number, position: Position | undefined): void {
    const sql = 'INSERT INTO quarantine_release (generation, position) VALUES (?, ?)';
    this.connection.transaction(() =>
      this.connection.prepare(sql).run(generation, position ?? null),
    );
  }

  obeyed(ids: readonly number[]): void {
    const done = this.connection.prepare('DELETE FROM quarantine_release WHERE id = ?');
    this.connection.transaction(() => {
      for (const id of ids) done.run(id);
    });
  }

  skips(): QuarantineOrders['skips'] {
    const rows = this.connection.read(() => this.connection.prepare<[], Skip>(SKIPS).all());
    return rows.map(({ error, ...skip }) => ({ ...skip, error: error ?? undefined }));
  }

  /** With the events. */
  decisions(): readonly SkipDecision[] {
    const sql = 'SELECT content FROM quarantine_skip ORDER BY position';
    const contents = this.connection.read(() =>
      this.connection.prepare<[], { readonly content: string }>(sql).all(),
    );
    return this.skips().map((skip, index) => ({
      ...skip,
      content: JSON.parse(contents[index]?.content ?? '[]') as RecordedEvent[],
    }));
  }

  /** The first decision stays. */
  skip({ position, eventId, events, by, reason, atMillis, error, content }: SkipDecision): void {
    const sql = 'INSERT OR IGNORE INTO quarantine_skip VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
    this.connection.transaction(() =>
      this.connection
        .prepare(sql)
        .run(
          ...[position, eventId, events, by, reason, atMillis, error ?? null],
          JSON.stringify(content),
        ),
    );
  }
}
