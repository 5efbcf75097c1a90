import { closeSync, cpSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FileSystemImage, canCutPower } from '../support/file-system-image.js';
import { runs } from '../support/runs.js';
import type { SoakDisk } from './soak-options.js';

/** Sparse: it takes what is written to it. Room for hours of commands, their read model twice, and state. */
const IMAGE_BYTES = 8 * 1024 ** 3;
const BALLAST_SPARED_BYTES = [4, 16, 64, 256].map((mebibytes) => mebibytes * 1024 ** 2);
const BALLAST_CHUNK_BYTES = 64 * 1024;
const BLOCK_BYTES = 4 * 1024;

/** The disk that the data lies on. */
export class DataDisk {
  private constructor(
    readonly dataDirectory: string,
    private readonly image: FileSystemImage | undefined,
  ) {}

  static make(directory: string, disk: SoakDisk): DataDisk {
    if (disk === 'none' || whatIsMissing(disk) !== undefined) {
      const data = join(directory, 'data');
      mkdirSync(data);
      return new DataDisk(data, undefined);
    }
    const image = new FileSystemImage(directory, disk, IMAGE_BYTES);
    const data = join(image.mountPoint, 'data');
    mkdirSync(data);
    return new DataDisk(data, image);
  }

  /** Whether it can be filled up and lose its power. */
  get isOwn(): boolean {
    return this.image !== undefined;
  }

  /** Leaves no block free. */
  fill(): void {
    const { bfree, bsize } = statfsSync(this.dataDirectory);
    // At once what can be had at once, which a file system says no to for the sake of its own blocks; the last ones one by one.
    BALLAST_SPARED_BYTES.some((spared) =>
      runs('fallocate', '-l', String(Math.max(bsize, bfree * bsize - spared)), this.ballast),
    );
    this.fillRest(BALLAST_CHUNK_BYTES);
    this.fillRest(BLOCK_BYTES);
  }

  free(): void {
    rmSync(this.ballast, { force: true });
    rmSync(`${this.ballast}-rest`, { force: true });
  }

  /** What was not synced is gone, and nothing can be read or written until `restart`. */
  cutPower(): void {
    this.image?.cutPower();
  }

  /** After every process that used it has ended. */
  restart(): void {
    this.image?.restart();
  }

  /** While no file on it is open for writing. */
  remount(mode: 'ro' | 'rw'): void {
    this.image?.remount(mode);
  }

  /** At once, whoever writes to it, until `restart`. Needs ext4. */
  turnReadOnly(): void {
    this.image?.turnReadOnly();
  }

  /** After every process that used it has ended: copies the data to where it needs no mount. The image stays. */
  keep(target: string): void {
    // A soak may end while the power is off.
    this.image?.restart();
    this.free();
    if (this.image === undefined) return;
    cpSync(this.dataDirectory, target, { recursive: true });
    this.image.unmount();
  }

  remove(): void {
    this.image?.remove();
  }

  private get ballast(): string {
    return join(this.dataDirectory, '..', 'ballast');
  }

  private fillRest(bytes: number): void {
    const file = openSync(`${this.ballast}-rest`, 'a');
    const zeros = Buffer.alloc(bytes);
    try {
      while (writeSync(file, zeros) === bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }
}

/** What this machine lacks for a disk of its own; undefined when nothing is. */
export function whatIsMissing(disk: SoakDisk): string | undefined {
  if (disk === 'none') return 'a disk of its own (--disk ext4 or xfs)';
  const able = canCutPower(disk) && runs('fallocate', '--version');
  return able ? undefined : `root, loop devices, mkfs.${disk}, xfs_io and fallocate`;
}
