import { BEFORE_FIRST, Wal } from '@holdfast/wal';

const wal = await Wal.open('log', { create: true });

const { last, durable } = wal.append([Buffer.from('debit 100'), Buffer.from('credit 100')]);
await durable; // both records are on the disk

await wal.scan(BEFORE_FIRST, (sequence, buffer, start, end) => {
  console.log(`${sequence} of ${last}: ${buffer.toString('utf8', start, end)}`);
});
await wal.close();
