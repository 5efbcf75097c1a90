import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { type File, NodeFileSystem, behindState } from '@holdfast/wal';
import type { Position } from '../../event.js';
import { EventStoreError, stateUnavailable } from '../../event-store.errors.js';
import { makeDurableDirectory } from '../../durable-directory.js';
import { speaksAgainst } from '../thread/snapshot-proof.js';
import { faultOfUse, listSnapshots } from '../snapshot/snapshots.js';
import { assertRoom, isOfLmdb, isOfSystem, isPassing, stateFault } from '../model/state-fault.js';
import {
  type StateDatabase,
  databaseFault,
  databaseFile,
  markIn,
  openStateDatabase,
  readMark,
} from '../database/state-database.js';
import type { StateMark, StatePlace } from '../model/state-mark.js';
import { type ResolvedStateOptions, leftOutOf } from '../model/state-options.js';
import { type StateFacts, StateRecord, readStateFacts } from './state-record.js';
import { type StateSource, isOfLog } from '../model/state-source.js';
import { StateThread } from '../thread/state-thread.js';
import type { StateAnswer, StateJob } from '../thread/state.worker.js';
import { takeBackNewest } from '../pages/state-pages.js';
import { type TreeSeal, sealOf } from '../pages/state-seal.js';

/**
 * Starts in a row that died before the database was read through once; then it is made anew. More than a deployment that goes wrong twice, and few
 * enough for a service that dies of the damage: it answers nothing wrong meanwhile, and each of these starts is short.
 */
const UNVERIFIED_STARTS_MAX = 5;
const GENERATION = /^lmdb-([1-9][0-9]{0,8})$/;
/** Of the directory. Whoever takes the log over from a stopped process does not get it. */
const LOCK_NAME = 'LOCK';
/** Of a generation: held by the process that has its database open, since who took over has no other lock. */
const GENERATION_LOCK = /^LOCK-([1-9][0-9]{0,8})$/;
/** Texts of the record that never got its name. */
const LEFT_OVER = /^STATE\..*tmp$/;

/** The database of this start, open in this thread, and what is known of it. */
export interface OpenedState {
  readonly directory: string;
  readonly database: StateDatabase;
  readonly record: StateRecord;
  readonly mark: StateMark | undefined;
  /** Why the state is made anew, if it is. */
  readonly rebuilt: string | undefined;
  /** What the record said of unverified starts before this one. */
  readonly unverifiedStarts: number;
  release(): Promise<void>;
}

/**
 * Opens the newest generation of the database, or begins another one. The caller has the log's writer lock. Nothing here trusts the database: it is a
 * cache of the log, without page checksums, and a damaged tree may kill the process; so marks are left on disk before it is touched.
 */
