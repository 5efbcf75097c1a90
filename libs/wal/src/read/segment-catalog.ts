import { defined, errorCode } from '@holdfast/kernel';
import { openToRead, readAt } from '../disk/file-reading.js';
import type { File, FileSystem } from '../disk/file-system.js';
import { decodeFrameHeader, frameEnd } from '../format/frame-decoder.js';
import { frameSeed, type SegmentHeader } from '../format/segment-header.js';
import type { SegmentName } from '../format/segment-name.js';
import { SparseIndex } from '../format/sparse-index.js';
import { FRAME_HEADER_BYTES } from '../format/wal-format.js';
import type { ArchivedSegment, ArchiveStore } from '../segment/archive-store.js';
import { readFooter } from '../segment/segment-footer.js';
import { missingSegment, sequenceGone } from '../wal.errors.js';

/** A segment as a reader knows it. */
export interface CatalogEntry {
  readonly name: SegmentName;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where its data ends; undefined for the newest, which still grows. */
  readonly dataLength: number | undefined;
  /** The writer's own, while it grows; otherwise read from the footer or made when first needed. */
  readonly index: SparseIndex | undefined;
  /** Where it is read from when it has left the log's own directory. */
  readonly archived?: ArchivedSegment;
}

export interface LogBeginning {
  readonly segment: number;
  readonly firstSequence: number;
}

/** A segment with its open file. The entry may be a newer one than was asked for. */
export interface OpenSegment {
  readonly entry: CatalogEntry;
  readonly file: File;
}

/** How often a segment may be replaced while somebody tries to open it. */
const CHANGES_MAX = 10;
/** Files kept open for reading single records; scans open their own. */
const OPEN_FILES_MAX = 32;
/** Indexes kept: one of a 64 MiB segment takes about 16 KiB. */
const INDEXES_MAX = 64;

/** The segments of a log in order, for readers of any kind: which one holds a sequence, and where in it to begin. */
export class SegmentCatalog {
  private entries: readonly CatalogEntry[] = [];
  private begin: LogBeginning | undefined;
  private readonly files = new Map<string, File>();
  private readonly indexes = new Map<string, SparseIndex>();
  private growing: { readonly path: string; readonly index: SparseIndex } | undefined;

  constructor(
    private readonly fileSystem: FileSystem,
    /** For a reader in another process: brings the entries up to date after a file was not where it had been. */
    private readonly reload: () => void = () => undefined,
    /** For entries that are archived. */
    private readonly archive?: ArchiveStore,
  ) {}

  /** As they are now: whoever goes through them, however long, meets none of what is added or changed meanwhile. */
  all(): readonly CatalogEntry[] {
    return this.entries;
  }

  /** Those in the log's own directory, oldest first. */
  live(): CatalogEntry[] {
    return this.entries.filter((entry) => entry.archived === undefined);
  }

  get newest(): CatalogEntry | undefined {
    return this.entries.at(-1);
  }

  /** `begin` is where the log begins when its first files are missing; otherwise with the first entry. */
  replaceAll(entries: readonly CatalogEntry[], begin?: LogBeginning): void {
    const paths = new Set(entries.map((entry) => entry.path));
    for (const { path } of this.entries) if (!paths.has(path)) this.forget(path);
    this.entries = [...entries];
    this.begin = begin;
  }

  /** The lowest sequence that is still in the log. */
  get firstSequence(): number {
    return this.begin?.firstSequence ?? this.entries[0]?.name.firstSequence ?? 1;
  }

  /** Whether a segment of this number was in the log once and has left it. */
  hasLeft(segment: number): boolean {
    return segment < (this.begin?.segment ?? this.entries[0]?.name.segment ?? 0);
  }

  /** A rotation: the newest is sealed, and another follows. */
  append(entry: CatalogEntry, sealedLength: number | undefined): void {
    const before = this.entries.slice(0, -1);
    const { newest } = this;
    if (newest !== undefined)
      before.push({ ...newest, dataLength: defined(sealedLength, 'the sealed length') });
    this.entries = [...before, entry];
  }

  /** The footer has the index now: memory does not grow with the log. */
  dropIndex(segment: number): void {
    const at = this.entries.findIndex((entry) => entry.name.segment === segment);
    const entry = this.entries[at];
    if (entry !== undefined) this.entries = this.entries.with(at, { ...entry, index: undefined });
  }

  /** The first ones have left the log: their files may still be read where they are open, and are not opened again. */
  removeBelow(segment: number): void {
    const removed = this.entries.filter((entry) => entry.name.segment < segment);
    this.entries = this.entries.filter((entry) => entry.name.segment >= segment);
    this.begin = undefined;
    for (const { path } of removed) this.forget(path);
  }

  /** By number, as it is known now: sealed or not. */
  bySegment(segment: number): CatalogEntry | undefined {
    const entry = this.entries[segment - (this.entries[0]?.name.segment ?? 0)];
    // A reader's list has a hole where a file is missing: the place in the list is then not the number.
    if (entry === undefined || entry.name.segment === segment) return entry;
    return this.entries.find(({ name }) => name.segment === segment);
  }

