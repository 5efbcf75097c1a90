// Long because the docstrings of its public methods list every error that they throw.
import { resolve } from 'node:path';
import { systemClock } from '@holdfast/kernel';
import { type FloorKeeper, Floors } from './directory/floors.js';
import { WriterLock } from './directory/writer-lock.js';
import { NodeFileSystem } from './disk/node-file-system.js';
import type { PredecessorSeal } from './format/segment-header.js';
import { SEGMENT_DATA_START } from './format/wal-format.js';
import type { VisibleBound } from './read/log-cursor.js';
import { LogView } from './read/log-view.js';
import type { CatalogEntry } from './read/segment-catalog.js';
import { type VerifyProgress, type VerifyReport, verifySegments } from './read/verify.js';
import { unreadArchive } from './recovery/end-of-log.js';
import type { RecoveryNote } from './recovery/repair.js';
import { type MaintainedLog, WalMaintenance } from './wal-maintenance.js';
import { assembleParts, prepareDirectory, type WalParts } from './wal-opening.js';
import { resolveLimits, type WalOptions } from './wal-options.js';
import { walClosed, type WalError } from './wal.errors.js';
import type {
  Admission,
  AppendOptions,
  Durability,
  IoMode,
  LogSource,
  LogTimeline,
  ReadRange,
  ScanVisitor,
  Sequence,
  WalRecord,
  WorkOptions,
} from './wal.types.js';
import { WorkSchedule } from './work-schedule.js';
import { CommitTally, type CommitTotals } from './write/commit-tally.js';
import { GroupCommit } from './write/group-commit.js';
import type { StartedSegment } from './write/segment-chain.js';
import { SequenceWaiters } from './write/sequence-waiters.js';

/** Figures since the log was opened. */
export interface WalStats extends CommitTotals {
  readonly logId: string;
  readonly epoch: number;
  readonly timeline: string;
  readonly durability: Durability;
  readonly ioMode: IoMode;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly durableSequence: Sequence;
  readonly segments: number;
  /** Bytes of data in all segments, archived ones included: what a replay from the start reads. */
  readonly logBytes: number;
  /** Of data in the log's own directory. */
  readonly liveBytes: number;
  readonly archivedSegments: number;
  /** What the archived segments take in the archive. */
  readonly archiveBytes: number;
  readonly queuedBytes: number;
}

/**
 * The write-ahead log of one directory, opened for writing.
 *
 * An append is admitted synchronously, written and synced in a group with whatever else came in the same turn of the event loop, and acknowledged
 * after fdatasync. What was acknowledged is there after any crash; damage to it refuses the next open and is never passed over in
 * silence. The format is in `docs/file-format.md`.
 */
