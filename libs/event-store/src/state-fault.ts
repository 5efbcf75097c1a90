import { statfsSync } from 'node:fs';

/** The errors of the system that LMDB gives as numbers. */
const EIO = 5;
const NAMES: Readonly<Record<number, string>> = { 28: 'ENOSPC', 122: 'EDQUOT' };
/** Less than this is a full disk: a write that found some room has taken it. */
const ROOM_BYTES_MIN = 1024 * 1024;

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Whether there is no room on the disk; such a failure is waited for, and says nothing of what is on it. */
export function isFullDisk(code: string | undefined): boolean {
  return code !== undefined && FULL.has(code);
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
  if (typeof code === 'number') return { message, code: NAMES[code] };
  return { message, code: typeof code === 'string' ? code : undefined };
}

/**
 * Before LMDB makes a database: it maps its lock file without having got room for it, and a page that the disk has no room for kills the process. Throws
 * `ENOSPC`.
 */
export function assertRoom(directory: string): void {
  if (hasRoom(directory)) return;
  throw Object.assign(
    new Error(`ENOSPC: no space left on device, for the database of the state in ${directory}`),
    { code: 'ENOSPC' },
  );
}

function hasRoom(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize >= ROOM_BYTES_MIN;
}