  /** The last segment that begins at or before the sequence: the one that holds it, if any does. */
  find(sequence: number): CatalogEntry | undefined {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (defined(this.entries[middle], 'an entry').name.firstSequence <= sequence)
        low = middle + 1;
      else high = middle;
    }
    return this.entries[low - 1];
  }

  /** The offset of a frame at or before the one that holds the sequence. `file` is the segment's. */
  locate(entry: CatalogEntry, file: File, sequence: number): number {
    const index = entry.index ?? this.indexes.get(entry.path) ?? this.loadIndex(entry, file);
    return index.locate(sequence);
  }

  /**
   * A reader has passed this frame. The newest segment of another process has no index yet, so one grows from what readers see of it: without it every
   * scan for what is new would begin at the segment's first byte.
   */
  passed(entry: CatalogEntry, firstSequence: number, offset: number): void {
    if (entry.dataLength !== undefined || entry.index !== undefined) return;
    this.growingIndex(entry).offer(firstSequence, offset);
  }

  /**
   * The segment as it stands now, with an open file that stays the catalog's: use it before anything else is asked for, and do not close it.
   * Throws as `open`.
   */
  borrow(entry: CatalogEntry): OpenSegment {
    const known = this.files.get(entry.path);
    const open = known === undefined ? this.open(entry) : { entry, file: known };
    const { path } = open.entry;
    // Taken out and put in again: the map's order is the order of use.
    const displaced = this.files.get(path);
    if (displaced !== open.file) displaced?.close();
    this.files.delete(path);
    this.files.set(path, open.file);
    if (this.files.size > OPEN_FILES_MAX) {
      const [oldest, file] = defined(this.files.entries().next().value, 'the oldest file');
      this.files.delete(oldest);
      file.close();
    }
    return open;
  }

  /**
   * The segment as it stands now, with a file that is the caller's to close. When the file that was known is not there any more, the writer may have removed
   * or replaced it: the entries are brought up to date, and what counts now is opened. Throws `WAL_SEQUENCE_GONE` when the segment has left the log,
   * `WAL_MISSING_SEGMENT` when it should be there.
   */
  open(entry: CatalogEntry): OpenSegment {
    let asked = entry;
    for (let attempt = 0; ; attempt++) {
      try {
        return { entry: asked, file: this.openAsIs(asked) };
      } catch (error) {
        if (!isAbsent(error)) throw error;
        this.reload();
        const found = this.bySegment(entry.name.segment);
        if (found === undefined || found.path === asked.path || attempt >= CHANGES_MAX)
          throw this.absent(entry, error);
        asked = found;
      }
    }
  }

  /** SHA-256 of the segment's data, computed in the background. */
  sha256({ archived, path }: CatalogEntry, bytes: number): Promise<Uint8Array> {
    return archived === undefined
      ? this.fileSystem.sha256(path, bytes)
      : defined(this.archive, 'the archive').sha256(archived);
  }

  private openAsIs({ archived, path }: CatalogEntry): File {
    return archived === undefined
      ? openToRead(this.fileSystem, path)
      : defined(this.archive, 'the archive').open(archived);
  }

  private absent({ name, path }: CatalogEntry, cause: unknown): unknown {
    const { segment, firstSequence } = name;
    if (this.hasLeft(segment)) return sequenceGone(firstSequence, this.firstSequence);
    return this.bySegment(segment) === undefined
      ? missingSegment(path, { segment, firstSequence })
      : cause;
  }

  private forget(path: string): void {
    this.indexes.delete(path);
    this.files.get(path)?.close();
    this.files.delete(path);
  }

  close(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }

  private growingIndex({ path }: CatalogEntry): SparseIndex {
    if (this.growing?.path !== path) this.growing = { path, index: new SparseIndex() };
    return this.growing.index;
  }

  private loadIndex(entry: CatalogEntry, file: File): SparseIndex {
    const { dataLength } = entry;
    if (dataLength === undefined) return this.growingIndex(entry);
    const index =
      readFooter(file, dataLength)?.index ?? walkHeaders(file, entry.header, dataLength);
    this.indexes.set(entry.path, index);
    const oldest = this.indexes.keys().next().value;
    if (this.indexes.size > INDEXES_MAX && oldest !== undefined) this.indexes.delete(oldest);
    return index;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && errorCode(error.cause) === 'ENOENT';
}

/** What the footer would say, from the frame headers alone. Stops where one is damaged; reading on from there finds the damage. */
function walkHeaders(file: File, segment: SegmentHeader, dataLength: number): SparseIndex {
  const index = new SparseIndex();
  const seed = frameSeed(segment);
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
  let at = index.locate(0);
  while (at < dataLength) {
    readAt(file, bytes, at);
    const header = decodeFrameHeader(bytes, 0, seed, at);
    if (header === undefined) break;
    index.offer(header.firstSequence, at);
    at = frameEnd(header);
  }
  return index;
}

export interface SealedEntry {
  readonly entry: CatalogEntry;
  readonly successor: SegmentHeader;
}

/** The live segments that have a successor, oldest first. */
export function sealedEntries(entries: readonly CatalogEntry[]): SealedEntry[] {
  return entries.flatMap((entry, at) => {
    const successor = entries[at + 1];
    const isSealed = successor !== undefined && entry.dataLength !== undefined;
    return isSealed && entry.archived === undefined ? [{ entry, successor: successor.header }] : [];
  });
}
