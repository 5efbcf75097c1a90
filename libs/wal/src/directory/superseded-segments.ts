import { errorCode } from '@holdfast/kernel';
import type { ManifestKeeper } from './manifest-keeper.js';
import { isSuperseded } from './segments-of-log.js';
import type { WriterLock } from './writer-lock.js';
import type { FileSystem } from '../disk/file-system.js';
import { parseSegmentName } from '../format/segment-name.js';

/**
 * Removes what an earlier removal or compaction has left: MANIFEST had got its name, and then its sync or an unlink failed. Nothing plans these files again, because the log does not have them any more.
 *
 * The sync comes before the first unlink: without it a power cut could bring back the MANIFEST that names them. Crash in between: the next open removes the rest. Throws `WAL_FENCED`, and what the sync says:
 * then nothing was removed.
 */
export async function removeSuperseded({
  fileSystem,
  directory,
  manifest,
  lock,
}: {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly manifest: ManifestKeeper;
  readonly lock: WriterLock;
}): Promise<void> {
  const superseded = fileSystem.list(directory).filter((file) => {
    const name = parseSegmentName(file);
    return name !== undefined && isSuperseded(manifest.current, name);
  });
  if (superseded.length === 0) return;
  await fileSystem.syncDirectoryAsync(directory);
  for (const file of superseded) {
    // After a takeover these files are our successor's to remove.
    lock.assertHeld();
    unlinked(fileSystem, `${directory}/${file}`);
  }
}

/** False where the disk does not let it go. */
export function unlinked(fileSystem: FileSystem, path: string): boolean {
  try {
    fileSystem.unlink(path);
    return true;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}
