import { setTimeout } from 'node:timers/promises';
import { assert, type Clock, errorCode, errorMessage } from '@holdfast/kernel';
import { DiskRoom } from '../disk/disk-room.js';
import type { FileSystem } from '../disk/file-system.js';
import type { PredecessorSeal, SegmentHeader } from '../format/segment-header.js';
import { formatSegmentName, type SegmentName } from '../format/segment-name.js';
import { SegmentSyncFailed, SegmentWriter, zerosForFirst } from '../segment/segment-writer.js';
import type { SpareSegment } from '../segment/spare-segment.js';
import { WalError } from '../wal.errors.js';
import type { Durability, Sequence } from '../wal.types.js';

/** The next segment is prepared once this fraction of the current one is planned: a short-lived open prepares none. */
const SPARE_WHEN_FILLED = 16;

/** What all segments of one open share. */
export interface ChainIdentity {
  readonly logId: string;
  readonly timeline: string;
  readonly epoch: number;
  readonly durability: Durability;
  readonly frameBytesMax: number;
  readonly segmentBytes: number;
  readonly roomRetryMillis: number;
}

export interface StartedSegment {
  readonly name: SegmentName;
  readonly path: string;
  readonly header: SegmentHeader;
  readonly writer: SegmentWriter;
}

/**
 * Where the next frame goes. At most one rotation is planned at a time: what is queued fits into the rest of the current segment and the
 * whole of the next, because the queue is bounded by a segment's size.
 */
