import { errorCode } from '@holdfast/kernel';
import type { FileSystem } from './file-system.js';

/** What zeros leave free: checkpoints, MANIFEST, FLOORS and a start need it, and they are what makes room again. */
export const DISK_RESERVE_BYTES_MAX = 64 * 1024 * 1024;
/** Of a smaller volume this part. */
const DISK_RESERVE_PART = 16;

/** How long after a refusal the next look is: doubled with each, up to the maximum. */
export interface RetryMillis {
  readonly min: number;
  readonly max: number;
}

/**
 * Whether there is room for zeros, asked before they are written. After a refusal nobody looks again for a while: on a full disk each attempt takes what
 * checkpoints and MANIFEST need, if only until it has failed. Fewer bytes than were refused may still find room.
 */
export class DiskRoom {
  private refusals = 0;
  private refusedBytes = Infinity;
  private why: unknown;
  private notBeforeMillis = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly retry: RetryMillis,
    private readonly nowMillis: () => number = () => performance.now(),
  ) {}

  /** Why the zeros must not be written: they would touch the reserve, or a refusal is recent. Undefined where there is room. */
  refusalOf(bytes: number): unknown {
    if (bytes >= this.refusedBytes && this.nowMillis() < this.notBeforeMillis) return this.why;
    const { totalBytes, freeBytes } = this.space();
    const reserve = Math.min(DISK_RESERVE_BYTES_MAX, Math.floor(totalBytes / DISK_RESERVE_PART));
    if (freeBytes - bytes >= reserve) return undefined;
    const message = `ENOSPC: ${freeBytes} bytes are free, and ${reserve} of them are kept for checkpoints and MANIFEST`;
    this.refuse(bytes, Object.assign(new Error(message), { code: 'ENOSPC' }));
    return this.why;
  }

  /** The zeros could not be written, whatever the volume says of its free space: a quota, or a limit of the file. */
  refuse(bytes: number, why: unknown): void {
    this.why = why;
    const waitMillis = Math.min(this.retry.max, this.retry.min * 2 ** this.refusals++);
    this.refusedBytes = bytes;
    this.notBeforeMillis = this.nowMillis() + waitMillis;
  }

  /** The zeros were written. */
  used(): void {
    this.refusals = 0;
    this.refusedBytes = Infinity;
  }

  /** A volume that does not say how large it is, or cannot be asked, keeps nothing back: the writing itself will tell. */
  private space(): { totalBytes: number; freeBytes: number } {
    try {
      const space = this.fileSystem.space(this.directory);
      if (space.totalBytes > 0) return space;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
    return { totalBytes: 0, freeBytes: Infinity };
  }
}
