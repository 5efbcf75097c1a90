import { errorCode } from '@holdfast/kernel';
import type { File, FileSystem } from './file-system.js';
import { SegmentWriter } from './segment-writer.js';

/** How long after a failed attempt the next one begins: doubled with each, up to a minute. */
const RETRY_MILLIS_MIN = 1_000;
const RETRY_MILLIS_MAX = 60_000;

/**
 * The next segment's file, zeroed ahead of need by the background worker. When it is not ready in time, a file is made on the spot and
 * zeroed piece by piece as it fills; the one in the background then serves the rotation after.
 *
 * Every name is new (`O_EXCL`) and carries the writer's epoch, so that no writer ever zeroes a file of another, or one that has
 * already got its final name.
 */
export class SpareSegment {
  private ready: { file: File; path: string } | undefined;
  private preparing: Promise<void> | undefined;
  private count = 0;
  private closed = false;
  /** Attempts in the background that have failed one after the other, and when the next may begin. */
  private failures = 0;
  private notBeforeMillis = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly epoch: number,
    private readonly segmentBytes: number,
    private readonly nowMillis: () => number = () => performance.now(),
  ) {}

  /**
   * Begins to make one unless there is one. A full disk is no failure here: admission will meet it again and say so. After a failure it waits, longer each time: on a full disk a segment of zeros with each
   * append would take again and again what checkpoints and MANIFEST need.
   */
  prepare(): void {
    if (this.ready !== undefined || this.preparing !== undefined || this.closed) return;
    if (this.nowMillis() < this.notBeforeMillis) return;
    const path = this.newPath();
    this.preparing = this.fileSystem
      .createZeroed(path, this.segmentBytes)
      .then(() => {
        this.ready = { path, file: this.fileSystem.open(path, 'write') };
        this.failures = 0;
      })
      .catch(() => {
        const waitMillis = Math.min(RETRY_MILLIS_MAX, RETRY_MILLIS_MIN * 2 ** this.failures++);
        this.notBeforeMillis = this.nowMillis() + waitMillis;
        this.discard(path);
      })
      .finally(() => {
        this.preparing = undefined;
      });
  }

  /** Throws `ENOSPC`, `EMFILE` and the like; nothing is left behind then. */
  take(): SegmentWriter {
    const { ready } = this;
    this.ready = undefined;
    if (ready !== undefined)
      return new SegmentWriter(ready.file, this.segmentBytes, this.segmentBytes);
    return new SegmentWriter(this.fileSystem.open(this.newPath(), 'create'), this.segmentBytes, 0);
  }

  /** Gives a segment up that was taken and never started. */
  abandon(segment: SegmentWriter): void {
    segment.file.close();
    this.discard(segment.file.path);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.preparing;
    if (this.ready === undefined) return;
    this.ready.file.close();
    this.discard(this.ready.path);
    this.ready = undefined;
  }

  private newPath(): string {
    return `${this.directory}/next-${this.epoch}-${++this.count}.tmp`;
  }

  private discard(path: string): void {
    try {
      this.fileSystem.unlink(path);
    } catch (error) {
      // A stray is removed by the next open (recovery row 13); nothing depends on it.
      if (errorCode(error) === undefined) throw error;
    }
  }
}
