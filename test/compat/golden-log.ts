import { createHash } from 'node:crypto';
import { type Durability, Wal } from '@holdfast/wal';

/** The records of every golden log, a function of their sequence: today's code must read them from yesterday's bytes. */
export function goldenPayload(sequence: number): Buffer {
  const digest = createHash('sha256').update(`golden ${sequence}`).digest();
  return Buffer.from(
    digest
      .toString('hex')
      .repeat(8)
      .slice(0, digest.readUInt16LE(0) % 500),
  );
}

export const GOLDEN_RECORDS = 400;
const BATCH_RECORDS_MAX = 7;

/** Writes a log that has everything the format knows: several segments, batches, each durability mode, floors, reopenings, closing frames. */
export async function writeGoldenLog(directory: string): Promise<void> {
  let sequence = 0;
  for (const durability of ['sync', 'interval', 'none'] satisfies Durability[]) {
    const wal = await Wal.open(directory, {
      create: true,
      durability,
      frameBytesMax: 16 * 1024,
      segmentBytes: 32 * 1024,
    });
    const upTo = durability === 'none' ? GOLDEN_RECORDS : sequence + 130;
    while (sequence < upTo) {
      const count = Math.min(upTo - sequence, 1 + (sequence % BATCH_RECORDS_MAX));
      const batch = Array.from({ length: count }, () => goldenPayload(++sequence));
      await wal.append(batch).durable;
    }
    await wal.flush();
    wal.floors.set(`golden-${durability}`, wal.durableSequence);
    await wal.close();
  }
}
