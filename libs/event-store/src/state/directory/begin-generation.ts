import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import type { Position } from '../../event.js';
import { EventStoreError, stateUnavailable } from '../../event-store.errors.js';
import { openStateDatabase, readMark } from '../database/state-database.js';
import { assertRoom } from '../model/state-fault.js';
import type { StateMark } from '../model/state-mark.js';
import { type ResolvedStateOptions, leftOutOf } from '../model/state-options.js';
import { type StateSource, isOfLog } from '../model/state-source.js';
import type { TreeSeal } from '../pages/state-seal.js';
import { faultOfUse, listSnapshots } from '../snapshot/snapshots.js';
import { speaksAgainst } from '../thread/snapshot-proof.js';
import { StateThread } from '../thread/state-thread.js';
import type { StateAnswer, StateJob } from '../thread/state.worker.js';
import { generationPath, removeOthers } from './generations.js';
import type { OpenedDatabase } from './open-generation.js';
import type { StateFacts, StateRecord } from './state-record.js';

const PARTS_TOLD_MAX = 8;

/**
 * A new database, empty or filled from the best snapshot. The others go: whatever happens next, they are not opened again.
 *
 * A log that begins at its first position is all that a state needs, so the others make room first. Where the log begins later, they may be all that is left of what came
 * before, also if they serve nobody just now: the snapshots may come back, or the log that they are of. So the new one is filled first. Crash, or a refusal, before the record names
 * it: the record names what it named, nothing of that is touched, and the next start removes the half-filled one. Crash after it: the record names a database that is
 * whole, with its checkpoint, and the next start removes the others.
 */
export async function beginGeneration(
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
  if (mark === undefined && !holdsAll)
    throw foreignState(options, log) ?? beginningGone(log.firstPosition, options);
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

/** Snapshots of this log that would do, had this program made them: another program is what is missing, and nothing of the data. */
function foreignState(
  { snapshotDirectory, stateVersion, takesOver }: ResolvedStateOptions,
  log: StateSource,
): EventStoreError | undefined {
  if (snapshotDirectory === undefined) return undefined;
  const marks = listSnapshots(snapshotDirectory).entries.map(({ mark }) => mark);
  const newest = marks.find(
    (mark) => leftOutOf(mark, { stateVersion, takesOver }) === undefined && isOfLog(mark, log),
  );
  if (newest === undefined) return undefined;
  const { stateVersion: madeBy } = newest;
  const [theirs, own] = [partsOnlyIn(madeBy, stateVersion), partsOnlyIn(stateVersion, madeBy)];
  return new EventStoreError(
    'EVENT_STATE_FOREIGN',
    `the log begins at position ${log.firstPosition}, and the snapshots in ${snapshotDirectory} that stand for what came before were made by another program: its state has ${theirs}, that of this program ${own}; start that program, or give this one a \`takesOver\``,
    { madeBy, stateVersion, firstPosition: log.firstPosition },
  );
}

/** A version of many parts is told by those in which the two differ. */
function partsOnlyIn(version: string, other: string): string {
  const others = new Set(other.split(' '));
  const only = version.split(' ').filter((part) => !others.has(part));
  const more = only.length > PARTS_TOLD_MAX ? ` and ${only.length - PARTS_TOLD_MAX} more` : '';
  return only.length === 0 ? 'nothing else' : `${only.slice(0, PARTS_TOLD_MAX).join(', ')}${more}`;
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
