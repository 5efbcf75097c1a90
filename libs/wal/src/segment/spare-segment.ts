import { DiskRoom } from '../disk/disk-room.js';
import { DiskSpace } from '../disk/disk-space.js';
import { discard, type File, type FileSystem } from '../disk/file-system.js';
import { SegmentWriter } from './segment-writer.js';

/** How long after a failed attempt the next one begins. */
const RETRY_MILLIS = { min: 1_000, max: 60_000 };

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
  /** What else is written beside the segments asks here too. */
  readonly space: DiskSpace;
  private readonly room: DiskRoom;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly epoch: number,
    private readonly segmentBytes: number,
    nowMillis?: () => number,
  ) {
    this.space = new DiskSpace(fileSystem, directory);
    this.room = new DiskRoom(this.space, RETRY_MILLIS, nowMillis);
  }

  /** Begins to make one unless there is one, or there was no room a moment ago. A full disk is no failure here: admission will meet it again and say so. */
  prepare(): void {
    if (this.ready !== undefined || this.preparing !== undefined || this.closed) return;
    if (this.room.refusalOf(this.segmentBytes) !== undefined) return;
    const path = this.newPath();
    const { segmentBytes } = this;
    this.preparing = this.space
      .writing(path, segmentBytes, () => this.fileSystem.createZeroed(path, segmentBytes))
      .then(() => {
        this.ready = { path, file: this.fileSystem.open(path, 'write') };
        this.room.used();
      })
      .catch((error: unknown) => {
        this.room.refuse(segmentBytes, error);
        discard(this.fileSystem, path);
      })
      .finally(() => {
        this.preparing = undefined;
      });
  }

  /** Whether the next one taken is zeroed as a whole. */
  get isReady(): boolean {
    return this.ready !== undefined;
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
    discard(this.fileSystem, segment.file.path);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.preparing;
    if (this.ready === undefined) return;
    this.ready.file.close();
    discard(this.fileSystem, this.ready.path);
    this.ready = undefined;
  }

  private newPath(): string {
    return `${this.directory}/next-${this.epoch}-${++this.count}.tmp`;
  }
}