export class SegmentChain {
  private started: StartedSegment | undefined;
  private upcoming: SegmentWriter | undefined;
  private readonly room: DiskRoom;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly identity: ChainIdentity,
    private readonly spare: SpareSegment,
    private readonly clock: Clock,
    private readonly randomU32: () => number,
  ) {
    // Not longer and longer: a look costs little, and clients wait for it.
    const retry = { min: identity.roomRetryMillis, max: identity.roomRetryMillis };
    this.room = new DiskRoom(spare.space, retry);
  }

  get roomRefusal(): unknown {
    return this.room.refusal;
  }

  get current(): StartedSegment {
    assert(this.started !== undefined, 'the chain has begun');
    return this.started;
  }

  /**
   * Plans room for a frame in the current segment or the one to come, and says in which. `undefined`: the queue must drain first.
   * Throws `WAL_FULL`, `WAL_OVERLOADED` or `SegmentSyncFailed` with nothing planned.
   */
  reserve(bytes: number): SegmentWriter | undefined {
    const target = this.upcoming ?? this.current.writer;
    if (this.extend(target, bytes)) return target;
    return this.upcoming === undefined ? this.planRotation(bytes) : undefined;
  }

  /**
   * Plans more room for the last planned frame of a segment. False where it does not fit, and where there is no room for its zeros while the next segment stands ready with its own. Throws
   * `WAL_FULL`, `WAL_OVERLOADED` or `SegmentSyncFailed` with nothing planned.
   */
  extend(segment: SegmentWriter, bytes: number): boolean {
    if (segment.plannedEnd > this.identity.segmentBytes / SPARE_WHEN_FILLED) this.spare.prepare();
    try {
      return this.withRoom(segment.zerosFor(bytes), () => segment.reserve(bytes));
    } catch (error) {
      if (this.spare.isReady && errorCode(error) === 'WAL_FULL') return false;
      throw error;
    }
  }

  /** Room for the empty frame of an idle or closing log, for which each segment keeps a place. */
  reserveEmpty(bytes: number): SegmentWriter | undefined {
    if (this.upcoming !== undefined) return undefined;
    const { writer } = this.current;
    try {
      return writer.reserve(bytes, { intoReserve: true }) ? writer : undefined;
    } catch (error) {
      const reason = full(this.directory, error);
      // Nobody waits for this frame: without room for it, readers and recovery know a little less.
      if (reason instanceof WalError) return undefined;
      throw reason;
    }
  }

  /**
   * Makes the next segment the current one: sync the predecessor; header into the prepared file; sync; final name; directory sync; and only
   * then the first frame. Crash before the name is durable: a stray temporary file, and the predecessor is still the last segment.
   * Crash after: a segment without frames, and the predecessor is sealed with exactly the frames it has.
   */
  async rotate(lastSequence: Sequence): Promise<{ sealed: StartedSegment; seal: PredecessorSeal }> {
    const sealed = this.current;
    await sealed.writer.file.dataSyncAsync();
    const seal = sealed.writer.seal(sealed.name, lastSequence);
    assert(this.upcoming !== undefined, 'a rotation was planned');
    await this.start(this.upcoming, sealed.name.segment + 1, lastSequence, seal);
    this.upcoming = undefined;
    return { sealed, seal };
  }

  /** The first segment of this open. Throws `EEXIST` when another writer has made a segment of that number. */
  async begin(segment: number, lastSequence: Sequence, seal: PredecessorSeal): Promise<void> {
    const writer = this.spare.take();
    try {
      const fits = writer.reserve(0);
      assert(fits, 'the header fits');
      await this.start(writer, segment, lastSequence, seal);
    } catch (error) {
      this.spare.abandon(writer);
      // Nothing is in flight yet, so the sync has failed for itself alone.
      throw error instanceof SegmentSyncFailed ? error.cause : error;
    }
  }

  close(): void {
    if (this.upcoming !== undefined) this.spare.abandon(this.upcoming);
    this.upcoming = undefined;
    // It stays the current one: figures are asked for also after the end.
    this.started?.writer.file.close();
  }

  private planRotation(bytes: number): SegmentWriter {
    const zeros = this.spare.isReady ? 0 : zerosForFirst(bytes, this.identity.segmentBytes);
    this.upcoming = this.withRoom(zeros, () => {
      const writer = this.spare.take();
      try {
        const fits = writer.reserve(bytes);
        assert(fits, 'an empty segment takes the largest frame');
      } catch (error) {
        this.spare.abandon(writer);
        throw error;
      }
      return writer;
    });
    return this.upcoming;
  }

  /** What needs so many bytes of zeros. Only an append asks: what a start, a closing log and its care write may use the reserve. */
  private withRoom<T>(zeros: number, work: () => T): T {
    const refusal = zeros === 0 ? undefined : this.room.refusalOf(zeros);
    if (refusal !== undefined) throw full(this.directory, refusal);
    try {
      const result = work();
      if (zeros > 0) this.room.used();
      return result;
    } catch (error) {
      const reason = full(this.directory, error);
      if (reason instanceof WalError && reason.code === 'WAL_FULL') this.room.refuse(zeros, error);
      throw reason;
    }
  }

  private async start(
    writer: SegmentWriter,
    segment: number,
    lastSequence: Sequence,
    predecessor: PredecessorSeal,
  ): Promise<void> {
    const firstSequence = lastSequence + 1;
    const name = { segment, firstSequence, generation: 0 };
    const path = `${this.directory}/${formatSegmentName(name)}`;
    const header = await writer.start({
      ...this.identity,
      segment,
      firstSequence,
      salt: this.randomU32(),
      createdMicros: this.clock.nowMillis() * 1000,
      predecessor,
    });
    // Crash before the name is there: a `stray`. Between the two names of it: the segment counts, and the next open removes the temporary one.
    // Crash before the name is durable: no frame is in it, and the segment before it ends where it would have ended.
    await this.fileSystem.publish(writer.file.path, path);
    await this.syncName();
    this.started = { name, path, header, writer };
  }

  /**
   * A sync of the directory begins by opening it. Without a free descriptor that open is what failed: nothing was synced, so no failed sync is hidden by the next attempt. Nothing is in the segment
   * before this returns, and nothing is acknowledged meanwhile.
   */
  private async syncName(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.fileSystem.syncDirectoryAsync(this.directory);
        return;
      } catch (error) {
        const isPassing = NO_DESCRIPTOR.includes(errorCode(error) ?? '');
        if (!isPassing || attempt >= DIRECTORY_OPENS_MAX) throw error;
        await setTimeout(Math.min(2 ** attempt, DIRECTORY_PAUSE_MILLIS_MAX));
      }
    }
  }
}

/** What an open says and a sync never does: `ENOMEM` may be either's. */
const NO_DESCRIPTOR = ['EMFILE', 'ENFILE'];
/** Some five seconds. */
const DIRECTORY_OPENS_MAX = 60;
const DIRECTORY_PAUSE_MILLIS_MAX = 100;

/** What says that there is no room, and nothing of the disk's health: no space, no quota, no bigger file. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Nothing was opened, so nothing of the disk is known: it passes when others have closed their files. */
const NO_RESOURCES = ['EMFILE', 'ENFILE', 'ENOMEM'];

/** Without room the append is refused. Whatever else the disk says ends the writer, as it would in a frame's own write; a bug is what it is. */
function full(directory: string, cause: unknown): unknown {
  const code = errorCode(cause);
  if (code === undefined) return cause;
  if (NO_RESOURCES.includes(code)) {
    return new WalError(
      'WAL_OVERLOADED',
      `no file could be opened for another segment in ${directory}: ${errorMessage(cause)}; nothing was appended`,
      { directory, reason: code },
      { cause },
    );
  }
  if (!NO_ROOM.includes(code)) return new SegmentSyncFailed(cause, 'making room for a record');
  return new WalError(
    'WAL_FULL',
    `no room for another record in ${directory}: ${errorMessage(cause)}; nothing was appended`,
    { directory, reason: code },
    { cause },
  );
}
