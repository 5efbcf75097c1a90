import { setTimeout } from 'node:timers/promises';
import { errorCode } from '@holdfast/kernel';
import { type Manifest, readManifest, sameManifest } from '../directory/manifest.js';
import { checkedHeader, segmentTooMany } from '../directory/segments-of-log.js';
import { type Watermark, WatermarkReader } from '../directory/watermark.js';
import { withFile } from '../disk/file-reading.js';
import type { FileSystem } from '../disk/file-system.js';
import { sealedLength, type SegmentHeader } from '../format/segment-header.js';
import { parseSegmentName, segmentPath } from '../format/segment-name.js';
import { ZERO_CHUNK_BYTES } from '../format/wal-format.js';
import type { ArchiveStore } from '../segment/archive-store.js';
import { inspectSegment } from '../segment/segment-file.js';
import { readFooter } from '../segment/segment-footer.js';
import { scanTail } from '../segment/tail-scan.js';
import { isRotten, missingSegment, WalError } from '../wal.errors.js';
import type { Sequence } from '../wal.types.js';
import { archivedBefore } from './archived-part.js';
import type { VisibleBound } from './log-cursor.js';
import type { Visibility } from './log-view.js';
import { type CatalogEntry, SegmentCatalog } from './segment-catalog.js';
import type { LogExtent } from './verify.js';

/** A reader that has nothing to read looks again after 1 ms at first, and after this long in the end. */
const POLL_MILLIS_MAX = 20;
/** How often it looks, while nothing moves, whether what it reads is still what has the names. */
const PLACE_MILLIS = 1_000;

/** How often MANIFEST may be replaced while the directory is being looked at. */
const CHANGES_MAX = 20;

/** The directory of a log as a reader in any process sees it: which segments there are, and how far they may be read. Notices when another history has taken its place. */
export class DirectoryWatch implements Visibility {
  readonly catalog: SegmentCatalog;
  private readonly watermark: WatermarkReader;
  private readonly identity: string | undefined;
  private moved = { sequence: 0, lookedAtMillis: performance.now() };
  /** The highest sequence that was shown: no history that goes on from this one gives it again. */
  private shown = 0;
  /** Of a WATERMARK that does not fit the segment it names: looked at once. */
  private doubtedTimeline = '';
  private replaced: WalError | undefined;
  private unreadable: WalError | undefined;
  /** The newest segment, and whether a successor had sealed it when it was first seen as such. */
  private judged = { path: '', isSealed: false };

  private constructor(
    private readonly fileSystem: FileSystem,
    readonly path: string,
    private manifest: Manifest,
    private readonly archive: ArchiveStore | undefined,
  ) {
    this.catalog = new SegmentCatalog(fileSystem, () => this.refresh(), archive);
    this.watermark = new WatermarkReader(fileSystem, path);
    this.identity = fileSystem.ancestry(path)[0];
  }

  static open(
    fileSystem: FileSystem,
    directory: string,
    archive: ArchiveStore | undefined,
  ): DirectoryWatch {
    const manifest = manifestOf(fileSystem, directory);
    const watch = new DirectoryWatch(fileSystem, directory, manifest, archive);
    watch.refresh();
    return watch;
  }

  get logId(): string {
    return this.manifest.logId;
  }

  /**
   * Throws `WAL_READ_FAILED` when the disk does not give the watermark, and `WAL_MISSING_SEGMENT` when the one that it names is not there, nor the one that the newest was sealed for: reading up to it would be silence about a loss.
   */
  bound(): VisibleBound {
    const bound = this.knownBound();
    if (this.unreadable !== undefined) throw this.unreadable;
    const { watermark, newest } = bound;
    const isNamed = watermark !== undefined && watermark.segment > newest;
    if (!isNamed && !this.isNewestSealed()) return bound;
    throw missingSegment(this.path, {
      segment: newest + 1,
      ...(isNamed && { firstSequence: bound.sequence + 1, lastSequence: watermark.sequence }),
    });
  }

