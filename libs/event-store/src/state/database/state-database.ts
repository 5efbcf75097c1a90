import * as fs from 'node:fs';
import { join } from 'node:path';
import { type GetOptions, type RootDatabase, open } from 'lmdb';
import { CHECKSUM_BYTES, KEY_LENGTH_BYTES, MARK_KEY, checksumOf } from '../model/state-entry.js';
import { faultCode } from '../model/state-fault.js';
import { type StateMark, parseMark } from '../model/state-mark.js';
import { neededBytes } from '../pages/state-pages.js';
import { valueIn } from '../pages/state-tree.js';

/** Values and keys as bytes. */
export type StateDatabase = RootDatabase<Uint8Array, Uint8Array>;

/** Address space, not memory and not disk: LMDB maps this much once, so that no thread ever moves the map under another. */
const MAP_BYTES = 2 ** 39;

/**
 * Opens the database of a generation of the state. All threads of a process share one environment. Commits are synchronous: they return
 * when the pages, and then the meta page that makes them count, are on the disk.
 */
export function openStateDatabase(directory: string): StateDatabase {
  return open<Uint8Array, Uint8Array>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    mapSize: MAP_BYTES,
    maxDbs: 1,
  });
}

export function databaseFile(directory: string): string {
  return join(directory, 'data.mdb');
}

/**
 * Why the file cannot be opened, or undefined. A page beyond the end of a mapped file kills the process with SIGBUS, so the file's length is
 * compared with what its meta pages promise before anything maps it. Throws what opening it throws: that proves nothing.
 */
export function databaseFault(directory: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(databaseFile(directory), 'r');
  } catch (error) {
    const code = faultCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'its file is missing';
    throw error;
  }
  try {
    const { size } = fs.fstatSync(descriptor);
    const needed = neededBytes(descriptor);
    if (needed === undefined) return 'its meta pages are damaged';
    return size < needed ? `its file has ${size} bytes of ${needed}` : undefined;
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * LMDB may leave pages at the end unwritten that it freed within the same transaction; then the file is made as long as its meta page says, so
 * that the size check can be exact.
 */
export function extendDatabaseFile(directory: string): void {
  const descriptor = fs.openSync(databaseFile(directory), 'r+');
  try {
    const needed = neededBytes(descriptor) ?? 0;
    if (fs.fstatSync(descriptor).size < needed) fs.ftruncateSync(descriptor, needed);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The mark of the checkpoint that the database holds: undefined for none, and `damaged` for one that fails its checksum. */
export function readMark(
  database: StateDatabase,
  options: GetOptions = {},
): StateMark | 'damaged' | undefined {
  const found = database.get(Buffer.from(MARK_KEY), options);
  return found === undefined ? undefined : markOf(Buffer.from(found));
}

/** The mark of the newest checkpoint in the file, read without LMDB; undefined when it cannot be told. */
export function markIn(file: string): StateMark | undefined {
  const stored = valueIn(file, MARK_KEY);
  const mark = stored && markOf(stored);
  return mark === 'damaged' ? undefined : mark;
}

function markOf(stored: Buffer): StateMark | 'damaged' {
  const image = imageOf(MARK_KEY, stored.subarray(CHECKSUM_BYTES));
  if (stored.length < CHECKSUM_BYTES || stored.readUInt32LE(0) !== checksumOf(image))
    return 'damaged';
  return parseMark(stored.toString('utf8', CHECKSUM_BYTES)) ?? 'damaged';
}

/** The image of an entry, put together anew. */
export function imageOf(key: Uint8Array, value: Uint8Array): Buffer {
  const image = Buffer.allocUnsafe(KEY_LENGTH_BYTES + key.length + value.length);
  image.writeUInt16LE(key.length, 0);
  image.set(key, KEY_LENGTH_BYTES);
  image.set(value, KEY_LENGTH_BYTES + key.length);
  return image;
}

/** A value as the database holds it: with the checksum of its entry in front. */
export function storedValue(image: Uint8Array, valueAt: number): Buffer {
  const stored = Buffer.allocUnsafe(CHECKSUM_BYTES + image.length - valueAt);
  stored.writeUInt32LE(checksumOf(image), 0);
  stored.set(image.subarray(valueAt), CHECKSUM_BYTES);
  return stored;
}
