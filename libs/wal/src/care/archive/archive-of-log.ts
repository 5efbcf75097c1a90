import { resolve } from 'node:path';
import { errorCode } from '@holdfast/kernel';
import { ARCHIVE_FLOOR, readFloors } from '../../directory/floors.js';
import { readManifest } from '../../directory/manifest.js';
import type { FileSystem } from '../../disk/file-system.js';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import type { ArchiveStore } from '../../segment/archive-store.js';
import { ArchiveDirectory } from './archive-directory.js';

export interface ArchiveOfLogOptions {
  /** Makes it, for a log that has none yet. Off by default: an unmounted volume is an error, not an empty archive. */
  readonly create?: boolean;
  /** The log is to be archived: without an archive it is not opened. */
  readonly required?: boolean;
  readonly fileSystem?: FileSystem;
}

/**
 * The archive of a log, if it has one. A missing archive is an error if segments of the log have left for it, whatever the options say: without it a
 * part of the history would be out of sight, and a new archive in its place would leave a hole.
 *
 * @throws `WAL_ARCHIVE_NOT_FOUND`: the log needs it, or it is `required`.
 * @throws `WAL_MANIFEST_DAMAGED`, `WAL_CORRUPT`, `WAL_READ_FAILED`: the log does not say whether it has one.
 * @throws what `ArchiveDirectory.open` throws.
 */
export function openArchiveOf(
  log: string,
  directory: string,
  { create = false, required = false, fileSystem }: ArchiveOfLogOptions = {},
): ArchiveStore | undefined {
  const isElsewhere = hasLeftFor(fileSystem ?? new NodeFileSystem(), resolve(log));
  const own = fileSystem === undefined ? {} : { fileSystem };
  try {
    return ArchiveDirectory.open(directory, { create: create && !isElsewhere, ...own });
  } catch (error) {
    if (required || isElsewhere || errorCode(error) !== 'WAL_ARCHIVE_NOT_FOUND') throw error;
    return undefined;
  }
}

/** Whether the last sequence before the log's first live segment was archived. */
function hasLeftFor(fileSystem: FileSystem, log: string): boolean {
  if (!fileSystem.exists(log)) return false;
  const { firstSegment, firstSequence } = readManifest(fileSystem, log) ?? {
    firstSegment: 0,
    firstSequence: 1,
  };
  const archived = readFloors(fileSystem, log).get(ARCHIVE_FLOOR) ?? 0;
  return firstSegment > 1 && archived >= firstSequence - 1;
}