  /** Undefined where the disk does not give it: `unreadable` says so then. */
  private watermarkIfGiven(): Watermark | undefined {
    this.unreadable = undefined;
    try {
      return this.watermark.read();
    } catch (error) {
      if (!isRotten(error)) throw error;
      this.unreadable = error as WalError;
      return undefined;
    }
  }

  private isNewestSealed(): boolean {
    for (;;) {
      const { newest } = this.catalog;
      if (newest === undefined || newest.path === this.judged.path) return this.judged.isSealed;
      const isSealed = newest.archived === undefined && isSealedAlone(this.fileSystem, newest);
      this.judged = { path: newest.path, isSealed };
      // The writer may have begun another one since the directory was listed.
      if (isSealed) this.refresh();
    }
  }

  /** As far as there are files: for a report that names what is missing. Throws `WAL_NOT_FOUND` when another history has taken its place. */
  knownBound(): VisibleBound & { watermark: Watermark | undefined; newest: number } {
    const bound = this.boundInPlace();
    this.shown = Math.max(this.shown, bound.sequence);
    return bound;
  }

  private boundInPlace(): ReturnType<DirectoryWatch['knownBound']> {
    const watermark = this.watermarkInPlace();
    const newest = this.catalog.newest;
    if (
      watermark !== undefined &&
      (newest === undefined ||
        watermark.segment > newest.name.segment ||
        this.isDoubtful(watermark))
    )
      this.refresh();
    const entries = this.catalog.all();
    const last = entries.at(-1);
    const facts = { watermark, newest: last?.name.segment ?? this.manifest.firstSegment - 1 };
    const sealedUpTo = (last?.name.firstSequence ?? 1) - 1;
    if (
      watermark !== undefined &&
      watermark.segment === last?.name.segment &&
      // One that was left here by another history, as by a copy of files, promises nothing.
      watermark.timeline === last.header.timeline &&
      watermark.sequence >= sealedUpTo
    ) {
      const { segment, offset } = watermark;
      return { sequence: watermark.sequence as Sequence, segment, offset, ...facts };
    }
    // The watermark lags: it names a segment that has been sealed since. Its successor's header is durable and says where it ends.
    const sealed = entries.at(-2);
    return {
      sequence: sealedUpTo as Sequence,
      segment: sealed?.name.segment ?? 0,
      offset: sealed?.dataLength ?? 0,
      ...facts,
    };
  }

  /** Whether another history may have written it. One that was left here by chance is no reason to list the directory again and again. */
  private isDoubtful({ segment, timeline }: Watermark): boolean {
    const known = this.catalog.bySegment(segment)?.header.timeline;
    if (known === timeline || timeline === this.doubtedTimeline) return false;
    this.doubtedTimeline = timeline;
    return true;
  }

  /**
   * While nothing moves, WATERMARK may have been replaced, and the whole directory too, as by a restored one, or what is in its files: whoever follows must not go on with the old history. Throws
   * `WAL_NOT_FOUND` then, for good.
   */
  private watermarkInPlace(): Watermark | undefined {
    if (this.replaced !== undefined) throw this.replaced;
    const watermark = this.watermarkIfGiven();
    const sequence = watermark?.sequence ?? 0;
    const nowMillis = performance.now();
    const hasMoved = sequence !== this.moved.sequence;
    if (!hasMoved && nowMillis - this.moved.lookedAtMillis < PLACE_MILLIS) return watermark;
    this.moved = { sequence, lookedAtMillis: nowMillis };
    if (hasMoved) return watermark;
    if (this.fileSystem.ancestry(this.path)[0] !== this.identity)
      throw this.gone('another directory, or none, is in its place');
    const { newest } = this.catalog;
    // Where it is not there it may have been sealed and compacted since.
    if (newest === undefined || !this.fileSystem.exists(newest.path)) this.refresh();
    else this.headerInPlace(newest);
    this.watermark.keepInPlace();
    return this.watermarkIfGiven();
  }

  private gone(reason: string): WalError {
    return (this.replaced ??= new WalError(
      'WAL_NOT_FOUND',
      `the log that was opened in ${this.path} is not there any more: ${reason}`,
      { directory: this.path },
    ));
  }