export async function openStateDirectory(
  options: ResolvedStateOptions,
  log: StateSource,
): Promise<OpenedState> {
  const { directory } = options;
  makeDurableDirectory(directory);
  const lock = tryLock(directory, LOCK_NAME);
  const found = readStateFacts(directory);
  const facts = found === 'damaged' ? undefined : found;
  const record = new StateRecord(
    directory,
    facts ?? { generation: 1, opening: false, unverifiedStarts: 0 },
  );
  const unverifiedStarts = facts?.unverifiedStarts ?? 0;
  let own: File | undefined;
  const release = async (): Promise<void> => {
    // First: whoever gets the locks next has the record for itself.
    await record.close();
    own?.close();
    lock?.close();
  };
  try {
    own = tryLock(directory, lockNameOf(record.facts.generation));
    log.assertUnfenced();
    const reason =
      faultOf(directory, record, {
        hasLocks: lock !== undefined && own !== undefined,
        recordDamaged: found === 'damaged',
        logIsEmpty: log.durablePosition === 0,
      }) ?? (await openGeneration(options, log, record));
    if (typeof reason !== 'string')
      return { ...reason, record, rebuilt: undefined, unverifiedStarts, release };
    options.onEvent({ kind: 'rebuilding', reason });
    own?.close();
    own = undefined;
    if (facts !== undefined) removeHalfFilled(directory, facts.generation, log);
    // One that somebody else is beginning just now is taken too.
    let generation = Math.max(record.facts.generation, ...generationsIn(directory));
    do own = tryLock(directory, lockNameOf(++generation));
    while (own === undefined);
    const opened = await beginGeneration(generation, options, log, record).catch(
      async (error: unknown) => {
        // Refused, with everything as it was: nothing was opened that this process did not survive.
        if (facts !== undefined && record.facts.generation === facts.generation)
          await record.change(facts).catch(() => undefined);
        throw error;
      },
    );
    return { ...opened, record, rebuilt: reason, unverifiedStarts: 0, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Where the log must at least reach, by what the record says; undefined when the state will be made anew anyway. */
export function expectedPlace(directory: string): StatePlace | undefined {
  const facts = readStateFacts(directory);
  if (facts === undefined || facts === 'damaged' || facts.checkpoint === undefined)
    return undefined;
  const fault = faultOf(directory, new StateRecord(directory, facts), {
    hasLocks: true,
    recordDamaged: false,
    logIsEmpty: false,
  });
  return fault === undefined ? facts.checkpoint : undefined;
}

/** The database that another process may be using just now. */
export function currentDatabaseDirectory(directory: string): string | undefined {
  const facts = readStateFacts(directory);
  if (facts === undefined || facts === 'damaged') return undefined;
  return generationPath(directory, facts.generation);
}

/** Why the generation that the record names must not be opened. */
function faultOf(
  directory: string,
  { facts }: StateRecord,
  circumstances: {
    readonly hasLocks: boolean;
    readonly recordDamaged: boolean;
    readonly logIsEmpty: boolean;
  },
): string | undefined {
  // Whoever the log was taken over from may be stopped in the middle of a transaction, or have one yet to begin.
  if (!circumstances.hasLocks) return 'another process still holds the state';
  if (circumstances.recordDamaged) return 'its record is damaged';
  if (facts.rebuild !== undefined) return facts.rebuild;
  if (facts.opening) return 'the last start died while it opened the database';
  if (facts.unverifiedStarts >= UNVERIFIED_STARTS_MAX)
    return `${facts.unverifiedStarts} starts died before the database was read through once`;
  if (facts.checkpoint === undefined)
    return circumstances.logIsEmpty ? undefined : 'no checkpoint has been made yet';
  const fault = databaseFault(generationPath(directory, facts.generation));
  return fault === undefined ? undefined : `the database cannot be opened: ${fault}`;
}

type OpenedDatabase = Pick<OpenedState, 'directory' | 'database' | 'mark'>;

/** Opens the generation that the record names, or says why not. */
async function openGeneration(
  options: ResolvedStateOptions,
  log: StateSource,
  record: StateRecord,
): Promise<OpenedDatabase | string> {
  const { directory, stateVersion } = options;
  const { generation, unverifiedStarts } = record.facts;
  const path = generationPath(directory, generation);
  // Crash from here to the change back: the next start does not open this database again.
  await record.change({ opening: true, unverifiedStarts: unverifiedStarts + 1 });
  let database: StateDatabase | undefined;
  try {
    const { tree } = record.facts;
    // Before LMDB sees it: a damaged branch may hide any number of keys, or lead LMDB out of the file.
    const found = tree === undefined ? 'unknown' : comparedWith(path, tree);
    if (found === 'ahead') takeBack(options, log, record);
    const isVouchedFor = found === 'sealed' || found === 'ahead';
    if (found === 'damaged') return 'the branches of its tree are not what was written';
    if (!fs.existsSync(databaseFile(path))) assertRoom(directory);
    database = openStateDatabase(path);
    const mark = readMark(database);
    const reason =
      unusable(mark, stateVersion, record, log) ??
      (mark === undefined || isVouchedFor ? undefined : await faultWithin(path));
    if (reason === undefined && mark !== 'damaged') {
      if (generationsIn(directory).some((other) => other < generation))
        removeOthers(directory, generation, log);
      removeHalfFilled(directory, generation, log);
      await record.change({ opening: false });
      return { directory: path, database, mark };
    }
    await database.close();
    return reason ?? 'its mark is damaged';
  } catch (error) {
    await database?.close();
    if (errorCode(error) === 'WAL_BEHIND_STATE') {
      // Nothing is wrong with the database. Left as it is, the record would have the next start make it anew, of a log that has lost what it knows of.
      await record.change({ opening: false, unverifiedStarts });
      throw error;
    }
    const fault = stateFault(error, directory);
    if (isOfSystem(fault.code)) {
      // Nothing that a new database would mend. This one did not kill the process; if that cannot be written either, the next start makes it anew. A thread that has
      // died of it may have died of damage, as may LMDB have refused for it: so many starts, and it is made anew.
      const isApart = isPassing(fault.code) && !isOfLmdb(fault.code);
      const counted = isApart ? { unverifiedStarts } : {};
      await record.change({ opening: false, ...counted }).catch(() => undefined);
      throw Object.assign(new Error(fault.message, { cause: error }), { code: fault.code });
    }
    return `the database cannot be opened: ${errorMessage(error)}`;
  }
}

/**
 * What the record's seal says of the database. `ahead`: a crash between a commit and its record has left it with one checkpoint more than the sealed one, which
 * is still whole in the file. `unknown`: nothing vouches for it.
 */
function comparedWith(path: string, tree: TreeSeal): 'sealed' | 'ahead' | 'unknown' | 'damaged' {
  // The record of an older release says nothing of the free pages.
  if (tree.free === undefined) return 'unknown';
  const newest = sealOf(databaseFile(path));
  if (typeof newest !== 'string' && newest.transaction === tree.transaction)
    return isSameSeal(newest, tree) ? 'sealed' : 'damaged';
  const before = sealOf(databaseFile(path), 'before');
  if (typeof before !== 'string' && isSameSeal(before, tree)) return 'ahead';
  return typeof newest === 'string' ? 'damaged' : 'unknown';
}

function isSameSeal(found: TreeSeal, tree: TreeSeal): boolean {
  return (
    found.transaction === tree.transaction &&
    found.checksum === tree.checksum &&
    found.branches === tree.branches &&
    found.leaves === tree.leaves &&
    found.free === tree.free
  );
}

/**
 * Goes back to the checkpoint that the record names and seals, instead of reading the whole database through before the first answer. Nothing is lost: the log
 * keeps everything since, because its floor moves only after the record. Crash on the way: the next start finds the database ahead again, or sealed.
 */
function takeBack(
  { directory, onEvent }: ResolvedStateOptions,
  log: StateSource,
  record: StateRecord,
): void {
  const { generation, checkpoint } = record.facts;
  const file = databaseFile(generationPath(directory, generation));
  const mark = markIn(file);
  // What it has seen is forgotten from here on, so a log that has lost it is refused now.
  if (mark !== undefined) assertNotAhead(mark, log);
  takeBackNewest(file);
  onEvent({ kind: 'taken-back', from: mark?.position, to: checkpoint?.position ?? 0 });
}

/** Reads it through before anybody asks it: nothing else vouches for its branches and its free pages. */
async function faultWithin(path: string): Promise<string | undefined> {
  const thread = new StateThread(path);
  try {
    const answer = await thread.run({ kind: 'scan', bytesPerSecond: Infinity, freePages: true });
    if (!('scan' in answer)) throw new TypeError('a scan was asked for');
    if (answer.scan.kind === 'whole') return undefined;
    return answer.scan.kind === 'damaged' ? answer.scan.reason : `it is ${answer.scan.kind}`;
  } finally {
    await thread.close();
  }
}

function unusable(
  mark: StateMark | 'damaged' | undefined,
  stateVersion: string,
  { facts }: StateRecord,
  log: StateSource,
): string | undefined {
  if (mark === 'damaged') return 'its mark is damaged';
  if (mark === undefined)
    return facts.checkpoint === undefined ? undefined : 'it has no checkpoint';
  if (mark.stateVersion !== stateVersion)
    return `it was made by another way of folding: ${mark.stateVersion}, and now it is ${stateVersion}`;
  assertNotAhead(mark, log);
  if (!isOfLog(mark, log)) return 'it is of another history than the log';
  return undefined;
}

/** The database may be one checkpoint ahead of the record, which is what the log was opened with. */
function assertNotAhead(mark: StateMark, log: StateSource): void {
  const { logId, durablePosition } = log;
  if (mark.logId !== logId || mark.position <= durablePosition) return;
  if (log.timelineAt(durablePosition) === mark.timeline) {
    const { position: sequence, timeline } = mark;
    throw behindState({ logId, sequence, timeline }, durablePosition);
  }
}

/**
 * A new database, empty or filled from the best snapshot. The others go: whatever happens next, they are not opened again.
 *
 * A log that begins at its first position is all that a state needs, so the others make room first. Where the log begins later, they may be all that is left of what came
 * before, also if they serve nobody just now: the snapshots may come back, or the log that they are of. So the new one is filled first. Crash, or a refusal, before the record names
 * it: the record names what it named, nothing of that is touched, and the next start removes the half-filled one. Crash after it: the record names a database that is
 * whole, with its checkpoint, and the next start removes the others.
 */
async function beginGeneration(
  generation: number,
  options: ResolvedStateOptions,
  log: StateSource,
  record: StateRecord,
): Promise<OpenedDatabase> {
  const { directory } = options;
  const path = generationPath(directory, generation);
  const take = async (filled: Pick<StateFacts, 'checkpoint' | 'tree'> = {}): Promise<void> => {
    // Whoever was stopped on the way here, and has lost the log meanwhile, names nothing and removes nothing.
    log.assertUnfenced();
    const begun = { opening: false, unverifiedStarts: 1, rebuild: undefined };
    const { checkpoint, tree } = filled;
    await record.change({ generation, ...begun, checkpoint, tree });
    removeOthers(directory, generation, log);
  };
  const holdsAll = log.firstPosition === 1;
  // Crash behind it: the record names a generation that is not there, without a checkpoint, and the next start begins one.
  if (holdsAll) await take();
  const { mark, tree } = (await fillFromSnapshot(options, log, path, take)) ?? {};
  if (mark === undefined && !holdsAll) throw beginningGone(log.firstPosition, options);
  assertRoom(directory);
  const database = openStateDatabase(path);
  if (mark === undefined) return { directory: path, database, mark };
  const opened = readMark(database);
  if (typeof opened !== 'object' || opened.digest !== mark.digest) {
    await database.close();
    log.assertUnfenced();
    throw stateUnavailable(`${path} is not what was loaded into it a moment ago`);
  }
  const { logId, position, timeline } = mark;
  await take({ checkpoint: { logId, position, timeline }, tree });
  options.onEvent({ kind: 'snapshot-loaded', mark });
  return { directory: path, database, mark };
}

/** What starts that died have left above the generation that the record names. One that is being filled is locked by whoever does it. */
function removeHalfFilled(directory: string, generation: number, log: StateSource): void {
  for (const other of generationsIn(directory)) {
    const lock = other > generation ? tryLock(directory, lockNameOf(other)) : undefined;
    if (lock === undefined) continue;
    try {
      // With the lock: who took the log over may have filled it, named it and ended.
      log.assertUnfenced();
      fs.rmSync(generationPath(directory, other), { recursive: true, force: true });
    } finally {
      lock.close();
    }
  }
}

/** Those below the generation that the record names, also of a start that died before it came to this. Higher ones are of who came later. */
function removeOthers(directory: string, generation: number, log: StateSource): void {
  log.assertUnfenced();
  for (const other of generationsIn(directory))
    if (other < generation)
      fs.rmSync(generationPath(directory, other), { recursive: true, force: true });
  // A lock that somebody still holds goes with its generation, which nobody opens again.
  const isLeftOver = (name: string): boolean =>
    LEFT_OVER.test(name) || Number(GENERATION_LOCK.exec(name)?.[1] ?? Infinity) < generation;
  for (const left of fs.readdirSync(directory).filter(isLeftOver))
    fs.rmSync(join(directory, left), { force: true });
}

/**
 * Every byte of a snapshot is verified before the first is loaded. Where the disk has no room for the new database beside the old, `makeRoom` gives the old up on the strength of a snapshot that was
 * read whole just now, as events are given up.
 */
async function fillFromSnapshot(
  options: ResolvedStateOptions,
  log: StateSource,
  path: string,
  makeRoom: () => Promise<void>,
): Promise<{ readonly mark: StateMark; readonly tree?: TreeSeal } | undefined> {
  const { snapshotDirectory, stateVersion, onEvent } = options;
  if (snapshotDirectory === undefined) return undefined;
  for (const snapshot of listSnapshots(snapshotDirectory).entries) {
    if (faultOfUse(snapshot, options, log) !== undefined) continue;
    const { path: file, mark } = snapshot;
    const leaveOut = leftOutOf(mark, options) ?? [];
    const load = (): Promise<StateAnswer> =>
      madeBy({ kind: 'load', path: file, stateVersion, leaveOut }, path);
    try {
      await madeBy({ kind: 'verify-snapshot', path: file, bytesPerSecond: Infinity }, path);
      const answer = await load().catch(async (error: unknown) => {
        if (errorCode(error) !== 'ENOSPC') throw error;
        await makeRoom();
        return load();
      });
      if ('mark' in answer) return answer;
    } catch (error) {
      // What the machine is short of says nothing of the snapshot, and an older one is no better.
      if (!speaksAgainst(error)) throw error;
      onEvent({ kind: 'snapshot-refused', path: file, reason: errorMessage(error) });
    }
  }
  return undefined;
}

/** In a thread of its own, on a database of which nothing is left when it fails. */
async function madeBy(job: StateJob, path: string): Promise<StateAnswer> {
  assertRoom(dirname(path));
  const thread = new StateThread(path);
  try {
    return await thread.run(job);
  } catch (error) {
    await thread.close();
    fs.rmSync(path, { recursive: true, force: true });
    throw error;
  } finally {
    await thread.close();
  }
}

function beginningGone(
  firstPosition: Position,
  { directory, snapshotDirectory }: ResolvedStateOptions,
): EventStoreError {
  const where =
    snapshotDirectory === undefined
      ? 'no snapshots are kept'
      : `${snapshotDirectory} holds none that can be used`;
  return new EventStoreError(
    'EVENT_POSITION_GONE',
    `the log begins at position ${firstPosition}, ${directory} holds no state to begin from, and ${where}; give back the archive of the log, a snapshot, or a backup`,
    { position: 0, firstPosition },
  );
}

function generationPath(directory: string, generation: number): string {
  return join(directory, `lmdb-${generation}`);
}

function generationsIn(directory: string): number[] {
  return fs
    .readdirSync(directory)
    .map((name) => Number(GENERATION.exec(name)?.[1] ?? NaN))
    .filter(Number.isSafeInteger);
}

function lockNameOf(generation: number): string {
  return `${LOCK_NAME}-${generation}`;
}

/** Undefined when another process has it: one that the log was taken over from, for otherwise the log's own lock had refused. */
function tryLock(directory: string, name: string): File | undefined {
  const fileSystem = new NodeFileSystem();
  const path = join(directory, name);
  if (!fs.existsSync(path)) fs.closeSync(fs.openSync(path, 'a'));
  const file = fileSystem.open(path, 'write');
  if (fileSystem.tryLock(file)) return file;
  file.close();
  return undefined;
}
