import { defined } from '@holdfast/kernel';
import type { File, FileSystem } from './file-system.js';
import { decodeFrameHeader, frameEnd } from './frame-decoder.js';
import { readFooter } from './segment-footer.js';
import { openToRead, readAt, withFile } from './segment-file.js';
import { frameSeed, type SegmentHeader } from './segment-header.js';
import type { SegmentName } from './segment-name.js';
import { SparseIndex } from './sparse-index.js';
import { FRAME_HEADER_BYTES } from './wal-format.js';

/** A segment as a reader knows it. */
export interface CatalogEntry {
  readonly name: SegmentName;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where its data ends; undefined for the newest, which still grows. */
  readonly dataLength: number | undefined;
  /** The writer's own, while it grows; otherwise read from the footer or made when first needed. */
  readonly index: SparseIndex | undefined;
}

/** Files kept open for reading single records; scans open their own. */
const OPEN_FILES_MAX = 32;
/** Indexes kept: one of a 64 MiB segment takes about 16 KiB. */
const INDEXES_MAX = 64;

/** The segments of a log in order, for readers of any kind: which one holds a sequence, and where in it to begin. */
export class SegmentCatalog {
  private entries: CatalogEntry[] = [];
  private readonly files = new Map<string, File>();
  private readonly indexes = new Map<string, SparseIndex>();
  private growing: { readonly path: string; readonly index: SparseIndex } | undefined;

  constructor(private readonly fileSystem: FileSystem) {}

  all(): readonly CatalogEntry[] {
    return this.entries;
  }

  get newest(): CatalogEntry | undefined {
    return this.entries.at(-1);
  }

  replaceAll(entries: readonly CatalogEntry[]): void {
    this.entries = [...entries];
  }

  /** A rotation: the newest is sealed, and another follows. */
  append(entry: CatalogEntry, sealedLength: number | undefined): void {
    const newest = this.entries.pop();
    if (newest !== undefined)
      this.entries.push({ ...newest, dataLength: defined(sealedLength, 'the sealed length') });
    this.entries.push(entry);
  }

  /** The footer has the index now: memory does not grow with the log. */
  dropIndex(segment: number): void {
    const at = this.entries.findIndex((entry) => entry.name.segment === segment);
    const entry = this.entries[at];
    if (entry !== undefined) this.entries[at] = { ...entry, index: undefined };
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

  /** The offset of a frame at or before the one that holds the sequence. */
  locate(entry: CatalogEntry, sequence: number): number {
    const index = entry.index ?? this.indexes.get(entry.path) ?? this.loadIndex(entry);
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

  /** An open file that stays the catalog's: use it before anything else is asked for, and do not close it. */
  fileOf(entry: CatalogEntry): File {
    const open = this.files.get(entry.path) ?? openToRead(this.fileSystem, entry.path);
    // Taken out and put in again: the map's order is the order of use.
    this.files.delete(entry.path);
    this.files.set(entry.path, open);
    if (this.files.size > OPEN_FILES_MAX) {
      const [oldest, file] = defined(this.files.entries().next().value, 'the oldest file');
      this.files.delete(oldest);
      file.close();
    }
    return open;
  }

  openFile(entry: CatalogEntry): File {
    return openToRead(this.fileSystem, entry.path);
  }

  close(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }

  private growingIndex({ path }: CatalogEntry): SparseIndex {
    if (this.growing?.path !== path) this.growing = { path, index: new SparseIndex() };
    return this.growing.index;
  }

  private loadIndex(entry: CatalogEntry): SparseIndex {
    const { dataLength } = entry;
    if (dataLength === undefined) return this.growingIndex(entry);
    const index = withFile(
      this.fileSystem,
      entry.path,
      (file) => readFooter(file, dataLength)?.index ?? walkHeaders(file, entry.header, dataLength),
    );
    this.indexes.set(entry.path, index);
    const oldest = this.indexes.keys().next().value;
    if (this.indexes.size > INDEXES_MAX && oldest !== undefined) this.indexes.delete(oldest);
    return index;
  }
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
