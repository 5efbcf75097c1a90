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

/** What a process said before it died: the highest of each. */
export interface Promised {
  /** Acknowledged as durable. */
  readonly durable: number;
  /** Of a checkpoint that was done with. */
  readonly checkpointed: number;
}

/**
 * What a crash has left opens, lacks nothing that was durable, begins at the last checkpoint, and its state is what a replay of the log makes. Only where too
 * many in a row have died before they had read the state through, it may be made anew.
 */
export async function assertStateAfter(
  directory: string,
  { durable, checkpointed }: Promised,
): Promise<void> {
  let rebuilt: string | undefined;
  const log = await WalEventLog.open(
    join(directory, 'log'),
    optionsOf({
      directory: join(directory, 'state'),
      snapshotDirectory: join(directory, 'snapshots'),
      onEvent: (event) => {
        if (event.kind === 'rebuilding') rebuilt = event.reason;
      },
    }),
  );
  try {
    expect(log.lastPosition).toBeGreaterThanOrEqual(Math.max(durable, checkpointed));
    if (rebuilt?.includes('starts died') !== true)
      expect(log.replayReport.after).toBeGreaterThanOrEqual(checkpointed);
    const { position, entries, digest } = await log.checkpoint();
    expect(position).toBe(log.lastPosition);
    expect(await stateDigestAt(log.wal, position, { evolve })).toMatchObject({ entries, digest });
  } finally {
    await log.close();
  }
}
