import { WalEventLog } from '@holdfast/event-store';
import { randomUUID } from 'node:crypto';

const log = await WalEventLog.open('log', { wal: { create: true } });

const roomBooked = {
  id: randomUUID(),
  type: 'RoomBooked',
  schemaVersion: 1,
  data: { day: 'monday' },
  tags: ['guest:ann'],
};
await log.appendDurably({
  appends: [{ stream: 'room/blue', expectedVersion: 'no-stream', events: [roomBooked] }],
});

for await (const { position, stream, type } of log.readTag('guest:ann'))
  console.log(`${position}: ${type} in ${stream}`);
await log.close();
