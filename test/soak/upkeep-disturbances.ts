import { setTimeout } from 'node:timers/promises';
import type { WorkPath } from './admin-work.js';
import { type Disturbance, type Scene, underWay } from './disturbance.js';
import { losePower } from './power-loss.js';

const WORK: readonly WorkPath[] = [
  '/admin/archive',
  '/admin/retention/apply',
  '/admin/snapshots',
  '/admin/checkpoints',
  // No key of a soak expires, so it reads and judges what is live and below the bound, and has nothing to take: the audits would miss what it took.
  '/admin/compactions',
  '/admin/backups',
];
/** A job takes so long while there is little to do, and a few of them wait for one another. */
const WORK_MILLIS_MAX = 250;

/** Deaths in the middle of what keeps the log short and the state safe; and the backup, which has to show that it is one. */
export const UPKEEP_DISTURBANCES: readonly Disturbance[] = [
  { name: 'killed in upkeep', cards: 3, run: killInUpkeep },
  { name: 'power loss in upkeep', cards: 2, needsDisk: true, run: losePowerInUpkeep },
  { name: 'backup and restore', cards: 2, run: backUp },
];

async function killInUpkeep(scene: Scene): Promise<boolean> {
  const { installation } = scene;
  await upkeep(scene);
  await underWay(scene);
  await installation.kill('command-service');
  await installation.start('command-service');
  return true;
}

async function losePowerInUpkeep(scene: Scene): Promise<boolean> {
  await upkeep(scene);
  return losePower(scene);
}

async function upkeep({ work, random }: Scene): Promise<void> {
  await work.begin(WORK, random);
  await setTimeout(random.next() * WORK_MILLIS_MAX);
}

async function backUp({ backups }: Scene): Promise<boolean> {
  await backups.run();
  return false;
}
