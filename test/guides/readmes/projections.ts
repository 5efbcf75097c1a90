import { WalEventLog } from '@holdfast/event-store';
import {
  DirectoryFeed,
  ProjectionRunner,
  type SqlProjection,
  SqliteReadModel,
  SqliteReadModelStore,
  type SqliteTransaction,
} from '@holdfast/projections';
import { randomUUID } from 'node:crypto';

const bookings: SqlProjection<SqliteTransaction> = {
  name: 'bookings',
  version: 1,
  handles: ['RoomBooked'],
  tables: ['CREATE TABLE bookings (room TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT'],
  apply(events, transaction) {
    const count = transaction.prepare(
      'INSERT INTO bookings VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
    );
    for (const { stream } of events) count.run(stream);
  },
};

// Some events to follow; usually another process writes them.
const log = await WalEventLog.open('log', { wal: { create: true } });
const event = (day: string) => ({
  ...{ id: randomUUID(), type: 'RoomBooked', schemaVersion: 1 },
  data: { day },
});
const { position } = await log.appendDurably({
  appends: [
    { stream: 'blue', expectedVersion: 'any', events: [event('monday'), event('tuesday')] },
  ],
});

// The worker: follows the log until it is told to stop.
const feed = new DirectoryFeed('log');
const store = SqliteReadModelStore.open({ directory: 'read-models', projection: bookings });
const runner = new ProjectionRunner({ feed, store });
const stop = new AbortController();
const running = runner.run(stop.signal);

// The query: any process, any thread, one moment for each `read`.
await runner.waitFor(position, 5_000);
const tables = SqliteReadModel.open({ directory: 'read-models', projection: bookings });
tables.read((snapshot) => {
  const rows = snapshot.prepare('SELECT * FROM bookings').all();
  console.log(`at position ${snapshot.position}:`, JSON.stringify(rows));
});

tables.close();
stop.abort();
await running;
await feed.close();
await store.close();
await log.close();
