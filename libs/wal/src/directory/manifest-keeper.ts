import type { FileSystem } from '../disk/file-system.js';
import { type Manifest, writeManifest } from './manifest.js';
import type { WriterLock } from './writer-lock.js';

/**
 * MANIFEST as its writer sees it. A writer that was stopped, and wakes up after another has taken over, must not put what it knew in the place of what counts: it
 * makes its temporary file under a name of its own, then looks for its claim, then renames. A successor first takes the claim and then removes temporary
 * files, so either the claim is found gone or the file is.
 */
export class ManifestKeeper {
  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly lock: WriterLock,
    private manifest: Manifest,
  ) {}

  get current(): Manifest {
    return this.manifest;
  }

  /**
   * Durable when it returns. Throws `WAL_FENCED`, or what the disk says: then the old one or the new one counts after a crash, so nothing that either
   * of them names may be removed. Where only the sync has failed, readers find the new one, and so it is the current one here too: the next one goes on from it, and never back.
   */
  replace(
    manifest: Manifest,
    /** Told when it is the current one: what this process knows follows it, also if this throws then. */
    onCurrent: () => void = () => undefined,
  ): void {
    try {
      writeManifest(this.fileSystem, this.directory, manifest, {
        temporaryName: `MANIFEST-${this.lock.epoch}.tmp`,
        beforeRename: () => this.lock.assertHeld(),
        afterRename: () => {
          this.manifest = manifest;
          onCurrent();
        },
      });
    } catch (error) {
      // A successor removes temporary files, ours among them.
      this.lock.assertHeld();
      throw error;
    }
  }
}
