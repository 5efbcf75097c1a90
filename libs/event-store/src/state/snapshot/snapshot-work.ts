import { setTimeout } from 'node:timers/promises';
import { SnapshotWriter, verifyingSnapshot } from './snapshot-file.js';
import { DAMAGED } from '../model/state-fault.js';
import type { StateDatabase } from '../database/state-database.js';
import type { StateMark } from '../model/state-mark.js';
import { type ScanOptions, scanState } from '../database/state-scan.js';

/** Said of a snapshot that was asked to end early. */
export const STOPPED = 'STOPPED';

export interface WrittenSnapshot {
  readonly bytes: number;
  readonly mark: StateMark;
}

/** How far a snapshot has come: each entry counts twice, once when it is written and once when it is read back. */
export interface SnapshotProgress {
  readonly done: number;
  readonly total: number;
}

/** The thread looks for messages, and lets a scan beside it go on, after so many bytes. */
const SLICE_BYTES = 4 * 1024 * 1024;
const PASSES = 2;

/**
 * Writes a snapshot of the checkpoint that the database holds when it begins into an empty file; the database is verified on the way, and the file is read back. Throws with
 * the code `DAMAGED`, `UNAVAILABLE` when there is no checkpoint, or `STOPPED`. Name and removal of the file are its owner's, who has the log.
 */
export async function writeSnapshot(
  database: StateDatabase,
  path: string,
  options: ScanOptions,
  onProgress: (progress: SnapshotProgress) => void,
): Promise<WrittenSnapshot> {
  let writer: SnapshotWriter | undefined;
  let total = 0;
  try {
    const scan = await scanState(database, options, {
      begin: (mark) => {
        total = PASSES * mark.entries;
        writer = new SnapshotWriter(path, mark);
      },
      entry: (image) => writer?.add(image),
      slice: (done) => onProgress({ done, total }),
    });
    if (scan.kind === 'damaged') throw coded(DAMAGED, scan.reason);
    if (scan.kind === 'stopped') throw stopped();
    if (scan.kind === 'empty' || writer === undefined)
      throw coded('UNAVAILABLE', 'there is no checkpoint yet');
    writer.seal();
    const { mark } = scan;
    const { bytes } = writer;
    await readBack(path, options, (read) =>
      onProgress({ done: mark.entries + Math.floor((mark.entries * read) / bytes), total }),
    );
    onProgress({ done: total, total });
    return { bytes, mark };
  } catch (error) {
    writer?.abandon();
    throw error;
  }
}

/** Reads every byte of a snapshot, at a bounded rate. Throws when any of them is not what was written, and with the code `STOPPED`. */
export async function readBack(
  path: string,
  { bytesPerSecond, stopped: isStopped }: Pick<ScanOptions, 'bytesPerSecond' | 'stopped'>,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<StateMark> {
  const reading = verifyingSnapshot(path);
  try {
    let startedAt = performance.now();
    let restedAt = 0;
    for (;;) {
      const step = reading.next();
      if (step.done === true) return step.value;
      const slice = step.value - restedAt;
      if (slice < SLICE_BYTES) continue;
      onProgress(step.value);
      const dueMillis = (1_000 * slice) / bytesPerSecond;
      await setTimeout(Math.max(0, dueMillis - (performance.now() - startedAt)));
      if (isStopped()) throw stopped();
      startedAt = performance.now();
      restedAt = step.value;
    }
  } finally {
    // Given up half-way: the file is closed.
    reading.return(undefined as never);
  }
}

function stopped(): Error {
  return coded(STOPPED, 'it was asked to stop');
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
