import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ReplayProgress, type WalEventLog, syncDirectory } from '@holdfast/event-store';
import { CodedError, errorCode, isUnreadable } from '@holdfast/kernel';
import { type PlaceOptions, type Sequence, NodeFileSystem, assertPlaceForLog } from '@holdfast/wal';
import { type RestoreReport, describeBackup, restoreLog } from '@holdfast/wal/maintenance';
import type { WorkContext } from '../jobs/job.js';
import { snapshotPosition } from './backup-work.js';
import { RestorePlace } from './restore-place.js';

export interface RestoreOptions extends PlaceOptions {
  readonly backup: string;
  /** A data directory: it need not exist, and must be empty if it does. */
  readonly target: string;
  /** The last position to restore; everything when left out. */
  readonly upTo?: number;
  /** Up to the last record that was written at or before this time; everything when left out. */
  readonly atMillis?: number;
  /** Opens the restored log as the service does, with all that it makes of it. */
  readonly open: (walDirectory: string, options: OpenRestored) => Promise<OpenedLog>;
}

export interface OpenRestored {
  readonly wal: PlaceOptions;
  readonly state: { readonly directory: string; readonly snapshotDirectory: string };
  readonly onReplayProgress: (progress: ReplayProgress) => void;
}

/** A `CommandWriter` is one. */
export interface OpenedLog {
  readonly log: Pick<WalEventLog, 'checkpoint'>;
  close(): Promise<void>;
}

export interface DataRestoreReport extends RestoreReport {
  /** Snapshots of the state that were put beside the log; those of later positions were left out. */
  readonly snapshots: number;
  /** Of the state that was built of it: what a start goes on with. */
  readonly state: { readonly position: number; readonly entries: number; readonly digest: string };
}

/**
 * Makes a data directory of a backup: the log, the snapshots of the state that it can use, and the state, which is built by opening the log as a service does. Only then does the target get its
 * name, so success means that a service starts there. Read models and archive are made anew by the services.
 *
 * Cancelled or failed: nothing is left, unless the log had its name already: `RESTORE_UNFINISHED`. Killed: a directory named `restoring`, which no service opens. Throws `RESTORE_TARGET_NOT_EMPTY`, `WORK_CANCELLED`, what `restoreLog` throws, and what opening
 * the log throws: `EVENT_POSITION_GONE` where the backup has neither the log's beginning nor a snapshot that stands for it.
 */
export async function restoreData(
  { target, ...options }: RestoreOptions,
  context: WorkContext,
): Promise<DataRestoreReport> {
  // A mistyped backup makes no directory.
  await describeBackup(options.backup, partOf(options));
  assertPlaceForLog(new NodeFileSystem(), target, options);
  const place = RestorePlace.prepare(target);
  try {
    const restored = await copied({ target: place.directory, ...options }, context);
    const state = await builtState(place.directory, options, context);
    assertWanted(context);
    place.finish();
    return { ...restored, state };
  } catch (error) {
    place.discard();
    throw error;
  }
}

async function copied(
  { backup, target, upTo, atMillis, allowNetworkFileSystem = false }: RestoreOptions,
  { signal, progress }: WorkContext,
): Promise<Omit<DataRestoreReport, 'state'>> {
  const part = partOf({ upTo, atMillis });
  const { files } = await describeBackup(backup, part);
  const report = await restoreLog(backup, join(target, 'wal'), {
    signal,
    allowNetworkFileSystem,
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
    ...part,
  });
  // The end of the log decides which snapshots are of use.
  const snapshots = files.filter(
    ({ name }) => (snapshotPosition(name) ?? Infinity) <= report.lastSequence,
  );
  const copies = snapshots.filter(({ path, name }) => copyDurably(path, join(target, name)));
  return { ...report, snapshots: copies.length };
}

function partOf({ upTo, atMillis }: { upTo?: number | undefined; atMillis?: number | undefined }): {
  upTo?: Sequence;
  atMillis?: number;
} {
  return {
    ...(upTo !== undefined && { upTo: upTo as Sequence }),
    ...(atMillis !== undefined && { atMillis }),
  };
}

/** As a service starts: whatever would keep it from doing so keeps the target from getting its name. */
async function builtState(
  directory: string,
  { open, allowNetworkFileSystem = false }: Pick<RestoreOptions, 'open'> & PlaceOptions,
  context: WorkContext,
): Promise<DataRestoreReport['state']> {
  assertWanted(context);
  const opened = await open(join(directory, 'wal'), {
    wal: { allowNetworkFileSystem },
    state: {
      directory: join(directory, 'state'),
      snapshotDirectory: join(directory, 'snapshots'),
    },
    onReplayProgress: ({ position, lastPosition }) => {
      assertWanted(context);
      context.progress(position, lastPosition, 'positions');
    },
  });
  try {
    const { position, entries, digest } = await opened.log.checkpoint();
    return { position, entries, digest };
  } finally {
    await opened.close();
  }
}

function assertWanted({ signal }: Pick<WorkContext, 'signal'>): void {
  if (signal.aborted) throw new CodedError('WORK_CANCELLED', 'the restore was cancelled');
}

/** Its content is checked when it is used, so a damaged one is refused then and is no danger. False, and nothing of it is there, where the backup does not give it: another one may do. */
function copyDurably(from: string, to: string): boolean {
  mkdirSync(dirname(to), { recursive: true });
  try {
    copyFileSync(from, to);
  } catch (error) {
    if (!isUnreadable(error) && errorCode(error) !== 'ENOENT') throw error;
    rmSync(to, { force: true });
    return false;
  }
  for (const path of [to, dirname(to), dirname(dirname(to))]) syncDirectory(path);
  return true;
}
