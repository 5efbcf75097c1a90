import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import {
  type Commit,
  type Position,
  readThroughState,
  retentionBound,
  stateDigestAt,
  type StateEvent,
} from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import { type Sequence, Wal } from '@holdfast/wal';
import { type DiskImage, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';
import { evolve } from '../state/counting.js';
import { changeValue, databaseIn, renameKey, shiftSeparators } from '../state/database-damage.js';
import { COMMIT_EVENTS, ExpectedState } from '../state/expected-state.js';
import {
  copyOf,
  type OpenOptions,
  openService,
  removeServices,
  type ServiceCut,
  type ServiceImage,
  SimulatedService,
} from '../state/simulated-service.js';
import { assertNamesAreDurable } from './traced-files.js';

type Probe = () => Promise<void>;

/** Of checkpoints, snapshots and the record of the state: a real database in a temporary directory, and the log on a simulated disk. */
export const STATE_PROBES: Readonly<Record<string, Probe>> = Object.fromEntries(
  Object.entries({
    'power cuts at the steps of checkpoints': powerCutsAtSteps,
    'a state that is ahead of its log': stateAhead,
    'a state of another history': otherHistory,
    'a state of another folding': otherFolding,
    'a state of another folding, taken over': otherFoldingTakenOver,
    'snapshots, and a log that was shortened to them': snapshotsKept,
    'the names of a state on the disk': assertNamesAreDurable,
    'damage to the mark of a checkpoint': damagedMark,
    'damage to a value of the state': damagedValue,
    'damage to a key of the state': damagedKey,
    'damage to branches of the state': damagedBranches,
    'damage to branches of a state that is ahead of its record': damagedBranchesAhead,
    'damage to the record of the state': damagedRecord,
    'what a start that died has left in the record': leftInRecord,
    'a start that finds no beginning for the state': withoutBeginning,
    'an entry of the state exchanged under its own checksum': exchangedEntry,
    'a state whose database was cut': cutDatabase,
  }).map(([name, probe]) => [name, () => probe().finally(removeServices)]),
);

const ROUNDS = 3;
const ROUND_COMMITS = 40;
/** More than the starts that may die before a database is made anew. */
const ATTEMPTS = 7;
const READ_THROUGH = fileURLToPath(new URL('../state/read-through.js', import.meta.url));

/** Three checkpoints; at each step of each the values are read and one more commit is appended, and the power is cut. */
async function powerCutsAtSteps(): Promise<void> {
  const cuts: ServiceCut[] = [];
  let round = 0;
  let problem: unknown;
  const cut = (label: string): void => {
    // Before the first there is nothing to fall back on; the last shows what all have left. The one between them shows nothing else.
    if (round !== 1) cuts.push(service.cut(label));
  };
  const service = await SimulatedService.open((event) => {
    if (event.kind !== 'checkpoint-step') return;
    try {
      cut(`${event.step} ${event.position}`);
      service.assertState();
      void service.appendNow();
    } catch (error) {
      problem ??= error;
    }
  });
  onFloorsSet(service.system, () => cut('floors set'));
  for (; round < ROUNDS; round++) {
    await service.append(ROUND_COMMITS);
    await service.checkpoint();
    service.assertState();
  }
  if (problem !== undefined) throw problem as Error;
  await service.close();
  const digests = new Map<number, string>();
  for (const left of cuts)
    await labelled(`power cut at ${left.label}`, () => judge(left, service.commits, digests));
}

/** A floor is set within a step of a checkpoint, and must find what it stands for on the disk. */
function onFloorsSet(system: SimulatedFileSystem, listener: () => void): void {
  const rename = system.rename.bind(system);
  const syncDirectory = system.syncDirectory.bind(system);
  let isSet = false;
  system.rename = (from, to) => {
    rename(from, to);
    isSet ||= to.includes('FLOORS');
  };
  system.syncDirectory = (directory) => {
    syncDirectory(directory);
    if (isSet) listener();
    isSet = false;
  };
}

/** Opens what a cut has left, after the log was shortened as far as its floors let it. */
async function judge(
  cut: ServiceCut,
  commits: readonly Commit[],
  digests: Map<number, string>,
): Promise<void> {
  const system = SimulatedFileSystem.on(cut.log);
  const replayed = await shortened(system, digests);
  let rebuilt: string | undefined;
  const log = await openService(system, cut.directory, {
    state: { onEvent: (event) => (rebuilt ??= reasonsOf(event)[0]) },
  });
  try {
    if (rebuilt !== undefined && cut.recorded > 0) throw new Error(`made anew: ${rebuilt}`);
    if (log.lastPosition < cut.promised)
      throw new Error(`ends at ${log.lastPosition}, and ${cut.promised} was promised`);
    if (log.replayReport.after < cut.recorded)
      throw new Error(`replays from ${log.replayReport.after}, and ${cut.recorded} was recorded`);
    ExpectedState.at(log.lastPosition, commits).assertSame(log);
    const { digest } = await log.checkpoint();
    if (replayed !== undefined && digest !== replayed)
      throw new Error(`its digest is ${digest}, and that of a replay ${replayed}`);
  } finally {
    await log.close();
  }
}

/** The digest of the state at the log's end, made by a replay of all of it; then what no floor holds is removed. */
async function shortened(
  system: SimulatedFileSystem,
  digests: Map<number, string>,
): Promise<string | undefined> {
  if (!system.exists(`${LOG}/MANIFEST`)) return undefined;
  const wal = await Wal.open(LOG, simulatedOptions(system, 99));
  try {
    const { lastSequence } = wal;
    let digest = digests.get(lastSequence);
    if (digest === undefined && lastSequence > 0) {
      const replayed = await stateDigestAt(wal, lastSequence as number as Position, { evolve });
      digest = replayed.digest;
      digests.set(lastSequence, digest);
    }
    // Nobody shortens a log without any floor for its state.
    if (wal.floors.all().has('checkpoint'))
      await wal.maintenance.removeSegments({ below: (lastSequence + 1) as Sequence });
    return digest;
  } finally {
    await wal.close();
  }
}

/** A log that has lost what its state has seen is refused, rather than taken for a shorter one; and nothing is changed by it. */
async function stateAhead(): Promise<void> {
  const cuts = new Map<string, ServiceCut>();
  const service = await SimulatedService.open((event) => {
    if (event.kind === 'checkpoint-step') cuts.set(event.step, service.cut(event.step));
  });
  await service.append(ROUND_COMMITS);
  await service.checkpoint();
  const { log } = service.cut('first');
  await service.append(ROUND_COMMITS);
  await service.checkpoint();
  await service.close();
  for (const step of ['written', 'recorded']) {
    const cut = cuts.get(step);
    if (cut === undefined) throw new Error(`no step ${step}`);
    const system = SimulatedFileSystem.on(log);
    // Whoever tries again, and again, is refused again: no refusal may be what lets a later open through.
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++)
      await labelled(`database at the step ${step}, and an older log, open ${attempt}`, () =>
        assertRefused(system, cut.directory, 'WAL_BEHIND_STATE'),
      );
    if (step === 'recorded' && segmentsOf(system.disk.image()) !== segmentsOf(log))
      throw new Error('the refusal has changed the log');
  }
}

