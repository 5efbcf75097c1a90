import { join } from 'node:path';
import { type CheckpointStep, stateDigestAt, WalEventLog } from '@holdfast/event-store';
import { expect } from '@jest/globals';
import { evolve, optionsOf } from './counting.js';

export const CHECKPOINT_STEPS: readonly CheckpointStep[] = [
  'frozen',
  'durable',
  'encoded',
  'written',
  'retired',
  'recorded',
  'floor-moved',
];

/** What a crash has left opens, lacks nothing that was durable, and its state is what a replay of the log makes. */
export async function assertStateAfter(directory: string, durable: number): Promise<void> {
  const log = await WalEventLog.open(
    join(directory, 'log'),
    optionsOf({
      directory: join(directory, 'state'),
      snapshotDirectory: join(directory, 'snapshots'),
    }),
  );
  try {
    expect(log.lastPosition).toBeGreaterThanOrEqual(durable);
    const { position, entries, digest } = await log.checkpoint();
    expect(position).toBe(log.lastPosition);
    expect(await stateDigestAt(log.wal, position, { evolve })).toMatchObject({ entries, digest });
  } finally {
    await log.close();
  }
}
