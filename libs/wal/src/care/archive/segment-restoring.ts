import { copyToNewFile } from '../../disk/file-copy.js';
import type { FileSystem } from '../../disk/file-system.js';
import type { ArchivedSegment, ArchiveStore } from '../../segment/archive-store.js';
import { corrupt } from '../../wal.errors.js';

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
  const source = store.open(archived);
  try {
    await copyToNewFile(fileSystem, source, temporary, archived.contentBytes);
  } finally {
    source.close();
  }
  const digest = Buffer.from(await fileSystem.sha256(temporary, archived.dataLength));
  if (digest.toString('hex') === archived.sha256) return;
  throw corrupt('the SHA-256 of a restored segment differs', {
    file: archived.path,
    offset: 0,
    firstSequence: archived.name.firstSequence,
  });
}
