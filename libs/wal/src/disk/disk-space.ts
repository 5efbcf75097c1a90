import { errorCode } from '@holdfast/kernel';
import { withFile } from './file-reading.js';
import type { FileSystem } from './file-system.js';

/** What zeros and rewritten segments leave free: checkpoints, MANIFEST, FLOORS and a start need it, and they are what makes room again. */
export const DISK_RESERVE_BYTES_MAX = 64 * 1024 * 1024;
/** Of a smaller volume this part. */
const DISK_RESERVE_PART = 16;

/**
 * What the volume of a log has left above the reserve. One for all who write there by the piece: what another has begun and not written yet is taken, whatever the
 * volume says of it.
 */
export class DiskSpace {
  private readonly begun = new Map<string, number>();

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
  ) {}

  /** Why so many bytes must not be written: they would touch the reserve. Undefined where there is room. */
  refusalOf(bytes: number): Error | undefined {
    const { totalBytes, freeBytes } = this.volume();
    const reserve = Math.min(DISK_RESERVE_BYTES_MAX, Math.floor(totalBytes / DISK_RESERVE_PART));
    // A volume that does not say is not asked about its files either.
    const unwritten = freeBytes === Infinity ? 0 : this.unwrittenBytes();
    if (freeBytes - unwritten - bytes >= reserve) return undefined;
    const message = `ENOSPC: ${freeBytes} bytes are free, ${unwritten} are about to be written, and ${reserve} are kept for checkpoints and MANIFEST`;
    return Object.assign(new Error(message), { code: 'ENOSPC' });
  }

  /** While a new file grows to so many bytes, nobody else is promised them. */
  async writing<T>(path: string, bytes: number, work: () => Promise<T>): Promise<T> {
    this.begun.set(path, bytes);
    try {
      return await work();
    } finally {
      this.begun.delete(path);
    }
  }

  private unwrittenBytes(): number {
    return [...this.begun].reduce(
      (sum, [path, bytes]) => sum + Math.max(0, bytes - this.writtenBytes(path)),
      0,
    );
  }

  /** None where the file cannot be asked: it may not be there yet. */
  private writtenBytes(path: string): number {
    try {
      return withFile(this.fileSystem, path, (file) => file.size());
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return 0;
    }
  }

  /** A volume that does not say how large it is, or cannot be asked, keeps nothing back: the writing itself will tell. */
  private volume(): { totalBytes: number; freeBytes: number } {
    try {
      const space = this.fileSystem.space(this.directory);
      if (space.totalBytes > 0) return space;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
    return { totalBytes: 0, freeBytes: Infinity };
  }
}
