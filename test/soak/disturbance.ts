import { setTimeout } from 'node:timers/promises';
import type { SeededRandom } from '../support/seeded-random.js';
import type { AdminWork } from './admin-work.js';
import type { BackupRuns } from './backup-runs.js';
import type { ImportRuns } from './import-runs.js';
import type { Installation } from './installation.js';
import type { RebuildRuns } from './rebuild-runs.js';
import type { ShiftedClock } from './shifted-clock.js';
import type { DataDisk } from './soak-disk.js';
import type { Tally } from './tally.js';

/** What a disturbance works on. */
export interface Scene {
  readonly installation: Installation;
  readonly disk: DataDisk;
  readonly imports: ImportRuns;
  readonly rebuilds: RebuildRuns;
  readonly backups: BackupRuns;
  readonly work: AdminWork;
  readonly clock: ShiftedClock;
  readonly tally: Tally;
  readonly random: SeededRandom;
  /** Sends many commands at once. */
  readonly burst: () => void;
}

export interface Disturbance {
  readonly name: string;
  /** How often it stands in the deck. */
  readonly cards: number;
  /** Needs a disk that can be filled and lose its power. */
  readonly needsDisk?: boolean;
  /** Needs a disk that can become read-only under those who write to it. */
  readonly needsExt4?: boolean;
  /** Ends with every process ready. True when the command service was started again. */
  readonly run: (scene: Scene) => Promise<boolean>;
}

/** A burst is answered within some milliseconds. */
const IN_FLIGHT_MILLIS_MAX = 40;

/** So that a fault meets commands anywhere on their way: in a queue, written, synced, answered. */
export async function underWay({ burst, random }: Scene): Promise<void> {
  burst();
  await setTimeout(random.next() * IN_FLIGHT_MILLIS_MAX);
}