/** A log that was restored and has gone on by itself: neither the state nor the snapshot of what it forgot belongs to it. */
async function otherHistory(): Promise<void> {
  const first = await SimulatedService.open();
  await first.append(ROUND_COMMITS);
  const { commits } = first;
  const common = { image: await first.close(), commits: [...commits] };
  const one = await SimulatedService.open(undefined, { ...common, image: copyOf(common.image) });
  await one.append(5);
  await one.log.snapshot();
  const forgotten = await one.close();
  const other = await SimulatedService.open(undefined, { ...common, image: copyOf(common.image) });
  await other.append(30, 1_000);
  const { log } = await other.close();
  for (const removed of ['snapshots', 'state']) {
    const { directory } = copyOf(forgotten);
    rmSync(join(directory, removed), { recursive: true });
    await labelled(`without ${removed}`, () => assertRight({ log, directory }, other.commits));
  }
}

/** A program that folds otherwise begins anew. */
async function otherFolding(): Promise<void> {
  const service = await SimulatedService.open();
  await service.append(ROUND_COMMITS);
  await service.log.snapshot();
  const image = await service.close();
  for (const removed of ['snapshots', 'state']) {
    const { log: disk, directory } = copyOf(image);
    rmSync(join(directory, removed), { recursive: true });
    const log = await openService(SimulatedFileSystem.on(disk), directory, {
      evolve: ({ position }, state) => state.section<number>('other').set('last', position),
      state: { stateVersion: '2' },
    });
    const last = log.state.section<number>('other').get('last');
    const { lastPosition } = log;
    await log.close();
    if (last !== lastPosition)
      throw new Error(`without ${removed}: folded up to ${String(last)} of ${lastPosition}`);
  }
}

