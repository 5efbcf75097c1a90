import type { FileSystem } from './file-system.js';
import { writeFullyAsync } from './file-system.js';
import { withFile } from './segment-file.js';
import { refused } from './backup-target.js';

const COPY_BYTES = 1024 * 1024;

/**
 * Copies a file under its digest; durable, and compared in length and content, when it resolves. What is there already is read, and counts only when it is the same. Throws `WAL_BACKUP_REFUSED`
 * when the source changes meanwhile.
 */
export async function copyFile(
  fileSystem: FileSystem,
  path: string,
  directory: string,
): Promise<{ bytes: number; sha256: string }> {
  const bytes = withFile(fileSystem, path, (file) => file.size());
  const sha256 = Buffer.from(await fileSystem.sha256(path, bytes)).toString('hex');
  const target = `${directory}/${sha256}`;
  const holds = async (): Promise<boolean> => {
    if (withFile(fileSystem, target, (file) => file.size()) !== bytes) return false;
    return Buffer.from(await fileSystem.sha256(target, bytes)).toString('hex') === sha256;
  };
  if (!fileSystem.exists(target) || !(await holds())) {
    await copyBytes(fileSystem, path, `${target}.tmp`, bytes);
    // What bears this name has rotted: it is of no use to anybody. Crash here: the file is missing where it was damaged.
    if (fileSystem.exists(target)) fileSystem.unlink(target);
    await fileSystem.publish(`${target}.tmp`, target);
    if (!(await holds())) throw refused(directory, `${path} changed while it was copied`);
  }
  fileSystem.syncDirectory(directory);
  return { bytes, sha256 };
}

async function copyBytes(
  fileSystem: FileSystem,
  from: string,
  to: string,
  bytes: number,
): Promise<void> {
  if (fileSystem.exists(to)) fileSystem.unlink(to);
  const source = fileSystem.open(from, 'read');
  try {
    const target = fileSystem.open(to, 'create');
    try {
      const chunk = Buffer.alloc(COPY_BYTES);
      for (let at = 0; at < bytes; at += chunk.length) {
        const read = await source.readAsync(
          chunk.subarray(0, Math.min(chunk.length, bytes - at)),
          at,
        );
        await writeFullyAsync(target, chunk.subarray(0, read), at);
      }
      await target.dataSyncAsync();
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}