  /** As it was read before. What is damaged now proves no other history: whoever reads on finds the damage. */
  private headerInPlace({ name, header }: CatalogEntry): SegmentHeader {
    const now = inspectSegment(this.fileSystem, this.path, name).header;
    if (now !== undefined && now.headerCrc !== header.headerCrc)
      throw this.gone('its files hold another history');
    return header;
  }

  /**
   * What was copied over the same names keeps directory and files, and what was read of them before is of the old history. The log itself only adds segments, replaces sealed ones by higher
   * generations, and drops the first.
   */
  private assertSameHistory(entries: readonly CatalogEntry[], firstSegment: number): void {
    const now = new Map(entries.map((entry) => [entry.name.segment, entry]));
    const newest = this.catalog.newest?.name.segment ?? Infinity;
    const goesOn = (entry: CatalogEntry): boolean =>
      entry.name.segment <= newest || entry.name.firstSequence > this.shown;
    const isSame = ({ name, path, dataLength, archived }: CatalogEntry): boolean => {
      const found = now.get(name.segment);
      if (archived !== undefined || name.segment < firstSegment) return true;
      if (found === undefined) return name.segment !== newest;
      if (found.path !== path)
        return (
          found.name.firstSequence === name.firstSequence && found.name.generation > name.generation
        );
      return (dataLength ?? found.dataLength) === (found.dataLength ?? dataLength);
    };
    if (!entries.every(goesOn) || !this.catalog.all().every(isSame))
      throw this.gone('its files hold another history');
  }

  /**
   * Which segments must be there, from MANIFEST's first to the one that the watermark names; those that are; and how far they may be read, unless the caller knows. The watermark is read before the
   * list is made, because what it names is there by then; and MANIFEST is that of the list, because retention may move the beginning at any time.
   */
  extent(known?: VisibleBound): {
    readonly extent: LogExtent;
    readonly entries: readonly CatalogEntry[];
    readonly bound: VisibleBound;
  } {
    const named = this.watermarkIfGiven()?.segment ?? 0;
    const isGiven = this.unreadable === undefined;
    this.refresh();
    const bound = known ?? this.knownBound();
    const { firstSegment, firstSequence } = this.manifest;
    // Where the disk does not give it, what is there is read.
    const newest = isGiven ? 0 : (this.catalog.newest?.name.segment ?? 0);
    const lastSegment = Math.max(firstSegment, named, newest);
    const extent = { directory: this.path, firstSegment, firstSequence, lastSegment };
    return { extent, entries: this.catalog.all(), bound };
  }

  /** Nothing else tells a reader that retention has moved the beginning: the oldest file is not there any more. In an archive it stays. */
  get firstSequence(): number {
    const [oldest] = this.catalog.all();
    const isLive = oldest !== undefined && oldest.archived === undefined;
    if (isLive && !this.fileSystem.exists(oldest.path)) this.refresh();
    return this.catalog.firstSequence;
  }

  timelineBefore(sequence: Sequence): string | undefined {
    return this.manifest.placesBefore.get(sequence);
  }

  async waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void> {
    let pauseMillis = 1;
    while (signal?.aborted !== true && this.bound().sequence <= after) {
      // Aborting ends the pause early, and the loop with it.
      await setTimeout(pauseMillis, undefined, signal === undefined ? {} : { signal }).catch(
        () => undefined,
      );
      pauseMillis = Math.min(POLL_MILLIS_MAX, pauseMillis * 1.5);
    }
  }

  close(): void {
    this.watermark.close();
    this.catalog.close();
  }