/** A program that folds otherwise begins with the snapshot of another one, and leaves out what that has of its own. */
async function otherFoldingTakenOver(): Promise<void> {
  const service = await SimulatedService.open();
  await service.append(ROUND_COMMITS);
  const { position } = await service.log.snapshot();
  const { log: disk, directory } = copyOf(await service.close());
  const log = await openService(SimulatedFileSystem.on(disk), directory, {
    state: { stateVersion: '2', takesOver: { 1: { leaveOut: ['counts'] } } },
  });
  const found = [log.replayReport.after, (await log.checkpoint()).entries];
  const { entries } = await stateDigestAt(log.wal, position, { evolve });
  await log.close();
  if (found[0] !== position || found[1] === entries)
    throw new Error(`taken over: ${String(found)} of ${position}, ${entries}`);
}

/** The two newest snapshots are kept, and each of them is enough for what retention leaves of the log. */
async function snapshotsKept(): Promise<void> {
  const service = await SimulatedService.open();
  const made: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await service.append(ROUND_COMMITS);
    made.push((await service.log.snapshot()).position);
  }
  const { log } = service;
  const kept = log.snapshots();
  const positions = kept.map(({ position }) => position);
  if (positions.join() !== made.slice(-2).reverse().join())
    throw new Error(`of ${made.join()} the snapshots ${positions.join()} are kept`);
  const { below } = retentionBound(
    { policy: 'snapshots', livePositionsMin: 0, liveMillisMin: 0 },
    {
      durablePosition: log.durablePosition,
      nowMillis: 0,
      archivedPosition: 0 as Position,
      snapshotPositions: positions,
      firstPositionSince: () => 0 as Position,
    },
  );
  await log.wal.maintenance.removeSegments({ below: below as number as Sequence });
  if (log.firstPosition === 1) throw new Error('nothing was removed');
  await service.append(5);
  const image = await service.close();
  for (const { path } of kept) {
    const copy = copyOf(image);
    rmSync(join(copy.directory, 'state'), { recursive: true });
    flip(path.replace(image.directory, copy.directory));
    await labelled(`${path} is damaged`, () => assertRight(copy, service.commits));
  }
}

async function damagedMark(): Promise<void> {
  const { image, commits } = await closedService();
  changeValue(image.directory, [], (stored) => {
    const at = stored.indexOf('"position":') + '"position":'.length;
    stored.writeUInt8(stored.readUInt8(at) ^ 1, at);
    return true;
  });
  await assertNoticedOrRight(image, commits);
}

async function damagedValue(): Promise<void> {
  const { image, commits } = await closedService();
  changeValue(image.directory, ['counts', 's-7'], flippedLast);
  await assertNoticedOrRight(image, commits);
}

async function damagedKey(): Promise<void> {
  const { image, commits } = await closedService();
  renameKey(image.directory, 'counts', 's-9');
  await assertNoticedOrRight(image, commits);
}

