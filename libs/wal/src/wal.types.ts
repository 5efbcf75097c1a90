import type { Brand } from '@holdfast/kernel';

/** A record's place in the log: 1, 2, 3 … without a gap in the order of durability. A safe integer. */
export type Sequence = Brand<number, 'Sequence'>;

/** Before the first record: what `after` means "from the start". */
export const BEFORE_FIRST = 0 as Sequence;

/**
 * When an append is acknowledged.
 * - `sync`: after fdatasync. Nothing acknowledged is ever lost.
 * - `interval`: after the write; synced at most `syncIntervalMillis` later. A power cut loses at most that window.
 * - `none`: after the write; synced on flush, rotation and close only.
 * In every mode readers see synced records only.
 */
export type Durability = 'sync' | 'interval' | 'none';

export interface AppendOptions {
  /** May ask for more than the log's mode, never for less. */
  readonly durability?: 'sync';
}

/** What an admitted batch got. */
export interface Admission {
  readonly first: Sequence;
  readonly last: Sequence;
  /**
   * Settles when the batch is acknowledged in the sense of the log's mode. Rejects only with `WAL_POISONED` or
   * `WAL_FENCED`, and then the outcome is unknown: recovery decides. Ignoring it is allowed.
   */
  readonly durable: Promise<void>;
}

export interface WalRecord {
  readonly sequence: Sequence;
  readonly payload: Uint8Array;
  /** True for the last record of its batch: where a reader may stop without splitting what is atomic. */
  readonly endsBatch: boolean;
}

export interface ReadRange {
  /** Exclusive. */
  readonly after: Sequence;
  /** Inclusive; the durable sequence when left out. */
  readonly upTo?: Sequence;
}

/** Called once per record in a scan. The payload is `buffer.subarray(start, end)` and is valid only during the call. Returning false ends the scan. */
export type ScanVisitor = (
  sequence: Sequence,
  buffer: Buffer,
  start: number,
  end: number,
  endsBatch: boolean,
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most visitors return nothing
) => boolean | void;

/** The position of a reader. Two logs, or two histories of one log, never share log id and timeline for a position. */
export interface LogPosition {
  readonly logId: string;
  readonly sequence: Sequence;
  /** 16 hex digits: the timeline of the segment that holds `sequence`; empty at `BEFORE_FIRST`. */
  readonly timeline: string;
}

/** A stretch of a log's history: from its first sequence to the first of the next one. */
export interface LogTimeline {
  /** 16 hex digits. */
  readonly timeline: string;
  readonly firstSequence: Sequence;
}

/**
 * What both the writer and `WalReader` offer to readers.
 *
 * @throws `WAL_NOT_FOUND`, `WAL_MANIFEST_DAMAGED`, `WAL_MISSING_SEGMENT`, `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`, `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`: every member but
 * `logId` and `firstSequence`, of a `WalReader` only, which looks at the directory first. `WAL_NOT_FOUND` means that the log was removed or replaced, and is final.
 */
export interface LogSource {
  readonly logId: string;
  /** The highest sequence that a reader may see: synced, in every durability mode. */
  readonly durableSequence: Sequence;
  /** The lowest sequence still in the log; `durableSequence + 1` when the log holds none. */
  readonly firstSequence: Sequence;
  /**
   * One record, or undefined when it is not in the visible part of the log. A view that stays valid.
   *
   * @throws `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`.
   */
  recordAt(sequence: Sequence): WalRecord | undefined;
  /**
   * The first visible record from here on: what compaction dropped is passed over a frame at a time. A view that stays valid.
   *
   * @throws `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`.
   */
  recordAtOrAbove(sequence: Sequence): WalRecord | undefined;
  /**
   * Records in order. Views stay valid.
   *
   * @throws `WAL_SEQUENCE_GONE`, `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`.
   */
  read(range: ReadRange): AsyncIterable<WalRecord>;
  /**
   * Bulk and without copies, about 1 GB/s; yields to the event loop between reads. Resolves to the last sequence visited, or passed over because compaction dropped it.
   *
   * @throws what `read` throws, and what the visitor throws.
   */
  scan(after: Sequence, visitor: ScanVisitor, upTo?: Sequence): Promise<Sequence>;
  /**
   * As `read`, then waits for more until the signal fires. Never past the durable sequence.
   *
   * @throws what `read` and `waitBeyond` throw.
   */
  follow(options: { after: Sequence; signal?: AbortSignal }): AsyncIterable<WalRecord>;
  /**
   * Resolves once `durableSequence > after`, or the signal fires.
   *
   * @throws `WAL_CLOSED`, `WAL_POISONED`, `WAL_FENCED`: of the writer, when nothing more becomes durable.
   */
  waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void>;
  /** The timeline of the segment that holds `sequence`, or held it, when it is the one right before the first; undefined when it is not in the visible log, or is not remembered. */
  timelineAt(sequence: Sequence): string | undefined;
  /** The timeline of the newest segment, also while it holds no record: what is not visible yet is of this one or of a later one. Empty without a segment. */
  readonly newestTimeline: string;
}

export interface WorkProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface WorkOptions {
  /** Ends the work with `WAL_CANCELLED`; what was finished stays. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: WorkProgress) => void;
}

/** Whether a commit writes and syncs on the main thread or in the thread pool. */
export type IoMode = 'synchronous' | 'asynchronous';

/** Passed to `onCommit`. */
export interface CommitFigures {
  readonly records: number;
  readonly batches: number;
  readonly bytes: number;
  /** From the start of the write to the end of the sync (or of the write, where none was asked for). */
  readonly micros: number;
  readonly synced: boolean;
  readonly ioMode: IoMode;
}
