import {
  type StateDatabase,
  databaseFile,
  extendDatabaseFile,
  imageOf,
  readMark,
  storedValue,
} from '../database/state-database.js';
import {
  CHANGE_LENGTH_BYTES,
  CHECKSUM_BYTES,
  DELETED,
  KEY_LENGTH_BYTES,
  MARK_KEY,
  StateDigest,
  sectionIn,
} from '../model/state-entry.js';
import type { StateMark, UncountedMark } from '../model/state-mark.js';
import { type KeyChange, faultUnder } from '../pages/state-changes.js';
import { assertWritable } from '../model/state-fault.js';
import { Fault } from '../pages/state-pages.js';
import { readSnapshot } from '../snapshot/snapshot-file.js';

/** Entries of one transaction while a snapshot is loaded. */
const LOADED_ENTRIES_MAX = 50_000;

/**
 * While nobody has read the database through, the pages that this will change are verified first; it throws an error with the code `DAMAGED` and writes
 * nothing when they are not what was written. Then one transaction: the changed entries, and the mark with the count and digest of all of them. On the disk when it returns; a crash at any
 * moment before that leaves the checkpoint before, whole.
 */
export function writeCheckpoint(
  database: StateDatabase,
  directory: string,
  changes: readonly Uint8Array[],
  mark: UncountedMark,
  isTrusted: boolean,
): StateMark {
  const before = readMark(database);
  if (before === 'damaged') throw new Fault('the mark of the last checkpoint is damaged');
  if (!isTrusted) assertUndamaged(directory, changes);
  assertWritable(directory);
  const digest = before === undefined ? new StateDigest() : StateDigest.of(before);
  const written = database.transactionSync(() => {
    for (const change of changesIn(changes)) apply(database, change, digest);
    return putMark(database, { ...mark, entries: digest.entries, digest: digest.toString() });
  });
  extendDatabaseFile(directory);
  return written;
}

export interface LoadedSnapshot {
  readonly path: string;
  readonly stateVersion: string;
  /** Sections of another way of folding: their entries stay behind. */
  readonly leaveOut: readonly string[];
}

/**
 * Fills an empty database from a snapshot that was verified. The mark comes with the last transaction: a database without one is no
 * checkpoint, so a crash on the way leaves nothing that could be taken for state. Number and digest are compared over all of the snapshot, and then are those
 * of what was loaded of it.
 */
export function loadSnapshot(
  database: StateDatabase,
  directory: string,
  { path, stateVersion, leaveOut }: LoadedSnapshot,
): StateMark {
  const [read, loaded] = [new StateDigest(), new StateDigest()];
  const isLeftOut = (image: Buffer): boolean => {
    const section = leaveOut.length === 0 ? undefined : sectionIn(image);
    return section !== undefined && leaveOut.includes(section);
  };
  let pending: Buffer[] = [];
  const put = (): void => {
    database.transactionSync(() => {
      for (const image of pending) putImage(database, image);
    });
    pending = [];
  };
  const mark = readSnapshot(path, (image) => {
    read.add(image);
    if (isLeftOut(image)) return;
    loaded.add(image);
    pending.push(Buffer.from(image));
    if (pending.length >= LOADED_ENTRIES_MAX) put();
  });
  put();
  if (read.toString() !== mark.digest || read.entries !== mark.entries)
    throw new Error(`the snapshot ${path} does not hold what it says`);
  const { entries } = loaded;
  const taken = { ...mark, stateVersion, entries, digest: loaded.toString() };
  database.transactionSync(() => putMark(database, taken));
  extendDatabaseFile(directory);
  return taken;
}

interface Change extends KeyChange {
  /** Of an entry that goes: the length of the key and the key. */
  readonly image: Buffer;
}

/** In the order in which they are applied. The bytes are those of the chunks. */
function* changesIn(chunks: readonly Uint8Array[]): Generator<Change> {
  for (const { buffer, byteOffset, length } of chunks) {
    const chunk = Buffer.from(buffer, byteOffset, length);
    for (let at = 0; at < length;) {
      const valueBytes = chunk.readUInt32LE(at);
      const imageAt = at + CHANGE_LENGTH_BYTES;
      const keyAt = imageAt + KEY_LENGTH_BYTES;
      const valueAt = keyAt + chunk.readUInt16LE(imageAt);
      const isDeletion = valueBytes === DELETED;
      at = valueAt + (isDeletion ? 0 : valueBytes);
      yield {
        key: chunk.subarray(keyAt, valueAt),
        image: chunk.subarray(imageAt, at),
        isDeletion,
      };
    }
  }
}

function apply(database: StateDatabase, change: Change, digest: StateDigest): void {
  const { key, image, isDeletion } = change;
  const before = database.getBinary(key);
  if (before !== undefined) digest.remove(imageOf(key, before.subarray(CHECKSUM_BYTES)));
  if (!isDeletion) {
    digest.add(image);
    putImage(database, image);
  } else if (before !== undefined) {
    database.removeSync(key);
  }
}

/** Before the transaction begins: nothing is written on top of damage, and nobody can take for whole what was made from a damaged page. */
function assertUndamaged(directory: string, chunks: readonly Uint8Array[]): void {
  const changes: KeyChange[] = [
    ...changesIn(chunks),
    { key: Buffer.from(MARK_KEY), isDeletion: false },
  ];
  const fault = faultUnder(databaseFile(directory), changes);
  if (fault !== undefined) throw new Fault(fault);
}

function putImage(database: StateDatabase, image: Buffer): void {
  const valueAt = KEY_LENGTH_BYTES + image.readUInt16LE(0);
  database.putSync(image.subarray(KEY_LENGTH_BYTES, valueAt), storedValue(image, valueAt));
}

function putMark(database: StateDatabase, mark: StateMark): StateMark {
  putImage(database, imageOf(MARK_KEY, Buffer.from(JSON.stringify(mark))));
  return mark;
}
