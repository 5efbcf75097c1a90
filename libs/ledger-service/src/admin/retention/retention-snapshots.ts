import type { DamagedSnapshot, Position, WalEventLog } from '@holdfast/event-store';
import type { WorkContext } from '../jobs/job.js';

/** The snapshots of the state as retention sees them. */
export interface RetentionSnapshots {
  /** Of those that nothing is known against. It says little: their bytes were read when they were written. */
  positions(): readonly Position[];
  /** What was found damaged, until other snapshots are there. */
  damaged(): readonly DamagedSnapshot[];
  /** Of those that are whole, every byte of them read just now. */
  provenPositions(context: WorkContext): Promise<readonly Position[]>;
}

export const NO_SNAPSHOTS: RetentionSnapshots = {
  positions: () => [],
  damaged: () => [],
  provenPositions: () => Promise.resolve([]),
};

export function snapshotsOf(
  log: Pick<WalEventLog, 'snapshots' | 'stateStatus' | 'wholeSnapshots'>,
): RetentionSnapshots {
  const damaged = () => log.stateStatus()?.damagedSnapshots ?? [];
  return {
    damaged,
    positions: () => {
      const faulty = new Set(damaged().map(({ path }) => path));
      const counted = log.snapshots().filter(({ path }) => !faulty.has(path));
      return counted.map(({ position }) => position);
    },
    provenPositions: async ({ signal, progress }) => {
      const onProgress = (done: number, total: number): void => progress(done, total, 'bytes');
      const whole = await log.wholeSnapshots({ signal, onProgress });
      return whole.map(({ position }) => position);
    },
  };
}
