import { rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type Disturbance, type Scene, underWay } from './disturbance.js';
import { PROCESSES } from './installation.js';
import { MACHINE_DISTURBANCES } from './machine-disturbances.js';
import { losePower } from './power-loss.js';
import { STATE_DISTURBANCES } from './state-disturbances.js';
import { UPKEEP_DISTURBANCES } from './upkeep-disturbances.js';

const PAUSE_MILLIS_MIN = 200;
const PAUSE_MILLIS_MAX = 5_000;
const FULL_MILLIS_MIN = 500;
const FULL_MILLIS_MAX = 4_000;
const START_MILLIS_MAX = 1_500;
const REBUILD_MILLIS_MAX = 1_500;

/** All there are. */
export const DISTURBANCES: readonly Disturbance[] = [
  { name: 'command service killed', cards: 3, run: killCommandService },
  { name: 'command service killed in its start', cards: 1, run: killTwice },
  { name: 'command service told to stop', cards: 1, run: stopCommandService },
  { name: 'everything killed', cards: 1, run: killEverything },
  { name: 'worker killed', cards: 1, run: (scene) => killOther(scene, 'projection-worker') },
  { name: 'query service killed', cards: 1, run: (scene) => killOther(scene, 'query-service') },
  { name: 'command service paused', cards: 1, run: (scene) => pause(scene, 'command-service') },
  { name: 'worker paused', cards: 1, run: (scene) => pause(scene, 'projection-worker') },
  { name: 'query service paused', cards: 1, run: (scene) => pause(scene, 'query-service') },
  { name: 'disk full', cards: 1, needsDisk: true, run: fillDisk },
  { name: 'killed on a full disk', cards: 1, needsDisk: true, run: killOnFullDisk },
  { name: 'power loss', cards: 2, needsDisk: true, run: losePower },
  { name: 'power loss in a rebuild', cards: 1, needsDisk: true, run: losePowerInRebuild },
  { name: 'rebuild', cards: 1, run: rebuild },
  { name: 'rebuild killed', cards: 1, run: killRebuild },
  { name: 'read model removed', cards: 1, run: removeReadModel },
  { name: 'import', cards: 1, run: beginImport },
  { name: 'import killed', cards: 1, run: killImport },
  ...MACHINE_DISTURBANCES,
  ...STATE_DISTURBANCES,
  ...UPKEEP_DISTURBANCES,
];

async function killCommandService(scene: Scene): Promise<boolean> {
  const { installation } = scene;
  await underWay(scene);
  await installation.kill('command-service');
  await installation.start('command-service');
  return true;
}

/** In the middle of its recovery, as long as it takes. */
async function killTwice(scene: Scene): Promise<boolean> {
  const { installation, random } = scene;
  await installation.kill('command-service');
  installation.spawn('command-service');
  await setTimeout(random.between(1, START_MILLIS_MAX));
  await installation.kill('command-service');
  await installation.start('command-service');
  return true;
}

async function stopCommandService({ installation }: Scene): Promise<boolean> {
  await installation.stop('command-service');
  await installation.start('command-service');
  return true;
}

async function killEverything(scene: Scene): Promise<boolean> {
  const { installation } = scene;
  await underWay(scene);
  await installation.kill(...PROCESSES);
  await installation.startAll();
  return true;
}

async function killOther(
  scene: Scene,
  name: 'projection-worker' | 'query-service',
): Promise<boolean> {
  const { installation } = scene;
  await underWay(scene);
  await installation.kill(name);
  await installation.start(name);
  return false;
}

async function pause(
  { installation, random }: Scene,
  name: (typeof PROCESSES)[number],
): Promise<boolean> {
  await installation.pause(name, random.between(PAUSE_MILLIS_MIN, PAUSE_MILLIS_MAX));
  await installation.whenReady(name);
  return false;
}

async function fillDisk({ installation, disk, random }: Scene): Promise<boolean> {
  await installation.tolerating('full-disk', async () => {
    disk.fill();
    await setTimeout(random.between(FULL_MILLIS_MIN, FULL_MILLIS_MAX));
    disk.free();
    await installation.whenAllReady();
  });
  return true;
}

/** It may not be able to start until there is room again. */
async function killOnFullDisk({ installation, disk, random }: Scene): Promise<boolean> {
  await installation.tolerating('full-disk', async () => {
    disk.fill();
    await setTimeout(random.between(1, FULL_MILLIS_MIN));
    await installation.kill('command-service', 'projection-worker');
    installation.spawn('command-service');
    installation.spawn('projection-worker');
    await setTimeout(random.between(FULL_MILLIS_MIN, FULL_MILLIS_MAX));
    disk.free();
    await installation.whenAllReady();
  });
  return true;
}

async function losePowerInRebuild(scene: Scene): Promise<boolean> {
  const { rebuilds, random } = scene;
  rebuilds.begin();
  await setTimeout(random.between(1, REBUILD_MILLIS_MAX));
  await losePower(scene);
  // Whatever the power loss has left of it is taken up again.
  await rebuilds.run();
  return true;
}

async function rebuild({ rebuilds }: Scene): Promise<boolean> {
  await rebuilds.run();
  return false;
}

async function killRebuild({ rebuilds, random }: Scene): Promise<boolean> {
  await rebuilds.run(random.between(1, REBUILD_MILLIS_MAX));
  return false;
}

/** It is made again from the log. */
async function removeReadModel({ installation }: Scene): Promise<boolean> {
  await installation.kill('projection-worker');
  rmSync(installation.services.readModelDirectory, { recursive: true });
  await installation.start('projection-worker');
  return false;
}

function beginImport({ imports }: Scene): Promise<boolean> {
  imports.begin();
  return Promise.resolve(false);
}

async function killImport({ imports, random }: Scene): Promise<boolean> {
  imports.begin();
  await setTimeout(random.between(200, REBUILD_MILLIS_MAX));
  await imports.kill();
  return false;
}
