import type { File } from '../disk/file-system.js';
import type { PredecessorSeal, SegmentHeader } from '../format/segment-header.js';
import type { SegmentName } from '../format/segment-name.js';

/** A segment in an archive. Its content is the file of the finished segment, byte for byte: data, then footer. */
export interface ArchivedSegment {
  readonly name: SegmentName;
  /** For messages: where it is. */
  readonly path: string;
  /** The segment's own. */
  readonly header: SegmentHeader;
  /** As its successor's header names its end: what the chain is checked with. */
  readonly seal: PredecessorSeal;
  /** Where its data ends and its footer begins. */
  readonly dataLength: number;
  /** Data and footer. */
  readonly contentBytes: number;
  /** What it takes in the archive. */
  readonly storedBytes: number;
  /** 64 hex digits: SHA-256 of the data. */
  readonly sha256: string;
  readonly firstWallMicros: number;
  readonly lastWallMicros: number;
}

/** A finished segment that is to be archived. `open` gives a file whose content is data and footer; the taker closes it. */
export interface SegmentSource {
  readonly name: SegmentName;
  readonly path: string;
  readonly header: SegmentHeader;
  readonly seal: PredecessorSeal;
  readonly dataLength: number;
  open(): File;
}

export interface PutOptions {
  /** Who puts it: two writers, as one that was taken over and its successor, never write to one temporary file. */
  readonly writer?: ArchiveWriter;
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** A writer of the log, by its claim and its open. */
export interface ArchiveWriter {
  readonly epoch: number;
  /** 16 hex digits. */
  readonly timeline: string;
}

/** Whose archive it is, and what it must hold: every segment from the first one on that has left the log. */
export interface ArchiveOwner {
  readonly logId: string;
  readonly firstSegment: number;
}

/**
 * Where sealed segments are kept. `ArchiveDirectory` is the engine that exists; one over an object store keeps what it reads in local blocks and waits for the
 * network inside of `read`, because readers of the log are synchronous. Contents never change once they are there.
 */
export interface ArchiveStore {
  /** What a salvage passes over: files that do not say any more what they are. */
  readonly damaged?: readonly { readonly path: string; readonly reason: string }[];
  /** Undefined for one that was made and has not been used. */
  readonly owner: ArchiveOwner | undefined;
  /**
   * Makes it the archive of this log, durable when it returns; nothing happens when it has an owner. What it holds already says where it begins, otherwise the owner that is given does.
   */
  bind(owner: ArchiveOwner): void;
  /** Where it is on this machine, if it is there: no backup is made in it. */
  readonly directory?: string;
  /** Of one log, lowest first; of several generations the highest. As of the last `refresh`. */
  segments(): readonly ArchivedSegment[];
  /**
   * Looks for what others have put here meanwhile; of the segments from `anewFrom` on also whether they still are what was found before.
   *
   * @throws `WAL_ARCHIVE_NOT_FOUND`: it is not there any more.
   * @throws `WAL_ARCHIVE_MISMATCH`: it is another log's now.
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`.
   */
  refresh(anewFrom?: number): void;
  /**
   * Positional reads of the content, checked block by block. The file throws the same.
   *
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`.
   */
  open(segment: ArchivedSegment): File;
  /**
   * In the background: reads the whole content from the medium and gives the SHA-256 of the data.
   *
   * @throws what `open` throws.
   */
  sha256(segment: ArchivedSegment): Promise<Uint8Array>;
  /**
   * Puts a segment here: durable, and read back and compared, when it resolves. What is there already with the same content is only compared.
   *
   * @throws `WAL_ARCHIVE_CONFLICT`: other content is there under its name, or a generation of the segment from another history.
   * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`: the archive was replaced.
   * @throws `WAL_CORRUPT`: the source is not what its footer says.
   * @throws `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`, `WAL_CANCELLED`, and the errors of the disk.
   */
  put(source: SegmentSource, options?: PutOptions): Promise<ArchivedSegment>;
  close(): Promise<void>;
}
