import type { Position } from '../../event.js';
import type { StateMark } from './state-mark.js';

/** Where and how the state is checkpointed. */
export interface CheckpointedStateOptions {
  /** Holds the database and its record. It may be deleted: everything in it can be rebuilt. */
  readonly directory: string;
  /** For snapshots. Default: none are made or read. */
  readonly snapshotDirectory?: string;
  /** Names the caller's way of folding. State of another name is rebuilt. Default `1`. */
  readonly stateVersion?: string;
  /** Other ways of folding whose snapshots can be started from, by name. Default: none. */
  readonly takesOver?: StatesTakenOver;
  /** A checkpoint begins after this many bytes of events since the last one. Default 64 MiB. */
  readonly checkpointBytes?: number;
  /** A checkpoint begins this long after the last one, if anything was appended. Default one minute. */
  readonly checkpointMillis?: number;
  /**
   * A checkpoint begins when this many entries are in memory only, and changes during a checkpoint are cut into pieces of this size. LMDB keeps a page
   * of memory for each leaf that its largest transaction has changed: at most 4 KiB per entry. Default 25,000.
   */
  readonly checkpointEntries?: number;
  /** Appends throw `EVENT_STATE_OVERLOADED` while more than this many entries are in memory only. Default 1,000,000. */
  readonly overlayEntriesMax?: number;
  /**
   * A snapshot or a full reading holds the pages of its version that checkpoints have replaced since. Beyond this many bytes, or an eighth of the file
   * if that is more, it stops resting, and the next checkpoint waits for it. Once half of `overlayEntriesMax` is used up, or after a minute, it is given
   * up and retried later. Default 16 MiB.
   */
  readonly pinnedBytesMax?: number;
  /** Values from the database kept in memory. Default 100,000. */
  readonly cacheEntries?: number;
  /** A snapshot is made this long after the last one, if there is a newer checkpoint. 0: only on demand. Default one day. */
  readonly snapshotMillis?: number;
  /** Rate at which the database is read through in the background. Default 8 MiB per second. */
  readonly verifyBytesPerSecond?: number;
  /** The same for the first reading after a start. Default 64 MiB per second. */
  readonly firstVerifyBytesPerSecond?: number;
  /** The pause between two readings. Default ten minutes. */
  readonly verifyPauseMillis?: number;
  /** Called with events that operators should see. Must not throw. */
  readonly onEvent?: (event: StateEvent) => void;
}

/** What to leave out of a snapshot made by another way of folding; the rest must equal what the present way makes of the same events. */
export type StatesTakenOver = Readonly<
  Record<string, { readonly leaveOut: readonly string[] } | undefined>
>;

export type ResolvedStateOptions = Required<
  Omit<CheckpointedStateOptions, 'snapshotDirectory' | 'onEvent'>
> &
  Pick<CheckpointedStateOptions, 'snapshotDirectory'> & {
    readonly onEvent: (event: StateEvent) => void;
  };

const MEBIBYTE = 1024 * 1024;
const MINUTE_MILLIS = 60_000;

export function resolveStateOptions(options: CheckpointedStateOptions): ResolvedStateOptions {
  return {
    stateVersion: '1',
    takesOver: {},
    checkpointBytes: 64 * MEBIBYTE,
    checkpointMillis: MINUTE_MILLIS,
    checkpointEntries: 25_000,
    overlayEntriesMax: 1_000_000,
    pinnedBytesMax: 16 * MEBIBYTE,
    cacheEntries: 100_000,
    snapshotMillis: 24 * 60 * MINUTE_MILLIS,
    verifyBytesPerSecond: 8 * MEBIBYTE,
    firstVerifyBytesPerSecond: 64 * MEBIBYTE,
    verifyPauseMillis: 10 * MINUTE_MILLIS,
    onEvent: () => undefined,
    ...options,
  };
}

