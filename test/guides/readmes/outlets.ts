import { WalEventLog } from '@holdfast/event-store';
import { type Outlet, OutletRunner, SqliteOutletPositions } from '@holdfast/outlets';
import { DirectoryFeed } from '@holdfast/projections';
import { randomUUID } from 'node:crypto';

// Some events to follow; usually another process writes them.
const log = await WalEventLog.open('log', { wal: { create: true } });
const event = (day: string) => ({
  ...{ id: randomUUID(), type: 'RoomBooked', schemaVersion: 1 },
  data: { day },
});
await log.appendDurably({
  appends: [
    { stream: 'blue', expectedVersion: 'any', events: [event('monday'), event('tuesday')] },
  ],
});

let tries = 0;
const stop = new AbortController();
const mail: Outlet = {
  name: 'mail',
  filter: { types: ['RoomBooked'] },
  // Resolves once the other side has them; whatever it throws is tried again, from the same position.
  deliver(events) {
    tries += 1;
    if (tries === 1) throw new Error('the mail server is away');
    for (const { position, data } of events) console.log(position, JSON.stringify(data));
    stop.abort();
  },
};

const feed = new DirectoryFeed('log');
const positions = new SqliteOutletPositions('outlets.db');
const runner = new OutletRunner({ feed, outlet: mail, positions });
await runner.run(stop.signal);
console.log('delivered up to', (await positions.load('mail'))?.cursor?.position);

await positions.close();
await feed.close();
await log.close();
