import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type File, NodeFileSystem } from '@holdfast/wal';
import { syncDirectoryAsync } from '../../durable-directory.js';

/** Releases before this one had one name for all. */
const NAME = /^snapshot(-[0-9a-f-]+)?\.tmp$/;
const fileSystem = new NodeFileSystem();

/**
 * The file of a snapshot until it has its name. No other process writes into it or renames it: its name is random, and making it fails where the name is taken. Its lock
 * says that its process lives. A crash before the rename gives the lock back and leaves the file, which the next start removes; after the rename there is a snapshot that
 * was synced and read back. A process that was stopped, and has lost the log meanwhile, keeps its lock, so its file stays until it wakes, finds that it is fenced, and
 * removes it.
 */
export class SnapshotDraft {
  private constructor(
    readonly path: string,
    private readonly file: File,
  ) {}

  static begin(directory: string): SnapshotDraft {
    const path = join(directory, `snapshot-${randomUUID()}.tmp`);
    const file = fileSystem.open(path, 'create');
    // Whoever removes it before it is locked has taken the log over: then it has nothing to name in the end.
    isLocked(file);
    return new SnapshotDraft(path, file);
  }

  /** Gives it its name within this turn of the event loop, right after the caller has asked whether it may; durable when it resolves. */
  async publish(path: string): Promise<void> {
    fs.renameSync(this.path, path);
    await syncDirectoryAsync(dirname(path));
  }

  /** Nothing stays of what has got no name. */
  end(): void {
    this.file.close();
    fs.rmSync(this.path, { force: true });
  }
}

/** Removes what processes have left that ended. The caller has the log. */
export function removeEndedDrafts(directory: string): void {
  if (!fs.existsSync(directory)) return;
  for (const name of fs.readdirSync(directory).filter((found) => NAME.test(found))) {
    try {
      removeEnded(join(directory, name));
    } catch {
      // It takes room and is in nobody's way: no reason to refuse a start.
    }
  }
}

function removeEnded(path: string): void {
  const file = fileSystem.open(path, 'write');
  try {
    if (isLocked(file)) fs.rmSync(path, { force: true });
  } finally {
    file.close();
  }
}

/** False too where the file system knows no locks: nobody can tell whether somebody writes there, and what is left stays. */
function isLocked(file: File): boolean {
  try {
    return fileSystem.tryLock(file);
  } catch {
    return false;
  }
}