async function damagedBranches(): Promise<void> {
  const { image, commits } = await closedService();
  await assertSeparatorsNoticed(image, commits);
}

/** Killed between the commit of a checkpoint and its record, and the branches of the one before damaged too: nothing vouches for any, so they are read through first. */
async function damagedBranchesAhead(): Promise<void> {
  let ahead: ServiceCut | undefined;
  const service = await SimulatedService.open((event) => {
    if (event.kind === 'checkpoint-step' && event.step === 'written')
      ahead = service.cut('written');
  });
  for (let round = 0; round < ROUNDS; round++) {
    await service.append(ROUND_COMMITS);
    await service.checkpoint();
  }
  await service.close();
  if (ahead === undefined) throw new Error('no checkpoint was written');
  await assertSeparatorsNoticed(ahead, service.commits);
}

/** One section at a time: a lookup in another may notice what hides a key in this one. */
async function assertSeparatorsNoticed(
  image: ServiceImage,
  commits: readonly Commit[],
): Promise<void> {
  for (const section of ['counts', 'last']) {
    const copy = copyOf(image);
    shiftSeparators(copy.directory, section);
    await labelled(`branches of ${section}`, () => assertNoticedOrRight(copy, commits));
  }
}

/** A position that nobody has reached, under the checksum of the one that was written. */
async function damagedRecord(): Promise<void> {
  const { image, commits } = await closedService();
  editRecord(image, (body) => body.replace(/"position":\d/, '"position":9'), false);
  await assertRight(image, commits);
}

/** The next start must not touch a database that has killed the last one, or was found to be damaged. */
async function leftInRecord(): Promise<void> {
  const { image, commits } = await closedService();
  for (const [is, was] of [
    ['"opening":true', '"opening":false'],
    ['"unverifiedStarts":5', '"unverifiedStarts":0'],
    ['"opening":false,"rebuild":"damage"', '"opening":false'],
  ] as const) {
    const left = copyOf(image);
    editRecord(left, (body) => body.replace(was, is), true);
    const reasons: string[] = [];
    const options = {
      state: { onEvent: (event: StateEvent) => void reasons.push(...reasonsOf(event)) },
    };
    await assertRight(left, commits, options);
    if (reasons.length === 0) throw new Error(`${is}: the database was opened`);
    reasons.length = 0;
    await assertRight(left, commits, options);
    if (reasons.length > 0) throw new Error(`${is}: made anew again: ${reasons.join()}`);
  }
}

/** The log begins behind what is in snapshots, and they are away for one start: what there is of the state is there for the next. */
async function withoutBeginning(): Promise<void> {
  const service = await SimulatedService.open();
  for (let round = 0; round < 2; round++) {
    await service.append(ROUND_COMMITS);
    await service.log.snapshot();
  }
  const [, older] = service.log.snapshots();
  if (older === undefined) throw new Error('there are not two snapshots');
  await service.log.wal.maintenance.removeSegments({ below: Number(older.position) as Sequence });
  if (service.log.firstPosition === 1) throw new Error('nothing was removed');
  const { commits } = service;
  const { log, directory } = await service.close();
  rmSync(join(directory, 'snapshots'), { recursive: true });
  const state = { stateVersion: '2' };
  const refused = openService(SimulatedFileSystem.on(log), directory, { state });
  const code = await refused.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  );
  if (code !== 'EVENT_POSITION_GONE') throw new Error(`not refused: ${String(code)}`);
  await assertRight({ log, directory }, commits);
}

/** Each entry is whole by itself, and only the digest of all of them tells. */
async function exchangedEntry(): Promise<void> {
  const { image } = await closedService();
  changeValue(image.directory, ['counts', 's-7'], (stored, key) => {
    flippedLast(stored);
    const keyBytes = Buffer.alloc(2);
    keyBytes.writeUInt16LE(key.length);
    stored.writeUInt32LE(crc32(Buffer.concat([keyBytes, key, stored.subarray(4)])));
    return true;
  });
  try {
    await readThroughState(join(image.directory, 'state'));
  } catch (error) {
    if (errorCode(error) === 'EVENT_STATE_DAMAGED') return;
    throw error;
  }
  throw new Error('a database that was read through does not hold what was written');
}

