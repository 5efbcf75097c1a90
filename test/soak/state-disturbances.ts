import { setTimeout } from 'node:timers/promises';
import { type Disturbance, type Scene, underWay } from './disturbance.js';
import { StateDamage } from './state-damage.js';

const SCENES_WITH_STATE_LOST = 0.5;
const VERIFIED_POLL_MILLIS = 50;

/** What befalls the state while the command service is dead. It is made of the log, so none of it may be seen in an answer. */
export const STATE_DISTURBANCES: readonly Disturbance[] = [
  { name: 'state removed', cards: 1, run: (scene) => damaged(scene, (it) => it.removeState()) },
  {
    name: 'database of the state truncated',
    cards: 1,
    run: (scene) => damaged(scene, (it) => it.truncateDatabase()),
  },
  {
    name: 'bits of the state flipped',
    cards: 2,
    run: (scene) => damaged(scene, (it) => it.flipDatabaseBits()),
  },
  {
    name: 'newest snapshot damaged',
    cards: 1,
    run: (scene) => damaged(scene, (it) => andMaybeState(scene, it, it.damageNewestSnapshot())),
  },
  {
    name: 'snapshots removed',
    cards: 1,
    run: (scene) => damaged(scene, (it) => andMaybeState(scene, it, it.removeSnapshots())),
  },
];

/** Alone it harms nobody; without the state too, the start must do without it. */
function andMaybeState({ random }: Scene, damage: StateDamage, done: boolean): boolean {
  if (random.next() < SCENES_WITH_STATE_LOST) damage.removeState();
  return done;
}

/**
 * The process may end by itself, be it that it finds the damage or that the damage kills it, and is started again. Clients ask and are answered from its
 * first readiness on; the scene ends when the state has been read through.
 */
async function damaged(scene: Scene, harm: (damage: StateDamage) => boolean): Promise<boolean> {
  const { installation, work, random } = scene;
  const damage = new StateDamage(installation.services.dataDirectory, random);
  await underWay(scene);
  await installation.kill('command-service');
  if (harm(damage)) installation.suspect(damage.databaseDirectory());
  installation.spawn('command-service');
  await installation.whenReady('command-service');
  while (!(await work.isStateVerified())) await setTimeout(VERIFIED_POLL_MILLIS);
  return true;
}
