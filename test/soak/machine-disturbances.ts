import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Child } from '../support/child.js';
import { type Disturbance, type Scene, underWay } from './disturbance.js';
import { Doubt } from './doubt.js';
import { PROCESSES } from './installation.js';

const DAY_MILLIS = 86_400_000;
/** Within what a clock may be off, a little beyond, and beyond the time for which a key is kept; either way. */
const SHIFTS_MILLIS = [2_000, 60_000, 3_600_000, DAY_MILLIS, 8 * DAY_MILLIS, 31 * DAY_MILLIS];
const SHIFTED_MILLIS_MIN = 300;
const SHIFTED_MILLIS_MAX = 3_000;
/** Descriptors that a process may open beyond those it has. */
const SPARE_DESCRIPTORS_MAX = 3;
const LIMITED_MILLIS_MAX = 3_000;
/** How long a busy machine may take to start a process that then refuses. */
const REFUSED_MILLIS_MAX = 180_000;
/** A volume that cannot be written: an input/output error, or a configuration that is wrong. */
const READ_ONLY_EXITS: ReadonlySet<number | null> = new Set([74, 78]);
/** A log that can no longer be written. */
const POISONED_EXITS: ReadonlySet<number | null> = new Set([70]);
/** Of a process that needs no log to be written. */
const AFTER_READ_ONLY_EXITS: ReadonlySet<number | null> = new Set([70, 74, 78]);
const BEFORE_COMMANDS_MILLIS_MAX = 1_000;

/** What a machine does to processes that have done nothing wrong. */
export const MACHINE_DISTURBANCES: readonly Disturbance[] = [
  { name: 'clock set', cards: 2, run: setClock },
  { name: 'descriptors used up', cards: 1, run: limitDescriptors },
  { name: 'disk read-only at a start', cards: 1, needsDisk: true, run: startReadOnly },
  { name: 'disk turns read-only', cards: 2, needsExt4: true, run: turnReadOnly },
];

/**
 * The clock is wrong for a moment, and right again before any process starts. Whatever the services refuse meanwhile is told as not applied; every key that was
 * answered before is answered the same afterwards, which the check that follows asks.
 */
async function setClock(scene: Scene): Promise<boolean> {
  const { installation, clock, random, tally } = scene;
  const [shift = 0] = SHIFTS_MILLIS.slice(random.between(0, SHIFTS_MILLIS.length - 1));
  await underWay(scene);
  const isAhead = random.next() < 0.5;
  tally.count(tally.clockJumps, `${told(shift)} ${isAhead ? 'ahead' : 'behind'}`);
  clock.set(isAhead ? shift : -shift);
  await setTimeout(random.between(SHIFTED_MILLIS_MIN, SHIFTED_MILLIS_MAX));
  scene.burst();
  clock.set(0);
  await installation.whenAllReady();
  return true;
}

/** The process has next to no descriptor left, and gets them back. It may end over it, and then is started again. */
async function limitDescriptors(scene: Scene): Promise<boolean> {
  const { installation, random } = scene;
  const name = PROCESSES[random.between(0, PROCESSES.length - 1)] ?? PROCESSES[0];
  const child = installation.services.get(name);
  if (child === undefined) return false;
  scene.tally.count(scene.tally.descriptorLimits, name);
  await installation.tolerating('descriptors', async () => {
    const { pid } = child;
    const open = readdirSync(`/proc/${pid}/fd`).length;
    limitTo(pid, String(open + random.between(0, SPARE_DESCRIPTORS_MAX)));
    await underWay(scene);
    await setTimeout(random.between(1, LIMITED_MILLIS_MAX));
    if (child.exit === undefined) limitTo(pid, 'unlimited');
    await installation.whenAllReady();
  });
  return true;
}

/** The soft limit only: `unlimited` is as much as the hard one allows. */
function limitTo(pid: number, soft: string): void {
  const hard = execFileSync(
    'prlimit',
    ['--pid', String(pid), '--nofile', '-o', 'HARD', '--noheadings'],
    {
      encoding: 'utf8',
    },
  ).trim();
  execFileSync('prlimit', [
    '--pid',
    String(pid),
    `--nofile=${soft === 'unlimited' ? hard : soft}:${hard}`,
  ]);
}

/** The command service says that it cannot write and ends; once the disk can be written, all is as it was. */
async function startReadOnly(scene: Scene): Promise<boolean> {
  const { installation, disk } = scene;
  await underWay(scene);
  await installation.kill(...PROCESSES);
  disk.remount('ro');
  await endsWith(installation.services.spawn('command-service'), READ_ONLY_EXITS);
  disk.remount('rw');
  scene.tally.count(scene.tally.readOnlyDisks, 'at a start');
  await installation.startAll();
  return true;
}

/**
 * ext4 does this by itself when its device fails. The next commit is the end of the command service, which says that its log failed; a supervisor's next start
 * of it says that the disk is read-only, and both change nothing. The others go on, or end like it. What was acknowledged was synced before.
 */
async function turnReadOnly(scene: Scene): Promise<boolean> {
  const { installation, disk, random, tally } = scene;
  await underWay(scene);
  await installation.tolerating('read-only', async () => {
    const running = installation.services.get('command-service');
    disk.turnReadOnly();
    await setTimeout(random.between(0, BEFORE_COMMANDS_MILLIS_MAX));
    scene.burst();
    await endsWith(running, POISONED_EXITS);
    await endsWith(installation.services.spawn('command-service'), READ_ONLY_EXITS);
    for (const name of PROCESSES.filter((other) => other !== 'command-service')) {
      const exit = installation.services.get(name)?.exit;
      if (exit !== undefined && !AFTER_READ_ONLY_EXITS.has(exit.code))
        throw new Doubt(
          `on a disk that became read-only, ${name} ended with ${JSON.stringify(exit)}: ${installation.lastWords(name)}`,
        );
      tally.count(tally.readOnlyDisks, `${name} ${exit === undefined ? 'went on' : 'ended'}`);
    }
    await installation.kill(...PROCESSES);
  });
  disk.restart();
  await installation.startAll();
  return true;
}

/** Throws `Doubt` when it goes on, or ends with anything else. */
async function endsWith(
  child: Child | undefined,
  codes: ReadonlySet<number | null>,
): Promise<void> {
  if (child === undefined) throw new Doubt('the command service does not run');
  const exit = await Promise.race([child.exited, setTimeout(REFUSED_MILLIS_MAX, undefined)]);
  if (exit === undefined || !codes.has(exit.code))
    throw new Doubt(
      `on a disk that cannot be written, the command service ended with ${JSON.stringify(exit)}: ${child.output}`,
    );
}

function told(millis: number): string {
  return millis < DAY_MILLIS ? `${millis / 1_000} s` : `${millis / DAY_MILLIS} days`;
}
