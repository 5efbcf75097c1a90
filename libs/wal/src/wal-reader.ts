import { resolve } from 'node:path';
import type { FileSystem } from './disk/file-system.js';
import { NodeFileSystem } from './disk/node-file-system.js';
import { DirectoryWatch } from './read/directory-watch.js';
import { type DumpedFrame, dumpFrames } from './read/dump.js';
import { LogView } from './read/log-view.js';
import type { CatalogEntry } from './read/segment-catalog.js';
import { type VerifyProgress, type VerifyReport, verifySegments } from './read/verify.js';
import { judgeEnd, unpromisedEnd, unreadArchive } from './recovery/end-of-log.js';
import type { ArchiveStore } from './segment/archive-store.js';
import { walClosed } from './wal.errors.js';
import type { LogSource, ReadRange, ScanVisitor, Sequence, WalRecord } from './wal.types.js';

/**
 * Reads a log from any process, without a lock, also while it is written. Sees only synced records: the writer's WATERMARK says how far, or, if that
 * lags, the header of the newest segment. Writes nothing.
 *
 * `LogSource` lists what each member throws.
 */
export class WalReader implements LogSource {
  private readonly view: LogView;
  private readonly ending = new AbortController();

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly ownsFileSystem: boolean,
    private readonly directory: DirectoryWatch,
  ) {
    this.view = new LogView(directory);
  }

  /**
   * Opens a log for reading, without a lock.
   *
   * @throws `WAL_NOT_FOUND`: no writer has made the log yet, or a volume is not mounted.
   * @throws `WAL_MANIFEST_DAMAGED`, `WAL_UNSUPPORTED_FORMAT`, `WAL_CORRUPT`, `WAL_READ_FAILED`.
   * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`, `WAL_MISSING_SEGMENT`: of the archive.
   */
  static async open(
    directory: string,
    options: { fileSystem?: FileSystem; archive?: ArchiveStore } = {},
  ): Promise<WalReader> {
    const fileSystem = options.fileSystem ?? new NodeFileSystem();
    try {
      const watch = DirectoryWatch.open(fileSystem, resolve(directory), options.archive);
      return new WalReader(fileSystem, options.fileSystem === undefined, watch);
    } catch (error) {
      if (options.fileSystem === undefined) await fileSystem.close();
      throw error;
    }
  }

  get logId(): string {
    return this.view.logId;
  }

  get durableSequence(): Sequence {
    return this.view.durableSequence;
  }

  get firstSequence(): Sequence {
    return this.view.firstSequence;
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

  waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void> {
    return this.view.waitBeyond(after, signal);
  }

  timelineAt(sequence: Sequence): string | undefined {
    return this.view.timelineAt(sequence);
  }

  get newestTimeline(): string {
    return this.view.newestTimeline;
  }

  /**
   * Reads everything up to the last whole frame. Reports every damage, also what would make a start refuse the log, and what it could not verify.
   *
   * @throws `WAL_CLOSED`: also when the reader is closed meanwhile.
   * @throws `WAL_NOT_FOUND`, `WAL_MANIFEST_DAMAGED`, `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`, `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`: it is not clear what belongs to the log.
   */
  async verify(
    onProgress?: (progress: VerifyProgress) => void,
    signal?: AbortSignal,
  ): Promise<VerifyReport> {
    const { fileSystem, directory } = this;
    const ending = this.ending.signal;
    if (ending.aborted) throw walClosed();
    const end = await judgeEnd(fileSystem, directory.path);
    const { bound, extent, entries } = directory.extent(end.bound);
    const { catalog } = directory;
    const report = await verifySegments(fileSystem, entries, bound, {
      catalog,
      extent,
      signal: signal === undefined ? ending : AbortSignal.any([signal, ending]),
      ...(onProgress === undefined ? undefined : { onProgress }),
    });
    if (this.ending.signal.aborted) throw walClosed();
    const timelineOf = (segment: number): string | undefined =>
      catalog.bySegment(segment)?.header.timeline;
    // What a start says first is often what the reading has found too.
    const isNews = end.problem !== undefined && report.problems.length === 0;
    return {
      ...report,
      problems: isNews ? [end.problem] : report.problems,
      unverified: [
        ...report.unverified,
        ...end.unverified,
        ...unpromisedEnd(fileSystem, directory.path, timelineOf),
        ...unreadArchive(fileSystem, directory.path, catalog.firstSequence),
      ],
    };
  }

  /**
   * The visible frames with records of the range, as they stand on disk.
   *
   * @throws what `LogSource.read` throws.
   */
  frames(range: ReadRange): Iterable<DumpedFrame> {
    const bound = this.directory.bound();
    const upTo = range.upTo ?? bound.sequence;
    return dumpFrames(this.directory.catalog, { after: range.after, upTo }, bound);
  }

  /**
   * Each segment: its name, header, and where its data ends (undefined while it grows).
   *
   * @throws what `WalReader.open` throws.
   */
  segments(): readonly CatalogEntry[] {
    this.directory.refresh();
    this.directory.knownBound();
    return this.directory.catalog.all();
  }

  async close(): Promise<void> {
    this.ending.abort();
    this.directory.close();
    if (this.ownsFileSystem) await this.fileSystem.close();
  }
}