/** Whoever maps a file that is too short dies of it, so this is done by another process. */
async function cutDatabase(): Promise<void> {
  const { image } = await closedService();
  const copies = [0.25, 0.5, 0.75, 1].map((part) => {
    const copy = copyOf(image);
    const path = databaseIn(copy.directory);
    const pages = readFileSync(path).length / 4_096;
    truncateSync(path, Math.min(pages - 1, Math.ceil(part * pages)) * 4_096);
    return join(copy.directory, 'state');
  });
  const { stdout, signal } = spawnSync(process.execPath, [READ_THROUGH, ...copies], {
    encoding: 'utf8',
  });
  const noticed = stdout.split('\n').filter((line) => line.includes('noticed EVENT_STATE_DAMAGED'));
  if (noticed.length !== copies.length)
    throw new Error(`${noticed.length} of ${copies.length} are noticed; ended with ${signal ?? 0}`);
}

/** Two checkpoints, the second one at the close. */
async function closedService(): Promise<{ image: ServiceImage; commits: readonly Commit[] }> {
  const service = await SimulatedService.open();
  await service.append(2 * ROUND_COMMITS);
  await service.checkpoint();
  await service.append(ROUND_COMMITS);
  return { image: await service.close(), commits: service.commits };
}

async function assertRight(
  { log: disk, directory }: ServiceImage,
  commits: readonly Commit[],
  options: OpenOptions = {},
): Promise<void> {
  const log = await openService(SimulatedFileSystem.on(disk), directory, options);
  try {
    const { length } = commits;
    if (log.lastPosition !== COMMIT_EVENTS * length)
      throw new Error(`${log.lastPosition} events of ${length} commits`);
    ExpectedState.at(log.lastPosition, commits).assertSame(log);
  } finally {
    await log.close();
  }
}

/** Nothing wrong is ever read: damage is noticed by the reader at the latest, and the next start makes the state anew. */
async function assertNoticedOrRight(
  image: ServiceImage,
  commits: readonly Commit[],
): Promise<void> {
  try {
    await assertRight(image, commits);
  } catch (error) {
    if (errorCode(error) !== 'EVENT_STATE_DAMAGED') throw error;
    await assertRight(image, commits);
  }
}

async function assertRefused(
  system: SimulatedFileSystem,
  directory: string,
  code: string,
): Promise<void> {
  try {
    const log = await openService(system, directory);
    await log.close();
  } catch (error) {
    if (errorCode(error) === code) return;
    throw error;
  }
  throw new Error(`it was opened, and not refused with ${code}`);
}

/** `sealed`: with the checksum of what it says now. */
function editRecord(
  { directory }: ServiceImage,
  edit: (body: string) => string,
  sealed: boolean,
): void {
  const path = join(directory, 'state', 'STATE');
  const [title = '', body = '', checksum = ''] = readFileSync(path, 'utf8').split('\n');
  const edited = edit(body);
  if (edited === body) throw new Error(`nothing to change in ${body}`);
  const seal = sealed ? crc32(edited).toString(16).padStart(8, '0') : checksum;
  writeFileSync(path, `${title}\n${edited}\n${seal}\n`);
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

/** Of a number in JSON: another number. */
function flippedLast(stored: Buffer): boolean {
  const last = stored.length - 1;
  stored.writeUInt8(stored.readUInt8(last) ^ 1, last);
  return true;
}

function reasonsOf(event: StateEvent): string[] {
  return event.kind === 'rebuilding' ? [event.reason] : [];
}

function segmentsOf({ files }: DiskImage): string {
  return [...files.keys()].filter((path) => path.endsWith('.wal')).join();
}

async function labelled(label: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${label}: ${message}`, { cause: error });
  }
}
