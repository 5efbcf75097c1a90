import type { WriterLock } from '../directory/writer-lock.js';
import { readAt, withFile } from '../disk/file-reading.js';
import {
  ensureDirectory,
  type FileSystem,
  removeIfThere,
  replaceFile,
  writeFully,
} from '../disk/file-system.js';
import { formatSegmentName } from '../format/segment-name.js';
import { HEADER_BLOCK_BYTES } from '../format/wal-format.js';
import type { SegmentFacts } from '../segment/segment-file.js';
import type { Diagnosis, TailSegment } from './recovery.js';

const QUARANTINE = 'quarantine';
/** The epoch of the writer that makes it; none in one of an older release. */
const UNFINISHED_COPY = /\.torn(?:-([0-9]+))?\.tmp$/;
const COPY_BYTES = 1024 * 1024;

/** What an operator should hear of an opening. */
export type RecoveryNote =
  | {
      readonly kind: 'torn-tail';
      readonly file: string;
      readonly from: number;
      readonly to: number;
      readonly copy: string;
    }
  | { readonly kind: 'header-copy-repaired'; readonly file: string }
  | { readonly kind: 'removed'; readonly file: string }
  | {
      readonly kind: 'rewritten';
      readonly file: string;
      readonly from: number;
      readonly to: number;
    };

/**
 * Recovery, second half: does what the diagnosis allows. Each step may be cut short by a crash at any point; the next diagnosis then
 * finds the same or less to do, so that recovering twice gives what recovering once gives.
 */
export function repair(
  fileSystem: FileSystem,
  directory: string,
  diagnosis: Diagnosis,
  lock: WriterLock,
): RecoveryNote[] {
  const notes: RecoveryNote[] = [];
  const leftovers = diagnosis.removable.map((segment) => segment.file);
  // A writer that we take over from may have renamed MANIFEST behind our claim's sync, and died before its own: a power cut must not keep a removal and take that name back.
  if (leftovers.length > 0) fileSystem.syncDirectory(directory);
  notes.push(...removeFiles(fileSystem, directory, leftovers, lock));
  for (const segment of diagnosis.damagedCopies) notes.push(restoreHeaderCopy(fileSystem, segment));
  if (diagnosis.tail !== undefined) {
    notes.push(...quarantineTornTail(fileSystem, directory, diagnosis.tail, lock));
    notes.push(...rewriteUnpromised(fileSystem, diagnosis.tail));
  }
  return notes;
}

/**
 * Temporary files (`stray`), before anything else: once they are gone, a writer that was stopped in the middle of replacing MANIFEST can no longer
 * do it, for it looks for its claim after it has made such a file. So what MANIFEST says from here on, it says for good.
 */
export function removeStrays(
  fileSystem: FileSystem,
  directory: string,
  diagnosis: Diagnosis,
  lock: WriterLock,
): RecoveryNote[] {
  return removeFiles(fileSystem, directory, diagnosis.strays, lock);
}

/**
 * Nothing here counts: temporary files, crashed creations, segments below the log's beginning, generations that MANIFEST does not name. Crash in
 * between: the next open finds what is left of them.
 */
function removeFiles(
  fileSystem: FileSystem,
  directory: string,
  files: readonly string[],
  lock: WriterLock,
): RecoveryNote[] {
  for (const file of files) {
    // A successor may have made a file of the same name. One that comes between this look and the unlink is not seen.
    lock.assertHeld();
    // A writer that we take over from may still have removed its own temporary file.
    removeIfThere(fileSystem, `${directory}/${file}`);
  }
  if (files.length > 0) fileSystem.syncDirectory(directory);
  return files.map((file) => ({ kind: 'removed', file }));
}

/** The good copy is never touched: a crash at any point leaves it, and the other one bad, half mended or whole (`header-copy-damaged` again). */
function restoreHeaderCopy(fileSystem: FileSystem, segment: SegmentFacts): RecoveryNote {
  const bad = segment.damagedCopy ?? 0;
  const block = Buffer.alloc(HEADER_BLOCK_BYTES);
  const file = fileSystem.open(segment.path, 'write');
  try {
    readAt(file, block, (1 - bad) * HEADER_BLOCK_BYTES);
    writeFully(file, block, bad * HEADER_BLOCK_BYTES);
    file.dataSync();
  } finally {
    file.close();
  }
  return { kind: 'header-copy-repaired', file: segment.path };
}

/**
 * Copies what stands behind the last valid frame, and leaves the segment alone: the next segment's header says where its data
 * ends. Crash before that header is durable: the same tail is found and copied under the same name again.
 */
function quarantineTornTail(
  fileSystem: FileSystem,
  directory: string,
  tail: TailSegment,
  lock: WriterLock,
): RecoveryNote[] {
  if (tail.torn === undefined) return [];
  const { from, to } = tail.torn;
  const bytes = Buffer.alloc(to - from);
  withFile(fileSystem, tail.path, (file) => readAt(file, bytes, from));
  const quarantine = `${directory}/${QUARANTINE}`;
  // Its name is durable before the next segment seals the tail off: a crash after that leaves the copy.
  ensureDirectory(fileSystem, quarantine);
  removeUnfinishedCopies(fileSystem, quarantine, lock.epoch);
  const name = `${formatSegmentName(tail.name)}-${from.toString(16).padStart(8, '0')}.torn`;
  replaceFile(fileSystem, quarantine, name, bytes, {
    temporaryName: `${name}-${lock.epoch}.tmp`,
    beforeRename: () => lock.assertHeld(),
  });
  return [{ kind: 'torn-tail', file: tail.path, from, to, copy: `${quarantine}/${name}` }];
}

/**
 * What openers before us left when they were killed while they copied. One that was only stopped cannot give its copy a name any more, as with the strays beside the segments. Crash in between: the
 * next torn tail finds the rest.
 */
function removeUnfinishedCopies(fileSystem: FileSystem, quarantine: string, epoch: number): void {
  for (const file of fileSystem.list(quarantine)) {
    const by = UNFINISHED_COPY.exec(file);
    if (by !== null && Number(by[1] ?? 0) < epoch)
      removeIfThere(fileSystem, `${quarantine}/${file}`);
  }
}

/**
 * Valid frames that nobody promised may exist in the page cache only: after a failed sync the kernel calls such pages clean and a later
 * sync says yes without writing them. Writing the same bytes again makes them dirty, and this sync is ours. Crash in between: the
 * bytes on disk are the same before and after.
 */
function rewriteUnpromised(fileSystem: FileSystem, tail: TailSegment): RecoveryNote[] {
  const { unpromisedFrom: from, scan } = tail;
  if (from >= scan.validEnd) return [];
  const chunk = Buffer.alloc(Math.min(COPY_BYTES, scan.validEnd - from));
  const file = fileSystem.open(tail.path, 'write');
  try {
    for (let at = from; at < scan.validEnd; at += chunk.length) {
      const bytes = chunk.subarray(0, Math.min(chunk.length, scan.validEnd - at));
      readAt(file, bytes, at);
      writeFully(file, bytes, at);
    }
    file.dataSync();
  } finally {
    file.close();
  }
  // After a clean close only the empty closing frame is rewritten, which is nobody's news.
  if (scan.lastSequence === tail.promised) return [];
  return [{ kind: 'rewritten', file: tail.path, from, to: scan.validEnd }];
}