/** The sections that are left out of state of this version when it is loaded, mostly none; undefined when it is of no use here. */
export function leftOutOf(
  { stateVersion }: Pick<StateMark, 'stateVersion'>,
  options: Pick<ResolvedStateOptions, 'stateVersion' | 'takesOver'>,
): readonly string[] | undefined {
  return stateVersion === options.stateVersion ? [] : options.takesOver[stateVersion]?.leaveOut;
}

/** What happened to the state, for log lines and for tests that stop a process at a step. */
export type StateEvent =
  | { readonly kind: 'rebuilding'; readonly reason: string }
  /** A start has found a checkpoint that was not recorded, and begins at the one before. Positions; `from` where it can be told. */
  | { readonly kind: 'taken-back'; readonly from: number | undefined; readonly to: number }
  | { readonly kind: 'snapshot-loaded'; readonly mark: StateMark }
  | { readonly kind: 'snapshot-refused'; readonly path: string; readonly reason: string }
  | { readonly kind: 'checkpoint-step'; readonly step: CheckpointStep; readonly position: Position }
  | { readonly kind: 'checkpointed'; readonly report: CheckpointReport }
  | { readonly kind: 'checkpoint-failed'; readonly reason: string }
  | { readonly kind: 'snapshot'; readonly report: SnapshotReport }
  | { readonly kind: 'snapshot-failed'; readonly reason: string }
  | { readonly kind: 'snapshot-damaged'; readonly snapshot: DamagedSnapshot }
  | { readonly kind: 'verified'; readonly mark: StateMark; readonly millis: number }
  /** The database could not be read through just now, for a reason of the machine or because it was given up. */
  | { readonly kind: 'verify-failed'; readonly reason: string }
  | { readonly kind: 'damaged'; readonly reason: string };

/** In this order. */
export type CheckpointStep =
  'frozen' | 'durable' | 'encoded' | 'written' | 'retired' | 'recorded' | 'floor-moved';

export interface CheckpointReport {
  readonly position: Position;
  /** Entries that it wrote or deleted. */
  readonly changes: number;
  /** Entries of the state as a whole. */
  readonly entries: number;
  readonly digest: string;
  readonly millis: number;
}

export interface SnapshotReport {
  readonly position: Position;
  readonly path: string;
  readonly bytes: number;
  readonly entries: number;
  readonly digest: string;
  readonly atMillis: number;
}

/** One file in the directory of snapshots. Its bytes are verified when it was made, and again before it is used. */
export interface SnapshotEntry {
  readonly position: Position;
  readonly path: string;
  readonly bytes: number;
  readonly mark: StateMark;
}

/** A snapshot that no state can begin with, because it is not what was written, or because of how and of what it was made. It counts for nothing. */
export interface DamagedSnapshot {
  readonly position: Position;
  readonly path: string;
  readonly reason: string;
}

export interface StateStatus {
  /** Undefined until the first. */
  readonly checkpoint:
    | {
        readonly position: Position;
        readonly atMillis: number;
        readonly entries: number;
        readonly digest: string;
      }
    | undefined;
  readonly lastCheckpointMillis: number | undefined;
  readonly checkpoints: number;
  readonly failedCheckpoints: number;
  /** Entries that are in memory only. */
  readonly overlayEntries: number;
  /** Those that this program can begin with on this log, as far as is known. */
  readonly snapshots: readonly SnapshotEntry[];
  /** The others: made by another way of folding, of another history, or found damaged. */
  readonly unusableSnapshots: readonly DamagedSnapshot[];
  /** Of these, the ones that were found damaged when they were listed or last read through, or that are gone since they were listed. */
  readonly damagedSnapshots: readonly DamagedSnapshot[];
  readonly verification: {
    /** `pending` until the first whole scan after the start. */
    readonly state: 'pending' | 'good' | 'damaged';
    readonly scans: number;
    readonly lastFullScanAtMillis: number | undefined;
    readonly lastFullScanMillis: number | undefined;
    /** How often it was given up for the sake of the file since the start, or a snapshot was. */
    readonly givenUp: number;
  };
}
