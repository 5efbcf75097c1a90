import * as fs from 'node:fs';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { behindState } from '@holdfast/wal';
import {
  type StateDatabase,
  databaseFile,
  markIn,
  openStateDatabase,
  readMark,
} from '../database/state-database.js';
import { assertRoom, isOfLmdb, isOfSystem, isPassing, stateFault } from '../model/state-fault.js';
import type { StateMark } from '../model/state-mark.js';
import type { ResolvedStateOptions } from '../model/state-options.js';
import { type StateSource, isOfLog } from '../model/state-source.js';
import { takeBackNewest } from '../pages/state-pages.js';
import { type TreeSeal, sealOf } from '../pages/state-seal.js';
import { StateThread } from '../thread/state-thread.js';
import { generationPath, generationsIn, removeHalfFilled, removeOthers } from './generations.js';
import type { StateRecord } from './state-record.js';

/** A database that is open in this thread. */
export interface OpenedDatabase {
  readonly directory: string;
  readonly database: StateDatabase;
  readonly mark: StateMark | undefined;
}

/** Opens the generation that the record names, or says why not. */
export async function openGeneration(
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
  if (log.endsIn(mark.timeline)) {
    const { position: sequence, timeline } = mark;
    throw behindState({ logId, sequence, timeline }, durablePosition);
  }
}
