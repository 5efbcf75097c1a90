import type { DiskSpace } from './disk-space.js';

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
    private readonly space: DiskSpace,
    private readonly retry: RetryMillis,
    private readonly nowMillis: () => number = () => performance.now(),
  ) {}

  /** Why the zeros must not be written: they would touch the reserve, or a refusal is recent. Undefined where there is room. */
  refusalOf(bytes: number): unknown {
    if (bytes >= this.refusedBytes && this.nowMillis() < this.notBeforeMillis) return this.why;
    const refusal = this.space.refusalOf(bytes);
    if (refusal !== undefined) this.refuse(bytes, refusal);
    return refusal;
  }

  /** Why there was no room for the last zeros that were asked for, as long as there is none. */
  get refusal(): unknown {
    return this.refusals === 0 ? undefined : this.refusalOf(this.refusedBytes);
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
}