export class Wal implements LogSource {
  /** Resolves with the reason if the log is poisoned. The process should then end, and recovery decides. */
  readonly failed: Promise<WalError>;
  /** Named retention floors. */
  readonly floors: Floors;
  /** Archiving, compaction, backup, removal, scrubbing. */
  readonly maintenance: WalMaintenance;
  private readonly view: LogView;
  private readonly commits: GroupCommit;
  private readonly waiters: SequenceWaiters;
  private readonly schedule = new WorkSchedule(() => this.assertWritable());
  private readonly tally: CommitTally;
  private reportFailure: (error: WalError) => void = () => undefined;
  private bound: VisibleBound;
  private stopping = false;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly parts: WalParts,
    /** What recovery found and did. */
    readonly recovered: readonly RecoveryNote[],
    lastSequence: Sequence,
  ) {
    this.failed = new Promise((report) => (this.reportFailure = report));
    this.bound = boundOf(lastSequence, parts.chain.current, SEGMENT_DATA_START);
    this.tally = new CommitTally(parts.options.onCommit);
    this.view = new LogView({
      logId: parts.logId,
      catalog: parts.catalog,
      bound: () => this.bound,
      get firstSequence() {
        return parts.catalog.firstSequence;
      },
      waitBeyond: (after, signal) => this.waitBeyond(after, signal),
      timelineBefore: (sequence) => parts.manifest.current.placesBefore.get(sequence),
    });
    const limits = resolveLimits(parts.options);
    this.commits = new GroupCommit(
      parts.chain,
      { ...limits, durability: parts.durability, ioMode: parts.options.ioMode ?? 'adaptive' },
      {
        assertUnfenced: () => this.assertInPlace(),
        durable: (sequence, segment, offset) => this.publish(sequence, segment, offset),
        committed: (commit) => this.tally.count(commit),
        rotated: (sealed, seal, current) => this.rotated(sealed, seal, current),
        poisoned: (error) => this.poisoned(error),
      },
      parts.clock,
      lastSequence,
    );
    this.floors = new Floors(parts.fileSystem, parts.directory, this.floorKeeper(), parts.floors);
    this.waiters = new SequenceWaiters(
      () => this.commits.durableSequence,
      () => this.ended(),
    );
    this.maintenance = new WalMaintenance(parts, this.maintained(), this.schedule);
    this.publish(lastSequence, parts.chain.current, SEGMENT_DATA_START);
    this.maintenance.finishLeftovers();
  }

  /**
   * Takes the writer's lock, recovers, and starts a new segment. A refusal changes no byte except LOCK and claims.
   *
   * @throws `WAL_INVALID_OPTION`, `WAL_NOT_FOUND`, `WAL_UNSUPPORTED_FILE_SYSTEM`, `WAL_LOCKED`: nothing was read.
   * @throws `WAL_CORRUPT`, `WAL_LOST_TAIL`, `WAL_BEHIND_STATE`, `WAL_MISSING_SEGMENT`, `WAL_MANIFEST_DAMAGED`, `WAL_UNSUPPORTED_FORMAT`, `WAL_READ_FAILED`: what recovery found.
   * @throws `WAL_ARCHIVE_MISMATCH`, `WAL_ARCHIVE_NOT_FOUND`: the archive is not that of this log, or is gone.
   * @throws `WAL_FENCED`: another writer took the log over meanwhile.
   * @throws `WAL_FULL`, `WAL_OVERLOADED`, or the error of the disk: the new segment could not be made.
   */
  static async open(directory: string, options: WalOptions = {}): Promise<Wal> {
    resolveLimits(options);
    const fileSystem = options.fileSystem ?? new NodeFileSystem();
    const clock = options.clock ?? systemClock;
    const path = resolve(directory);
    try {
      prepareDirectory(fileSystem, path, options);
      const lock = WriterLock.acquire(fileSystem, path, {
        takeover: options.takeover ?? false,
        clock,
      });
      try {
        const { parts, notes, lastSequence } = await assembleParts(
          fileSystem,
          path,
          lock,
          options,
          clock,
        );
        return new Wal(parts, notes, lastSequence);
      } catch (error) {
        try {
          // Whoever is overtaken while it opens meets files that its successor has removed; they are not the reason.
          lock.assertHeld();
        } finally {
          lock.release();
        }
        throw error;
      }
    } catch (error) {
      if (options.fileSystem === undefined) await fileSystem.close();
      throw error;
    }
  }

  get logId(): string {
    return this.view.logId;
  }

  /** Random for each open: names this stretch of the log's history. */
  get timeline(): string {
    return this.parts.chain.current.header.timeline;
  }

  /** After `WAL_FULL`: why, as long as there is no room. Looks at the volume. */
  get roomRefusal(): unknown {
    return this.parts.chain.roomRefusal;
  }

  get firstSequence(): Sequence {
    return this.view.firstSequence;
  }

  /** The last assigned sequence, which may not be durable yet. */
  get lastSequence(): Sequence {
    return this.commits.lastSequence;
  }

  get durableSequence(): Sequence {
    return this.commits.durableSequence;
  }

  /** The last acknowledged sequence. Above the durable one if acknowledgements do not wait for a sync (durability `interval`, `none`). */
  get acknowledgedSequence(): Sequence {
    return this.commits.acknowledgedSequence;
  }

  /** Why the log accepts no more appends, if it has failed. */
  get poison(): WalError | undefined {
    return this.commits.poison;
  }

  /**
   * Appends one atomic batch. The payloads are copied before this returns. What it throws, it throws before anything is assigned.
   *
   * @throws `WAL_EMPTY_BATCH`, `WAL_TOO_LARGE`: the batch can never be appended.
   * @throws `WAL_OVERLOADED`, `WAL_FULL`: try again later.
   * @throws `WAL_CLOSED`, `WAL_POISONED`, `WAL_FENCED`: the log takes no more appends.
   */
  append(records: readonly Uint8Array[], options: AppendOptions = {}): Admission {
    return this.commits.admit(records, options);
  }

  /**
   * Resolves once everything appended before the call is synced, in every durability mode.
   *
   * @throws `WAL_POISONED`, `WAL_FENCED`.
   */
  flush(): Promise<void> {
    return this.commits.flush();
  }

  /**
   * Asserts that this writer still has the log: for callers that write files of their own on the strength of it.
   *
   * @throws `WAL_FENCED`: another writer has the log by now.
   * @throws `WAL_CLOSED`.
   */
  assertUnfenced(): void {
    this.parts.lock.assertHeld();
  }

  recordAt(sequence: Sequence): WalRecord | undefined {
    return this.view.recordAt(sequence);
  }

  recordAtOrAbove(sequence: Sequence): WalRecord | undefined {
    return this.view.recordAtOrAbove(sequence);
  }

  read(range: ReadRange): AsyncIterable<WalRecord> {
    return this.view.read(range);
  }

  scan(after: Sequence, visitor: ScanVisitor, upTo?: Sequence): Promise<Sequence> {
    return this.view.scan(after, visitor, upTo);
  }

  follow(options: { after: Sequence; signal?: AbortSignal }): AsyncIterable<WalRecord> {
    return this.view.follow(options);
  }

  timelineAt(sequence: Sequence): string | undefined {
    return this.view.timelineAt(sequence);
  }

  /** Whether what is durable ends in this history: that of the last record, or of an opening that has left none since. A place of it that the log does not come to was lost. */
  endsIn(timeline: string): boolean {
    return this.view.endsIn(timeline);
  }

  get newestTimeline(): string {
    return this.view.newestTimeline;
  }

  /** The newest `countMax` timelines of the log, newest first. Of two that begin at the same sequence, the older one holds nothing and is left out. */
  timelines(countMax: number): LogTimeline[] {
    return this.view.timelines(countMax);
  }

  /**
   * Resolves once `durableSequence > after`, or the signal fires.
   *
   * @throws `WAL_CLOSED`, `WAL_POISONED`, `WAL_FENCED`: nothing more becomes durable.
   */
  waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void> {
    return this.waiters.beyond(after, signal);
  }

  /**
   * Reads everything that is durable, and reports every damage and what it could not verify. Appends go on meanwhile.
   *
   * @throws `WAL_CLOSED`: also when the log closes meanwhile.
   */
  async verify(
    onProgress?: (progress: VerifyProgress) => void,
    signal?: AbortSignal,
  ): Promise<VerifyReport> {
    const { fileSystem, catalog, directory } = this.parts;
    const own: WorkOptions = this.schedule.endingWithLog(signal === undefined ? {} : { signal });
    const report = await this.schedule.pass(() =>
      verifySegments(fileSystem, catalog.all(), this.bound, {
        ...{ catalog, signal: own.signal },
        ...(onProgress === undefined ? undefined : { onProgress }),
      }),
    );
    // It read until then, and what it says of the rest is that it was cancelled, which nobody asked for.
    if (this.schedule.isEnding) throw walClosed();
    const unread = unreadArchive(fileSystem, directory, catalog.firstSequence);
    return { ...report, unverified: [...report.unverified, ...unread] };
  }

  /** The segments of the log's directory, oldest first. The newest, which still grows, has no data length. Reads nothing from disk. */
  segments(): readonly CatalogEntry[] {
    return this.parts.catalog.live();
  }

  stats(): WalStats {
    const { chain, catalog, lock, durability } = this.parts;
    const sealedBytes = dataBytes(catalog.all());
    const archived = catalog.all().flatMap((entry) => entry.archived ?? []);
    return {
      logId: this.logId,
      epoch: lock.epoch,
      timeline: this.timeline,
      durability,
      ioMode: this.commits.ioMode,
      firstSequence: this.firstSequence,
      lastSequence: this.lastSequence,
      durableSequence: this.durableSequence,
      segments: catalog.all().length,
      logBytes: sealedBytes + chain.current.writer.writtenEnd,
      liveBytes: dataBytes(catalog.live()) + chain.current.writer.writtenEnd,
      archivedSegments: archived.length,
      archiveBytes: archived.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
      queuedBytes: this.commits.queuedBytes,
      ...this.tally.figures(),
    };
  }

  /** Makes everything durable, then releases the log. Safe to call again. Of a poisoned log it only releases; `failed` has the reason. */
  close(): Promise<void> {
    return (this.closed ??= this.shutDown());
  }

  /**
   * A closed log is promised to its end by what stands in another place than that end: damage there is not taken for an end. Crash before it is durable: WATERMARK lags, as during the work. After a
   * failed write or sync nothing is synced any more.
   */
  private async syncWatermark(): Promise<void> {
    if (this.poison !== undefined) return;
    try {
      await this.parts.watermark.sync();
    } catch {
      this.tally.watermarkFailures++;
    }
  }

  private async shutDown(): Promise<void> {
    this.schedule.end();
    await this.commits.close();
    await this.syncWatermark();
    this.stopping = true;
    this.waiters.wakeAll();
    await this.schedule.workEnded();
    const { chain, spare, lock, catalog, watermark, fileSystem, options } = this.parts;
    const owned = options.fileSystem === undefined;
    // The worker may be zeroing a segment that nobody will need.
    if (owned) await fileSystem.close();
    await this.schedule.passesEnded();
    await spare.close();
    chain.close();
    catalog.close();
    watermark.close();
    lock.release();
  }

  /** Why the log takes nothing more. */
  private ended(): WalError | undefined {
    return this.poison ?? (this.stopping ? walClosed() : undefined);
  }

  /** Also of the segment: what is renamed over it alone, as a copying tool does, leaves the claim as it is. Throws `WAL_FENCED`. */
  private assertInPlace(): void {
    const { lock, chain } = this.parts;
    lock.assertHeld();
    lock.assertInPlace(chain.current.writer.file, chain.current.path);
  }

  private floorKeeper(): FloorKeeper {
    const { commits, parts } = this;
    return {
      epoch: parts.lock.epoch,
      get durableSequence() {
        return commits.durableSequence;
      },
      assertUnfenced: () => parts.lock.assertHeld(),
    };
  }

  private maintained(): MaintainedLog {
    return {
      floors: this.floors,
      timeline: () => this.timeline,
      bound: () => this.bound,
      isClosed: () => this.stopping,
    };
  }

  private publish(sequence: Sequence, segment: StartedSegment, offset: number): void {
    this.bound = boundOf(sequence, segment, offset);
    this.parts.lock.retryLock();
    this.writeWatermark();
    this.waiters.wakeUpTo(sequence);
  }

  /** Not a part of durability: without it, readers in other processes wait and recovery promises less. */
  private writeWatermark(): void {
    const { watermark, lock, chain } = this.parts;
    try {
      watermark.write({
        timeline: chain.current.header.timeline,
        epoch: lock.epoch,
        ...this.bound,
      });
    } catch {
      // The next commit writes it again.
      this.tally.watermarkFailures++;
    }
  }

  private rotated(sealed: StartedSegment, seal: PredecessorSeal, current: StartedSegment): void {
    this.tally.rotations++;
    this.parts.catalog.append(
      { ...current, index: current.writer.index, dataLength: undefined },
      seal.dataLength,
    );
    this.maintenance.finish(sealed);
  }

  private assertWritable(): void {
    const ended = this.ended();
    if (ended !== undefined) throw ended;
  }

  private poisoned(error: WalError): void {
    this.reportFailure(error);
    this.waiters.wakeAll();
  }
}

function boundOf(sequence: Sequence, segment: StartedSegment, offset: number): VisibleBound {
  return { sequence, segment: segment.name.segment, offset };
}

function dataBytes(entries: readonly CatalogEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.dataLength ?? 0), 0);
}
