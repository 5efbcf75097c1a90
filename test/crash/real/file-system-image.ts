import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runs } from './requirements.js';

export type JournaledFileSystem = 'ext4' | 'xfs';

const IMAGE_BYTES: Readonly<Record<JournaledFileSystem, number>> = {
  ext4: 64 * 1024 * 1024,
  // The smallest that mkfs.xfs makes.
  xfs: 320 * 1024 * 1024,
};

/** A real file system in an image file, mounted by loop, whose power can be cut. Needs root. */
export class FileSystemImage {
  readonly mountPoint: string;
  private readonly image: string;

  constructor(
    directory: string,
    readonly type: JournaledFileSystem,
  ) {
    this.image = join(directory, `${type}.image`);
    this.mountPoint = join(directory, type);
    writeFileSync(this.image, '');
    truncateSync(this.image, IMAGE_BYTES[type]);
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
    execFileSync('umount', [this.mountPoint]);
    this.mount();
  }

  remove(): void {
    execFileSync('umount', [this.mountPoint]);
    rmSync(this.image);
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
