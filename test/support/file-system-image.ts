import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runs } from './runs.js';

export type JournaledFileSystem = 'ext4' | 'xfs';

const IMAGE_BYTES: Readonly<Record<JournaledFileSystem, number>> = {
  ext4: 64 * 1024 * 1024,
  // The smallest that mkfs.xfs makes.
  xfs: 320 * 1024 * 1024,
};

/** A real file system in an image file, mounted by loop, whose power can be cut. Needs root. */
export class FileSystemImage {
  readonly mountPoint: string;
  readonly image: string;

  /** `bytes` is its size; the file is sparse, and takes from the disk below what is written to it. */
  constructor(
    directory: string,
    readonly type: JournaledFileSystem,
    bytes = IMAGE_BYTES[type],
  ) {
    this.image = join(directory, `${type}.image`);
    this.mountPoint = join(directory, type);
    writeFileSync(this.image, '');
    truncateSync(this.image, bytes);
    mkdirSync(this.mountPoint);
    execFileSync(`mkfs.${type}`, ['-q', this.image]);
    this.mount();
  }

  /** From here on nothing reaches the image: what was not synced is gone, whatever the page cache says. */
  cutPower(): void {
    execFileSync('xfs_io', ['-x', '-c', 'shutdown', this.mountPoint]);
  }

  /** What a machine does after a power cut: the journal is replayed and the page cache is empty. */
  restart(): void {
    this.unmount();
    this.mount();
  }

  remove(): void {
    this.unmount();
    rmSync(this.image);
  }

  /** Nothing is lost by it, and the image stays. */
  unmount(): void {
    execFileSync('umount', [this.mountPoint]);
  }

  /** To read-only only while no file on it is open for writing. */
  remount(mode: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${mode}`, this.mountPoint]);
  }

  /**
   * What ext4 does when its device fails: from here on it is read-only, whoever has it open, and `restart` finds what was synced. Only ext4 has such a thing.
   */
  turnReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,errors=remount-ro,abort', this.mountPoint]);
  }

  private mount(): void {
    execFileSync('mount', ['-o', 'loop', this.image, this.mountPoint]);
  }
}

export function canCutPower(type: JournaledFileSystem): boolean {
  return (
    process.getuid?.() === 0 &&
    runs('which', `mkfs.${type}`) &&
    runs('which', 'xfs_io') &&
    runs('losetup', '-f')
  );
}
