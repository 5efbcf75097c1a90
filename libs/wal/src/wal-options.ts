import type { Clock } from '@holdfast/kernel';
import type { FileSystem } from './disk/file-system.js';
import type { PlaceOptions } from './disk/network-file-systems.js';
import {
  FRAME_BYTES_MAX,
  FRAME_BYTES_MIN,
  RECORD_BYTES_MAX,
  SEGMENT_BYTES_DEFAULT,
  SEGMENT_BYTES_MAX,
} from './format/wal-format.js';
import type { ArchiveStore } from './segment/archive-store.js';
import { WalError } from './wal.errors.js';
import type { CommitFigures, Durability, IoMode, LogPosition, Sequence } from './wal.types.js';

export interface WalOptions extends PlaceOptions {
  /** Creates the log if the directory holds none. Off by default: an unmounted volume is an error, not an empty log. */
  readonly create?: boolean;
  /** Takes the log over from a writer that hangs and cannot be killed. That writer acknowledges nothing more. */
  readonly takeover?: boolean;
  /**
   * Reads every frame of the sealed segments before anything is changed on disk, so that damage refuses the open. Otherwise an open reads only what
   * recovery needs, and a reader meets the damage later. For callers that replay the log anyway: about a second per GB. `after` limits it to what such a
   * caller replays, unless the log does not hold what it `expects`.
   */
  readonly verifyOnOpen?: boolean | { readonly after: Sequence };
  /**
   * The position that the caller's state has reached. A log that ends before it, in the same history, is refused with `WAL_BEHIND_STATE` before anything
   * is changed.
   */
  readonly expects?: LogPosition;
  /** Where sealed segments are archived, and where segments that have left the log are read from. */
  readonly archive?: ArchiveStore;
  /** Default `sync`. Applies to segments written from now on. */
  readonly durability?: Durability;
  /** For `interval`: the longest time from a write to its sync. Default 50. */
  readonly syncIntervalMillis?: number;
  /** 2 × `frameBytesMax` to 1 GiB; default 64 MiB. */
  readonly segmentBytes?: number;
  /** The largest batch in encoded bytes: 16 KiB to 32 MiB, the default. */
  readonly frameBytesMax?: number;
  /** Appends throw `WAL_OVERLOADED` when more bytes than this would wait. At least `frameBytesMax`, which is the default. */
  readonly queuedBytesMax?: number;
  /** Waits this long for more batches before a commit. Default 0: the next turn of the event loop. */
  readonly groupWindowMillis?: number;
  readonly ioMode?: IoMode | 'adaptive';
  /** After this long without a commit, an empty frame records the durable sequence. Default 100. */
  readonly idleMillis?: number;
  /** While the disk is full: how long appends are refused before free space is checked again. Default 1,000. */
  readonly roomRetryMillis?: number;
  /** Called for each commit, for metrics. Errors that it throws are counted in `onCommitFailures` and change nothing. */
  readonly onCommit?: (commit: CommitFigures) => void;
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  /** For repeatable tests: random bytes for ids and salts. */
  readonly randomBytes?: (length: number) => Buffer;
}

export interface ResolvedLimits {
  readonly segmentBytes: number;
  readonly frameBytesMax: number;
  readonly recordBytesMax: number;
  readonly queuedBytesMax: number;
  readonly syncIntervalMillis: number;
  readonly groupWindowMillis: number;
  readonly idleMillis: number;
  readonly roomRetryMillis: number;
}

/** Throws `WAL_INVALID_OPTION`. */
export function resolveLimits(options: WalOptions): ResolvedLimits {
  const frameBytesMax = within(
    'frameBytesMax',
    options.frameBytesMax ?? FRAME_BYTES_MAX,
    FRAME_BYTES_MIN,
    FRAME_BYTES_MAX,
  );
  const segmentBytes = options.segmentBytes ?? Math.max(SEGMENT_BYTES_DEFAULT, 2 * frameBytesMax);
  return {
    frameBytesMax,
    segmentBytes: within('segmentBytes', segmentBytes, 2 * frameBytesMax, SEGMENT_BYTES_MAX),
    recordBytesMax: Math.min(RECORD_BYTES_MAX, frameBytesMax),
    queuedBytesMax: within(
      'queuedBytesMax',
      options.queuedBytesMax ?? frameBytesMax,
      frameBytesMax,
      SEGMENT_BYTES_MAX,
    ),
    syncIntervalMillis: within('syncIntervalMillis', options.syncIntervalMillis ?? 50, 1, 60_000),
    groupWindowMillis: within('groupWindowMillis', options.groupWindowMillis ?? 0, 0, 1_000),
    idleMillis: within('idleMillis', options.idleMillis ?? 100, 1, 60_000),
    roomRetryMillis: within('roomRetryMillis', options.roomRetryMillis ?? 1_000, 0, 60_000),
  };
}

function within(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new WalError(
    'WAL_INVALID_OPTION',
    `${name} is a whole number from ${min} to ${max}, not ${value}`,
    {
      name,
      value,
      min,
      max,
    },
  );
}
