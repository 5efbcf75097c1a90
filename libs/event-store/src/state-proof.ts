import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import type { LogSource } from '@holdfast/wal';
import { CheckpointedState } from './state/checkpoint/checkpointed-state.js';
import { FoldedLog } from './state/checkpoint/folded-log.js';
import { BEFORE_FIRST_POSITION, type Position } from './event.js';
import { EventStoreError, stateDamaged, stateUnavailable } from './event-store.errors.js';
import { type Evolve, FoldedState } from './fold/folded-state.js';
import { type ReplayProgress, replay } from './fold/replay.js';
import { databaseFault } from './state/database/state-database.js';
import { provesDamage } from './state/model/state-fault.js';
import { currentDatabaseDirectory } from './state/directory/state-directory.js';
import type { StateMark } from './state/model/state-mark.js';
import { type StatesTakenOver, resolveStateOptions } from './state/model/state-options.js';
import { StateThread } from './state/thread/state-thread.js';
import type { Upcasters } from './codec/upcaster.js';

export interface StateDigestOptions {
  readonly evolve?: Evolve;
  readonly upcasters?: Upcasters;
  /** As the log is opened with: snapshots of another way of folding are not used. */
  readonly stateVersion?: string;
  /** As the log is opened with, too. */
  readonly takesOver?: StatesTakenOver;
  /** Begins with the newest usable snapshot in it, instead of the beginning of the log. */
  readonly snapshotDirectory?: string;
  /** For the state while it is made: as large as the state itself. The system's temporary directory when left out. */
  readonly workDirectory?: string;
  readonly onProgress?: (progress: ReplayProgress) => void;
  /** Ends the work at its next slice, with `EVENT_CANCELLED`. */
  readonly signal?: AbortSignal;
}

export interface ReplayedState {
  readonly position: Position;
  readonly entries: number;
  /** Comparable with that of a checkpoint or snapshot at this position. */
  readonly digest: string;
  /** Where the replay began: 0, or the position of a snapshot. */
  readonly from: Position;
  readonly events: number;
}

/**
 * The digest of the state at a position, the end of a commit, made by replay beside whatever the log's owner has. Memory stays bounded.
 *
 * @throws `EVENT_POSITION_GONE`: what must be replayed was removed.
 * @throws `EVENT_CANCELLED`, `EVENT_STATE_BROKEN`, `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`, `EVENT_UNKNOWN_SCHEMA`, `EVENT_UPCAST_FAILED`.
 * @throws what the log throws when it is read, and the errors of the disk that the state is made on.
 */
export async function stateDigestAt(
  source: LogSource,
  upTo: Position,
  options: StateDigestOptions = {},
): Promise<ReplayedState> {
  const { evolve, upcasters, stateVersion, takesOver, snapshotDirectory, onProgress, signal } =
    options;
  const directory = mkdtempSync(join(options.workDirectory ?? tmpdir(), 'holdfast-state-'));
  try {
    const log = new FoldedLog(source, upTo);
    const state = await CheckpointedState.open(
      resolveStateOptions({
        directory,
        ...(stateVersion !== undefined && { stateVersion }),
        ...(takesOver !== undefined && { takesOver }),
        ...(snapshotDirectory !== undefined && { snapshotDirectory }),
      }),
      log,
      () => undefined,
    );
    try {
      const folded = new FoldedState(state.store, evolve, upcasters);
      log.folded = folded;
      const { position = BEFORE_FIRST_POSITION, lastRecordedAtMillis = 0 } = state.mark ?? {};
      const from = position as Position;
      folded.startAt(from, lastRecordedAtMillis);
      const pacing = state.pacing();
      const told = (progress: ReplayProgress): void => {
        throwIfCancelled(signal);
        onProgress?.(progress);
      };
      throwIfCancelled(signal);
      const paced = { after: from, upTo, onProgress: told, ...pacing };
      const { events } = await replay(source, folded, paced);
      const { entries, digest } = await state.checkpoint();
      return { position: upTo, entries, digest, from, events };
    } finally {
      await state.release();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface StateVerification {
  /** Of the database as it was found. */
  readonly checkpoint: StateMark;
  readonly replayed: ReplayedState;
  /** Whether a replay of the log makes what the database holds. */
  readonly matches: boolean;
}

/**
 * Proves the checkpointed state: reads the database through, and compares it with a replay of the log up to its position. May run beside the owner of
 * the log, also in another process.
 *
 * @throws what `readThroughState` and `stateDigestAt` throw.
 */
export async function verifyState(
  source: LogSource,
  stateDirectory: string,
  options: StateDigestOptions = {},
): Promise<StateVerification> {
  const checkpoint = await readThroughState(stateDirectory, options.signal);
  const { stateVersion } = checkpoint;
  const upTo = checkpoint.position as Position;
  const replayed = await stateDigestAt(source, upTo, { stateVersion, ...options });
  const matches = replayed.digest === checkpoint.digest && replayed.entries === checkpoint.entries;
  return { checkpoint, replayed, matches };
}

/**
 * The mark of the last checkpoint, after the whole database was read and found to be what was written. A damaged database may also kill the process.
 *
 * @throws `EVENT_STATE_DAMAGED`: the database is not what was written.
 * @throws `EVENT_STATE_UNAVAILABLE`: it could not be read, and is not known to be damaged.
 * @throws `EVENT_POSITION_UNKNOWN`: there is no checkpoint.
 * @throws `EVENT_CANCELLED`.
 */
export async function readThroughState(
  stateDirectory: string,
  signal?: AbortSignal,
): Promise<StateMark> {
  const directory = currentDatabaseDirectory(stateDirectory);
  if (directory === undefined) throw noCheckpoint(stateDirectory);
  const fault = databaseFault(directory);
  if (fault !== undefined) throw stateDamaged(fault);
  const thread = new StateThread(directory);
  try {
    const answer = await thread
      .run({ kind: 'scan', bytesPerSecond: Infinity }, [], { ...(signal && { signal }) })
      .catch((error: unknown) => {
        const [reason, code] = [errorMessage(error), errorCode(error)];
        throw provesDamage(code) ? stateDamaged(reason, error) : stateUnavailable(reason, error);
      });
    const scan = 'scan' in answer ? answer.scan : undefined;
    if (scan?.kind === 'whole') return scan.mark;
    if (scan?.kind === 'stopped') throw cancelled();
    if (scan?.kind === 'damaged') throw stateDamaged(scan.reason);
    throw noCheckpoint(stateDirectory);
  } finally {
    await thread.close();
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

function cancelled(): EventStoreError {
  return new EventStoreError('EVENT_CANCELLED', 'the proof of the state was cancelled');
}

function noCheckpoint(directory: string): EventStoreError {
  return new EventStoreError('EVENT_POSITION_UNKNOWN', `${directory} holds no checkpoint`, {
    directory,
  });
}
