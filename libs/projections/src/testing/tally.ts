import type { RecordedEvent } from '@holdfast/event-store';
import type { SqlProjection } from '../projection.js';
import type { SqliteTransaction } from '../store/sqlite/sqlite-transaction.js';

const COUNT = `
  INSERT INTO tally (stream, events, total) VALUES (?, 1, ?)
  ON CONFLICT (stream) DO UPDATE SET events = events + 1, total = total + excluded.total
`;

/** Counts the events of each stream and sums their amounts: any event lost or applied twice shows. */
export function tally(version = 1): SqlProjection<SqliteTransaction> {
  return {
    name: 'tally',
    version,
    handles: ['counted'],
    tables: [
      'CREATE TABLE tally (stream text PRIMARY KEY, events integer NOT NULL, total integer NOT NULL)',
    ],
    apply: applyTally,
  };
}

function applyTally(events: readonly RecordedEvent[], transaction: SqliteTransaction): void {
  const count = transaction.prepare(COUNT);
  for (const { stream, data, position } of events) {
    if (data['poison'] === true) throw new Error(`poison at position ${position}`);
    count.run(stream, data['amount']);
  }
}
