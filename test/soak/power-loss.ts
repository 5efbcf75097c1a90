import { setTimeout } from 'node:timers/promises';
import { type Scene, underWay } from './disturbance.js';
import { PROCESSES } from './installation.js';

const POWERLESS_MILLIS_MAX = 150;

/** What was not synced is gone, and every process with it; then everything is started again. */
export async function losePower(scene: Scene): Promise<boolean> {
  const { installation, disk, rebuilds, random } = scene;
  await underWay(scene);
  await installation.tolerating('power-loss', async () => {
    disk.cutPower();
    // Nobody may be told anything good from here on.
    await setTimeout(random.between(0, POWERLESS_MILLIS_MAX));
    await Promise.all([installation.kill(...PROCESSES), rebuilds.abandon()]);
  });
  disk.restart();
  await installation.startAll();
  return true;
}
