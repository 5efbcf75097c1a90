import type { ArchivedSegment, ArchiveStore } from '../../segment/archive-store.js';
import { type File, type FileSystem, writeFullyAsync } from '../../disk/file-system.js';
import { corrupt } from '../../wal.errors.js';

const COPY_BYTES = 1024 * 1024;

/**
 * Writes the finished segment that an archive holds to a new file; durable, and compared with its digest, when it resolves. Crash anywhere: a temporary
 * file. Throws `WAL_CORRUPT`.
 */
export async function writeArchivedContent(
  fileSystem: FileSystem,
  store: Pick<ArchiveStore, 'open'>,
  archived: ArchivedSegment,
  temporary: string,
): Promise<void> {
  if (fileSystem.exists(temporary)) fileSystem.unlink(temporary);
  const target = fileSystem.open(temporary, 'create');
  try {
    const source = store.open(archived);
    try {
      await copyInto(target, source, archived.contentBytes);
    } finally {
      source.close();
    }
    await target.dataSyncAsync();
  } finally {
    target.close();
  }
  const digest = Buffer.from(await fileSystem.sha256(temporary, archived.dataLength));
  if (digest.toString('hex') === archived.sha256) return;
  throw corrupt('the SHA-256 of a restored segment differs', {
    file: archived.path,
    offset: 0,
    firstSequence: archived.name.firstSequence,
  });
}

/** The first bytes of a file, to the same place of another. */
export async function copyInto(target: File, source: File, bytes: number): Promise<void> {
  for (let at = 0; at < bytes; at += COPY_BYTES) {
    const chunk = Buffer.alloc(Math.min(COPY_BYTES, bytes - at));
    await source.readAsync(chunk, at);
    await writeFullyAsync(target, chunk, at);
  }
}