  /**
   * Lists the directory; headers of segments that are known already are not read again, but for two that tell whether it is the same history still: that of the newest, and that of the segment
   * that WATERMARK names. The writer may be removing or replacing segments: MANIFEST is
   * durable before a file goes, so a listing that lacks one is followed by a MANIFEST that says so.
   */
  refresh(): void {
    for (let attempt = 0; ; attempt++) {
      const { manifest } = this;
      let entries: CatalogEntry[] | undefined;
      let failure: unknown;
      try {
        entries = this.listed();
      } catch (error) {
        failure = error;
      }
      this.manifest = manifestOf(this.fileSystem, this.path);
      const unchanged = sameManifest(manifest, this.manifest);
      if (entries !== undefined && unchanged) {
        const { firstSegment, firstSequence } = manifest;
        this.assertSameHistory(entries, firstSegment);
        // After MANIFEST: a segment is in the archive before it leaves the log.
        const isAway = this.isAway(firstSegment);
        const archived = isAway
          ? this.catalog.all().filter((entry) => entry.archived !== undefined)
          : entries[0]?.name.segment === firstSegment
            ? archivedBefore(this.archive, entries[0].header)
            : [];
        const { name } = archived[0] ?? { name: { segment: firstSegment, firstSequence } };
        this.catalog.replaceAll([...archived, ...entries], name);
        return;
      }
      if (entries !== undefined && attempt >= CHANGES_MAX) throw restless(this.path);
      if (unchanged || attempt >= CHANGES_MAX) throw failure;
    }
  }

  /**
   * Brings the archive up to date, or finds that its volume is away where that changes nothing: what it held still leads up to the live segments, of which none has left for it since. Whoever
   * follows the end needs none of it.
   */
  private isAway(firstSegment: number): boolean {
    try {
      this.archive?.refresh();
      return false;
    } catch (error) {
      const firstLive = this.catalog.all().find(({ archived }) => archived === undefined);
      const isKnown = firstLive?.name.segment === firstSegment;
      if (errorCode(error) !== 'WAL_ARCHIVE_NOT_FOUND' || !isKnown) throw error;
      return true;
    }
  }

  private listed(): CatalogEntry[] {
    const names = this.fileSystem
      .list(this.path)
      .map(parseSegmentName)
      .filter((name) => name !== undefined)
      .filter(({ segment, generation }) => {
        const current = this.manifest.generations.get(segment) ?? 0;
        return segment >= this.manifest.firstSegment && generation === current;
      })
      .sort((a, b) => a.segment - b.segment);
    const telling = [this.catalog.newest?.name.segment, this.watermarkIfGiven()?.segment];
    const entries: CatalogEntry[] = [];
    for (const name of names) {
      const path = segmentPath(this.path, name);
      const known = this.catalog.bySegment(name.segment);
      const header =
        known?.path === path
          ? telling.includes(name.segment)
            ? this.headerInPlace(known)
            : known.header
          : checkedHeader(this.manifest, inspectSegment(this.fileSystem, this.path, name));
      const previous = entries.at(-1);
      if (previous?.name.segment === name.segment) throw segmentTooMany(path, name);
      // Where a segment is missing, nothing says where the one before it ends.
      if (previous?.name.segment === name.segment - 1)
        entries[entries.length - 1] = {
          ...previous,
          dataLength: sealedLength(previous.header, header),
        };
      entries.push({ name, path, header, dataLength: undefined, index: undefined });
    }
    return entries;
  }
}

/** Whether the segment itself tells that it had a successor. One that is written to is as long as the zeros that were written ahead: nothing of it is read. */
function isSealedAlone(fileSystem: FileSystem, { path, header }: CatalogEntry): boolean {
  if (header.compacted !== undefined) return true;
  return withFile(fileSystem, path, (file) => {
    const size = file.size();
    if (size === header.segmentBytes || size % ZERO_CHUNK_BYTES === 0) return false;
    return readFooter(file, scanTail(file, header).validEnd) !== undefined;
  });
}

/** Each look was sound, and each was out of date when it ended. */
function restless(directory: string): WalError {
  return new WalError(
    'WAL_READ_FAILED',
    `the segments of ${directory} were replaced ${CHANGES_MAX} times while they were listed; nothing was changed`,
    { directory, changesMax: CHANGES_MAX },
  );
}

/** Throws `WAL_NOT_FOUND`, `WAL_MANIFEST_DAMAGED`. */
function manifestOf(fileSystem: FileSystem, directory: string): Manifest {
  const manifest = fileSystem.exists(directory) ? readManifest(fileSystem, directory) : undefined;
  if (manifest !== undefined && manifest.firstSegment !== 0) return manifest;
  throw new WalError('WAL_NOT_FOUND', `there is no log in ${directory}`, { directory });
}
