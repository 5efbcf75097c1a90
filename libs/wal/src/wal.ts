import { randomBytes as systemRandomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@holdfast/kernel';
import { withArchived } from './read/archived-part.js';
import { archivePin, type ArchiveReport, archiveSegments } from './care/archive/archiving.js';
import { backUp, type BackupOptions, type BackupReport } from './care/backup/backup.js';
import { openFiles } from './care/backup/backup-files.js';
import {
  type CompactionPolicy,
  type CompactionReport,
  compactSegments,
} from './care/compaction/compaction.js';
import { unreadArchive } from './recovery/end-of-log.js';
import { ARCHIVE_FLOOR, type FloorKeeper, Floors } from './directory/floors.js';
import { GroupCommit } from './write/group-commit.js';
import type { VisibleBound } from './read/log-cursor.js';
import { LogView } from './read/log-view.js';
import { NodeFileSystem } from './disk/node-file-system.js';
import {
  planRemoval,
  type RemovalOptions,
  type RemovalPlan,
  type RemovalReport,
  removeSegments,
} from './care/retention/removal.js';
import type { RecoveryNote } from './recovery/repair.js';
import { type ScrubOptions, type ScrubReport, scrubSegments } from './read/scrub.js';
import { finishLeftovers, finishSegment, isFinished, summarize } from './segment/sealing.js';
import type { CatalogEntry } from './read/segment-catalog.js';
import type { StartedSegment } from './write/segment-chain.js';
import type { PredecessorSeal } from './format/segment-header.js';
import { segmentPath } from './format/segment-name.js';
import { type VerifyProgress, type VerifyReport, verifySegments } from './read/verify.js';
import { SEGMENT_DATA_START } from './format/wal-format.js';
import { assembleParts, prepareDirectory, type WalParts } from './wal-opening.js';
import { resolveLimits, type WalOptions } from './wal-options.js';
import { walClosed, WalError } from './wal.errors.js';
import {
  type Admission,
  type AppendOptions,
  BEFORE_FIRST,
  type CommitFigures,
  type Durability,
  type IoMode,
  type LogSource,
  type LogTimeline,
  type ReadRange,
  type ScanVisitor,
  type Sequence,
  type WalRecord,
  type WorkOptions,
} from './wal.types.js';
import { WriterLock } from './directory/writer-lock.js';

/** Figures since the log was opened. */
export interface WalStats {
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
  readonly commits: number;
  readonly records: number;
  readonly bytesWritten: number;
  readonly commitMicrosTotal: number;
  readonly commitMicrosMax: number;
  readonly rotations: number;
  /** Writes of WATERMARK that failed: readers in other processes lag while they do. */
  readonly watermarkFailures: number;
  /** Calls of `onCommit` that threw: its metrics lack those commits. */
  readonly onCommitFailures: number;
}

/**
 * The write-ahead log of one directory, opened for writing.
 *
 * An append is admitted synchronously, written and synced in a group with whatever else came in the same turn of the event loop, and acknowledged
 * after fdatasync. What was acknowledged is there after any crash; damage to it refuses the next open and is never passed over in
 * silence. The format is in `docs/file-format.md`.
 */
export class Wal implements LogSource {
  /** Resolves with the reason if the log is ever poisoned: the process should then end, and recovery decides. */
  readonly failed: Promise<WalError>;
  /** Named retention floors. */
  readonly floors: Floors;
  private readonly view: LogView;
  private readonly commits: GroupCommit;
  private readonly ending = new AbortController();
  private readonly waiting: { after: number; wake: () => void }[] = [];
  private readonly tally = {
    commits: 0,
    records: 0,
    bytesWritten: 0,
    micros: 0,
    microsMax: 0,
    rotations: 0,
    watermarkFailures: 0,
    onCommitFailures: 0,
  };
  private reportFailure: (error: WalError) => void = () => undefined;
  private bound: VisibleBound;
  private background: Promise<void> = Promise.resolve();
  private maintenance: Promise<void> = Promise.resolve();
  /** Backups that are being made: they read segment after segment. */
  private copies: Promise<unknown> = Promise.resolve();
  /** Scrubbing passes and verifications: nothing waits for them but the end of the log. */
  private passes: Promise<unknown> = Promise.resolve();
  private stopping = false;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly parts: WalParts,
    /** What recovery found and did, for the operator. */
    readonly recovered: readonly RecoveryNote[],
    lastSequence: Sequence,
  ) {
    this.failed = new Promise((report) => (this.reportFailure = report));
    this.bound = boundOf(lastSequence, parts.chain.current, SEGMENT_DATA_START);
    this.view = new LogView({
      logId: parts.logId,
      catalog: parts.catalog,
      bound: () => this.bound,
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
        committed: (commit) => this.count(commit),
        rotated: (sealed, seal, current) => this.rotated(sealed, seal, current),
        poisoned: (error) => this.poisoned(error),
      },
      parts.clock,
      lastSequence,
    );
    this.floors = new Floors(parts.fileSystem, parts.directory, this.floorKeeper(), parts.floors);
    this.publish(lastSequence, parts.chain.current, SEGMENT_DATA_START);
    this.inBackground(() =>
      finishLeftovers(
        parts.fileSystem,
        (segment) => segmentPath(parts.directory, segment.name),
        parts.sealed,
        () => this.stopping,
        () => parts.lock.assertHeld(),
      ),
    );
  }

  /**
   * Takes the writer's lock, recovers, and starts a new segment. Throws `WAL_NOT_FOUND`, `WAL_LOCKED`, `WAL_CORRUPT`, `WAL_LOST_TAIL`,
   * `WAL_MISSING_SEGMENT`, `WAL_MANIFEST_DAMAGED`, `WAL_UNSUPPORTED_FORMAT`, `WAL_UNSUPPORTED_FILE_SYSTEM`, `WAL_READ_FAILED`,
   * `WAL_INVALID_OPTION`; refusing changes no byte except LOCK and claims.
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

  get firstSequence(): Sequence {
    return this.view.firstSequence;
  }

  /** Assigned, but perhaps not durable. */
  get lastSequence(): Sequence {
    return this.commits.lastSequence;
  }

  get durableSequence(): Sequence {
    return this.commits.durableSequence;
  }

  /** The last record whose append was acknowledged: above the durable one where answers do not wait for a sync. */
  get acknowledgedSequence(): Sequence {
    return this.commits.acknowledgedSequence;
  }

  /** Why the log takes no more appends, if it has failed. */
  get poison(): WalError | undefined {
    return this.commits.poison;
  }

  /**
   * Appends one atomic batch. The payloads are copied before this returns. Throws `WAL_TOO_LARGE`, `WAL_EMPTY_BATCH`,
   * `WAL_OVERLOADED`, `WAL_FULL`, `WAL_CLOSED` or the poison before anything is assigned.
   */
  append(records: readonly Uint8Array[], options: AppendOptions = {}): Admission {
    return this.commits.admit(records, options);
  }

  /** Resolves once everything appended before the call is synced, in every durability mode. */
  flush(): Promise<void> {
    return this.commits.flush();
  }

  /** Throws `WAL_FENCED` when another writer has this log by now, and `WAL_CLOSED`: for whoever writes files of its own on the strength of the log. */
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

  get newestTimeline(): string {
    return this.view.newestTimeline;
  }

  /** The newest timelines that the log is made of, the newest first, at most so many. Of two that begin at one place, the older one holds nothing and is left out. */
  timelines(countMax: number): LogTimeline[] {
    return this.view.timelines(countMax);
  }

  waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void> {
    if (this.durableSequence > after || signal?.aborted === true) return Promise.resolve();
    const ended = this.poison ?? this.closedError();
    if (ended !== undefined) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      const waiter = {
        after,
        wake: (): void => {
          signal?.removeEventListener('abort', abandon);
          const reason = this.poison ?? this.closedError();
          if (reason !== undefined && this.durableSequence <= after) reject(reason);
          else resolve();
        },
      };
      const abandon = (): void => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        resolve();
      };
      signal?.addEventListener('abort', abandon, { once: true });
      this.waiting.push(waiter);
    });
  }

  /** Reads everything that is durable and reports every damage, and what it could not verify; appends go on meanwhile. Throws `WAL_CLOSED`, also when the log closes meanwhile. */
  async verify(
    onProgress?: (progress: VerifyProgress) => void,
    signal?: AbortSignal,
  ): Promise<VerifyReport> {
    const { fileSystem, catalog, directory } = this.parts;
    const own: WorkOptions = this.endingWithUs(signal === undefined ? {} : { signal });
    const report = await this.asPass(() =>
      verifySegments(fileSystem, catalog.all(), this.bound, {
        ...{ catalog, signal: own.signal },
        ...(onProgress === undefined ? undefined : { onProgress }),
      }),
    );
    // It read until then, and what it says of the rest is that it was cancelled, which nobody asked for.
    if (this.ending.signal.aborted) throw walClosed();
    const unread = unreadArchive(fileSystem, directory, catalog.firstSequence);
    return { ...report, unverified: [...report.unverified, ...unread] };
  }

  /** What `removeSegments` would do, and which floors keep the rest: a dry run. */
  planRemoval(options: RemovalOptions): RemovalPlan {
    return planRemoval(this.parts.fileSystem, this.live(), this.holdingFloors(), options);
  }

  /**
   * Removes whole sealed segments of which every sequence is below the one that is asked for, below every floor, and in the archive if the log has one. Appends
   * and readers go on; they read from the archive what is there, and otherwise get `WAL_SEQUENCE_GONE`. Throws `WAL_ARCHIVE_MISMATCH`, `WAL_FENCED`, `WAL_CLOSED`, the poison.
   */
  removeSegments(options: RemovalOptions): Promise<RemovalReport> {
    return this.exclusively(() => {
      const { archive, catalog, manifest } = this.parts;
      // What leaves is then there only: believed is what the files say now, whatever was copied over them since.
      archive?.refresh(manifest.current.firstSegment);
      return removeSegments(this.parts, this.planRemoval(options), (firstSegment) => {
        const live = this.live().filter(({ name }) => name.segment >= firstSegment);
        // An archive that does not hold what goes, or is another's, ends it here: a MANIFEST that counts on it would never open.
        const entries = withArchived(archive, live);
        return () => catalog.replaceAll(entries);
      });
    });
  }

  /**
   * Copies sealed segments that the archive does not hold to it, and moves the floor `archive` behind each that was read back. Throws `WAL_INVALID_OPTION`
   * when the log was opened without an archive, `WAL_ARCHIVE_CONFLICT`, `WAL_CORRUPT`, `WAL_CANCELLED`.
   */
  archiveSealed(options: WorkOptions = {}): Promise<ArchiveReport> {
    return this.exclusively(async () => {
      const { archive, catalog } = this.parts;
      if (archive === undefined)
        throw new WalError('WAL_INVALID_OPTION', 'the log was opened without an archive');
      const entries = await this.finished();
      const floor = this.floors.all().get(ARCHIVE_FLOOR) ?? BEFORE_FIRST;
      return archiveSegments(
        entries,
        catalog,
        archive,
        floor,
        (sequence) => this.floors.set(ARCHIVE_FLOOR, sequence),
        { epoch: this.parts.lock.epoch, timeline: this.timeline },
        this.endingWithUs(options),
      );
    });
  }

  /**
   * Rewrites sealed segments without the records that the policy lets go. Other records keep their sequences; appends and readers go on, and readers pass over what is gone. What the
   * archive holds stays there. Waits for backups that are being made. Throws `WAL_CORRUPT`, `WAL_CANCELLED`, `WAL_FENCED`, and what the disk says.
   */
  compact(policy: CompactionPolicy, options: WorkOptions = {}): Promise<CompactionReport> {
    return this.exclusively(async () => {
      await this.copies;
      const entries = await this.finished();
      const randomBytes = this.parts.options.randomBytes ?? systemRandomBytes;
      const randomU32 = (): number => randomBytes(4).readUInt32LE(0);
      const { space } = this.parts.spare;
      return compactSegments(
        { ...this.parts, space, randomU32 },
        entries,
        policy,
        this.endingWithUs(options),
      );
    });
  }

  /**
   * Copies the log, with what its archive holds, to a directory of its own, while appends go on: everything that is durable now. What an earlier backup there has copied is not
   * copied again. A crash or cancel leaves the earlier backup as it was. Throws `WAL_BACKUP_REFUSED`, `WAL_BACKUP_DAMAGED`, `WAL_CORRUPT`, `WAL_CANCELLED`, and what the disks say.
   */
  async backup(directory: string, options: BackupOptions = {}): Promise<BackupReport> {
    // At once: what the caller has listed may be pruned while the backup waits for its turn.
    const files = openFiles(this.parts.fileSystem, options.files ?? []);
    try {
      return await this.beside('backup', async () => {
        const { bound, logId } = this;
        const entries = await this.finished();
        const { fileSystem, catalog, clock, archive, directory: own } = this.parts;
        const nowMicros = clock.nowMillis() * 1000;
        const timelineBefore = (sequence: number): string | undefined =>
          this.parts.manifest.current.placesBefore.get(sequence);
        const contents = { fileSystem, catalog, entries, bound, files };
        const source = { ...contents, logId, timelineBefore, nowMicros };
        const live = [own, ...(archive?.directory === undefined ? [] : [archive.directory])];
        const apartFrom = [...live, ...(options.apartFrom ?? [])];
        return backUp(source, resolve(directory), this.endingWithUs({ ...options, apartFrom }));
      });
    } finally {
      for (const { file } of files) file.close();
    }
  }

  /** One pass over the sealed segments at a bounded rate, in the background worker. The end of the log ends it, and it reports what it had read. Throws `WAL_CLOSED`. */
  async scrub(options: ScrubOptions): Promise<ScrubReport> {
    return this.asPass(() => scrubSegments(this.parts.catalog, this.endingWithUs(options)));
  }

  /** Reading of segments that ends with the log, and that the end of the log waits for. */
  private async asPass<Report>(work: () => Promise<Report>): Promise<Report> {
    if (this.ending.signal.aborted) throw walClosed();
    const pass = work();
    const settled = pass.then(
      () => undefined,
      () => undefined,
    );
    this.passes = Promise.all([this.passes, settled]);
    return pass;
  }

  /** The segments of the log's directory, oldest first; the newest, which still grows, has no data length. Reads nothing. */
  segments(): readonly CatalogEntry[] {
    return this.live();
  }

  stats(): WalStats {
    const { chain, catalog, lock, durability } = this.parts;
    const { tally } = this;
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
      liveBytes: dataBytes(this.live()) + chain.current.writer.writtenEnd,
      archivedSegments: archived.length,
      archiveBytes: archived.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
      queuedBytes: this.commits.queuedBytes,
      commits: tally.commits,
      records: tally.records,
      bytesWritten: tally.bytesWritten,
      commitMicrosTotal: tally.micros,
      commitMicrosMax: tally.microsMax,
      rotations: tally.rotations,
      watermarkFailures: tally.watermarkFailures,
      onCommitFailures: tally.onCommitFailures,
    };
  }

  /** Makes everything durable, then releases the log. Safe to call again. */
  close(): Promise<void> {
    return (this.closed ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    this.ending.abort();
    await this.commits.close();
    this.stopping = true;
    for (const waiter of this.waiting.splice(0)) waiter.wake();
    await this.maintenance;
    await this.copies;
    await this.background;
    const { chain, spare, lock, catalog, watermark, fileSystem, options } = this.parts;
    const owned = options.fileSystem === undefined;
    // The worker may be zeroing a segment that nobody will need.
    if (owned) await fileSystem.close();
    await this.passes;
    await spare.close();
    chain.close();
    catalog.close();
    watermark.close();
    lock.release();
  }

  private closedError(): WalError | undefined {
    return this.stopping ? walClosed() : undefined;
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

  private publish(sequence: Sequence, segment: StartedSegment, offset: number): void {
    this.bound = boundOf(sequence, segment, offset);
    this.parts.lock.retryLock();
    this.writeWatermark();
    if (this.waiting.length === 0) return;
    const reached = this.waiting.filter((waiter) => waiter.after < sequence);
    if (reached.length === 0) return;
    const rest = this.waiting.filter((waiter) => waiter.after >= sequence);
    this.waiting.length = 0;
    this.waiting.push(...rest);
    for (const waiter of reached) waiter.wake();
  }

  /** Not a part of durability: without it, readers in other processes wait and recovery promises less. */
  private writeWatermark(): void {
    const { watermark, lock, chain } = this.parts;
    try {
      watermark.write({
        timeline: chain.current.header.timeline,
        epoch: lock.epoch,
        sequence: this.bound.sequence,
        segment: this.bound.segment,
        offset: this.bound.offset,
      });
    } catch {
      // The next commit writes it again.
      this.tally.watermarkFailures++;
    }
  }

  private count(commit: CommitFigures): void {
    const { tally } = this;
    tally.commits++;
    tally.records += commit.records;
    tally.bytesWritten += commit.bytes;
    tally.micros += commit.micros;
    if (commit.micros > tally.microsMax) tally.microsMax = commit.micros;
    try {
      this.parts.options.onCommit?.(commit);
    } catch {
      // The frame is durable, and whoever waits for it must hear so: a fault of metrics is no fault of the log.
      tally.onCommitFailures++;
    }
  }

  private rotated(sealed: StartedSegment, seal: PredecessorSeal, current: StartedSegment): void {
    const { catalog, fileSystem } = this.parts;
    this.tally.rotations++;
    catalog.append(
      { ...current, index: current.writer.index, dataLength: undefined },
      seal.dataLength,
    );
    this.inBackground(async () => {
      sealed.writer.file.close();
      if (this.stopping) return;
      await finishSegment(fileSystem, sealed.path, sealed.writer.summary(), () =>
        this.parts.lock.assertHeld(),
      );
      catalog.dropIndex(sealed.name.segment);
    });
  }

  /** One thing at a time. A failure leaves a segment without its footer, which the next open makes again. */
  private inBackground(work: () => Promise<void>): void {
    this.background = this.background.then(work).catch(() => undefined);
  }

  /**
   * Work on sealed segments: one at a time, and behind the footers that are being written. An unlink or a rename of it waits until the work before it
   * is done with its files.
   */
  private exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.maintenance.then(async () => {
      await this.background;
      this.assertWritable();
      return work();
    });
    this.maintenance = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** As `exclusively`, but work on segments may go on beside it: they are kept by a pin. */
  private async beside<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    await this.maintenance;
    await this.background;
    this.assertWritable();
    const release = this.floors.pin(name, BEFORE_FIRST);
    const done = work().finally(release);
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    this.copies = Promise.all([this.copies, settled]);
    return done;
  }

  /**
   * The segments as they are when it is called, of which those that are sealed by then have their footers when it resolves: one that is sealed meanwhile has none yet. One whose footer could not be
   * written when it was sealed, as on a full disk, gets it now; one that is damaged stays without, and whoever needs the footer says so.
   */
  private async finished(): Promise<readonly CatalogEntry[]> {
    const { fileSystem, lock, catalog } = this.parts;
    const entries = catalog.all();
    for (const { path, header, dataLength, archived } of entries) {
      if (archived !== undefined) continue;
      // Thousands of finished segments must not hold up the appends.
      await setImmediate();
      if (dataLength === undefined || isFinished(fileSystem, path, dataLength)) continue;
      const summary = await summarize(fileSystem, path, header, dataLength);
      if (summary !== undefined)
        await finishSegment(fileSystem, path, summary, () => lock.assertHeld());
    }
    return entries;
  }

  /** Long work does not hold up the end of the log: it is cancelled, and goes on when it is asked for again. */
  private endingWithUs<Options extends WorkOptions>(options: Options): Options {
    const { signal } = this.ending;
    const own = options.signal === undefined ? signal : AbortSignal.any([options.signal, signal]);
    return { ...options, signal: own };
  }

  private live(): CatalogEntry[] {
    return this.parts.catalog.all().filter((entry) => entry.archived === undefined);
  }

  /** What keeps segments: floors, pins, and an archive that does not hold them yet. */
  private holdingFloors(): ReadonlyMap<string, Sequence> {
    const holding = this.floors.holding();
    const { archive, catalog } = this.parts;
    if (archive === undefined) return holding;
    const floor = holding.get(ARCHIVE_FLOOR) ?? BEFORE_FIRST;
    return new Map(holding).set(ARCHIVE_FLOOR, archivePin(archive, catalog.all(), floor));
  }

  private assertWritable(): void {
    const ended = this.poison ?? this.closedError();
    if (ended !== undefined) throw ended;
  }

  private poisoned(error: WalError): void {
    this.reportFailure(error);
    for (const waiter of this.waiting.splice(0)) waiter.wake();
  }
}

function boundOf(sequence: Sequence, segment: StartedSegment, offset: number): VisibleBound {
  return { sequence, segment: segment.name.segment, offset };
}

function dataBytes(entries: readonly CatalogEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.dataLength ?? 0), 0);
}
