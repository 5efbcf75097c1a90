import { closeSync, openSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';

/** How LMDB gives an input/output error of the system. */
const EIO = 5;
/** LMDB's own errors that only what is in the file can cause, since no argument of ours does; others of its numbers say what it is short of. */
const DAMAGE_OF_LMDB = new Map([
  [-30797, 'MDB_PAGE_NOTFOUND'],
  [-30796, 'MDB_CORRUPTED'],
  [-30794, 'MDB_VERSION_MISMATCH'],
  [-30793, 'MDB_INVALID'],
  [-30787, 'MDB_CURSOR_FULL'],
  [-30786, 'MDB_PAGE_FULL'],
  [-30784, 'MDB_INCOMPATIBLE'],
  [-30781, 'MDB_BAD_VALSIZE'],
  [-30779, 'MDB_PROBLEM'],
]);
/**
 * LMDB says this of an entry or a list of free pages that nobody can have written, and then it says what is wrong; and, without a further word, of every use of a
 * transaction that failed before: for want of memory or disk, say.
 */
const BAD_TRANSACTION = -30782;
const BAD_CONTENT = /dupdata flag|freelist/;
const BAD_TRANSACTION_OF_DAMAGE = 'MDB_BAD_TXN';
/** Of an error that was thrown because bytes are not what was written. */
export const DAMAGED = 'DAMAGED';
const DAMAGE = new Set<string | undefined>([
  DAMAGED,
  BAD_TRANSACTION_OF_DAMAGE,
  ...DAMAGE_OF_LMDB.values(),
]);
/** Of a thread that has ended in the middle of its work. */
export const THREAD_ENDED = 'STATE_THREAD_ENDED';
/** LMDB after it could not write its meta page: this process can write nothing more. No content of the file has it say so. */
const PANIC = 'LMDB_-30795';
/** Names that the system and Node give to what is missing, forbidden or failing just now; Node has a number only for some of the system's. Theirs for a wrong argument begin otherwise. */
const OF_SYSTEM =
  /^(E(?!RR_)[A-Z0-9]+|Unknown system error -[0-9]+|ERR_WORKER_[A-Z_]+|LMDB_-?[0-9]+|STATE_THREAD_ENDED)$/;
/** Less than this is a full disk: a write that found some room has taken it. */
const ROOM_BYTES_MIN = 1024 * 1024;

/** Whether an error with this code proves that the database is not what was written: nothing else condemns it. */
export function provesDamage(code: string | undefined): boolean {
  return DAMAGE.has(code);
}

/**
 * Whether the machine, and not the database, is to blame: no descriptors (`EMFILE`), no memory, no rights, a device that does not answer. It says nothing of what is
 * on the disk; trying again, or another start, may find all well.
 */
export function isOfSystem(code: string | undefined): boolean {
  return code !== undefined && !DAMAGE.has(code) && OF_SYSTEM.test(code);
}

/** Whether LMDB says so in a number of its own, and not in one of the system: the file may have a part in it. */
export function isOfLmdb(code: string | undefined): boolean {
  return code?.startsWith('LMDB_') === true;
}

/** Whether what failed may succeed in this process when it is tried again. */
export function isPassing(code: string | undefined): boolean {
  return isOfSystem(code) && code !== THREAD_ENDED && code !== PANIC;
}

/**
 * What a job of the thread failed with, under the name of the system's error. LMDB calls a write that was cut short by a full disk an input/output error
 * (`mdb_page_flush`): its pages were free before and are free now, because the meta page that would make them count is written last, so the
 * database is the checkpoint before, whole. A full disk tells the one from the other.
 */
export function stateFault(
  error: unknown,
  directory: string,
): { readonly message: string; readonly code: string | undefined } {
  const { message, code } = error as { message: string; code?: unknown };
  if (code === EIO && !hasRoom(directory))
    return { message: `${message} (ENOSPC: the disk is full)`, code: 'ENOSPC' };
  return { message, code: faultCode(error) };
}

/** Its code, as text also where it is LMDB's. */
export function faultCode(error: unknown): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'number') return typeof code === 'string' ? code : undefined;
  if (code > 0) return getSystemErrorName(-code);
  if (code === BAD_TRANSACTION && BAD_CONTENT.test(String(message)))
    return BAD_TRANSACTION_OF_DAMAGE;
  return DAMAGE_OF_LMDB.get(code) ?? `LMDB_${code}`;
}

/**
 * Before LMDB writes: what it cannot write, it prints on the standard error, between the lines of the log. Throws what the system says where the volume has become
 * read-only, and `ENOSPC` where it is full to the last page.
 */
export function assertWritable(directory: string): void {
  closeSync(openSync(join(directory, 'data.mdb'), 'r+'));
  const { bfree } = statfsSync(directory);
  if (bfree === 0) throw noRoom(directory);
}

/**
 * Before LMDB makes a database: it maps its lock file without having got room for it, and a page that the disk has no room for kills the process. Throws
 * `ENOSPC`.
 */
export function assertRoom(directory: string): void {
  if (!hasRoom(directory)) throw noRoom(directory);
}

function noRoom(directory: string): Error {
  return Object.assign(
    new Error(`ENOSPC: no space left on device, for the database of the state in ${directory}`),
    { code: 'ENOSPC' },
  );
}

function hasRoom(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize >= ROOM_BYTES_MIN;
}
