import type { RecordedEvent } from '@holdfast/event-store';
import type { SqlProjection } from '../projection.js';
import type { PostgresTransaction } from '../store/postgres/postgres-transaction.js';

const COUNT = `
  INSERT INTO tally AS t (stream, events, total)
  SELECT stream, count(*), sum(amount) FROM unnest($1::text[], $2::numeric[]) AS counted (stream, amount) GROUP BY stream
  ON CONFLICT (stream) DO UPDATE SET events = t.events + excluded.events, total = t.total + excluded.total
`;

/** Counts the events of each stream and sums their amounts: any event lost or applied twice shows. */
export function postgresTally(version = 1): SqlProjection<PostgresTransaction> {
  return {
    name: 'tally',
    version,
    handles: ['counted'],
    tables: [
      'CREATE TABLE tally (stream text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL)',
    ],
    apply: applyTally,
  };
}

async function applyTally(
  events: readonly RecordedEvent[],
  transaction: PostgresTransaction,
): Promise<void> {
  const poison = events.find(({ data }) => data['poison'] === true);
  if (poison !== undefined) throw new Error(`poison at position ${poison.position}`);
  await transaction.queryRows(
    COUNT,
    events.map(({ stream, data }) => [stream, data['amount']]),
  );
}
