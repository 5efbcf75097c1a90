import type { DamagedSnapshot, Position, WalEventLog } from '@holdfast/event-store';
import type { WorkContext } from '../jobs/job.js';

/** The snapshots of the state as retention sees them. */
export interface RetentionSnapshots {
  /** Of those that the state could begin with. It says little: their bytes were read when they were written. */
  positions(): readonly Position[];
  /** What no state could begin with: of another way of folding or another history, or found damaged. */
  unusable(): readonly DamagedSnapshot[];
  /** Of those that are whole, every byte of them read just now. */
  provenPositions(context: WorkContext): Promise<readonly Position[]>;
}

export const NO_SNAPSHOTS: RetentionSnapshots = {
  positions: () => [],
  unusable: () => [],
  provenPositions: () => Promise.resolve([]),
};

export function snapshotsOf(
  log: Pick<WalEventLog, 'snapshots' | 'stateStatus' | 'wholeSnapshots'>,
): RetentionSnapshots {
  return {
    unusable: () => log.stateStatus()?.unusableSnapshots ?? [],
    positions: () => log.snapshots().map(({ position }) => position),
    provenPositions: async ({ signal, progress }) => {
      const onProgress = (done: number, total: number): void => progress(done, total, 'bytes');
      const whole = await log.wholeSnapshots({ signal, onProgress });
      return whole.map(({ position }) => position);
    },
  };
}
