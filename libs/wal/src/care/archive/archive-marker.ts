import { dirname } from 'node:path';
import { errorCode } from '@holdfast/kernel';
import { readSmallFile } from '../../disk/file-reading.js';
import { ensureDirectory, type FileSystem, replaceFile } from '../../disk/file-system.js';
import { checkedLines, withChecksum } from '../../format/checked-lines.js';
import type { ArchiveOwner } from '../../segment/archive-store.js';
import { unsupported, WalError } from '../../wal.errors.js';

/** The file that says that a directory is an archive, and whose. */
export const MARKER = 'ARCHIVE';
export const TITLE = 'holdfast-wal-archive 1';

export function makeArchive(fileSystem: FileSystem, directory: string): void {
  if (readMarker(fileSystem, directory) !== undefined) return;
  try {
    ensureDirectory(fileSystem, directory);
  } catch (error) {
    throw errorCode(error) === 'ENOENT' ? noArchive(dirname(directory)) : error;
  }
  writeMarker(fileSystem, directory, [TITLE], 'new');
}

/** Two that make an archive at once do not share the temporary file: `by` is in its name. */
export function writeMarker(
  fileSystem: FileSystem,
  directory: string,
  lines: readonly string[],
  by: string,
): void {
  const content = Buffer.from(withChecksum(lines), 'latin1');
  const temporaryName = `${MARKER}-${process.pid}-${by}.tmp`;
  replaceFile(fileSystem, directory, MARKER, content, { temporaryName });
}

export function readMarker(
  fileSystem: FileSystem,
  directory: string,
): { readonly owner: ArchiveOwner | undefined } | undefined {
  const path = `${directory}/${MARKER}`;
  const content = readSmallFile(fileSystem, path, 1024)?.toString('latin1');
  if (content === undefined) return undefined;
  const lines = checkedLines(content);
  if (lines === undefined) throw damagedMarker(path);
  if (lines[0] !== TITLE) throw unsupported(path, lines[0] ?? '');
  const logId = /^log-id ([0-9a-f]{32})$/.exec(lines[1] ?? '')?.[1];
  const firstSegment = /^first-segment ([0-9]+)$/.exec(lines[2] ?? '')?.[1];
  if (logId === undefined || firstSegment === undefined) return { owner: undefined };
  return { owner: { logId, firstSegment: Number(firstSegment) } };
}

/** One that names no log will do: the segments beside it do. */
function damagedMarker(path: string): WalError {
  const anew = withChecksum([TITLE]).replaceAll('\n', '\\n');
  return new WalError(
    'WAL_CORRUPT',
    `${path}, the mark of the archive, is damaged; nothing was changed. Put it back from a copy, or rewrite it: printf '${anew}' > ${path}`,
    { file: path },
  );
}

export function noArchive(directory: string): WalError {
  return new WalError(
    'WAL_ARCHIVE_NOT_FOUND',
    `there is no archive in ${directory}; an unmounted volume looks like this, so an archive is created only on request`,
    { directory },
  );
}
