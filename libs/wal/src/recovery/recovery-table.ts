import { defined } from '@holdfast/kernel';
import type { WalErrorCode } from '../wal.errors.js';

/**
 * The table of recovery as data: `docs/file-format.md` prints it, the tests name its labels, and an open judges the last segment by it. V is the first offset of the last segment at which no
 * valid frame stands; D is the highest sequence that anything promises as durable.
 */
export interface RecoveryCase {
  readonly label: string;
  readonly found: string;
  readonly done: string;
  readonly refuses?: WalErrorCode;
}

/** What an open finds in the last segment, which no successor has sealed. */
export interface LastSegmentFound {
  readonly hasFooter: boolean;
  /** Of the last valid frame. */
  readonly lastSequence: number;
  /** D. */
  readonly promised: number;
  readonly isCutShort: boolean;
  /** From V to the last byte that is not zero. */
  readonly bytesBehind: number;
  readonly hasFrameBehind: boolean;
  readonly isSync: boolean;
  /** What one frame in flight can leave: its header and the largest body. */
  readonly tearBytesMax: number;
}

interface LastSegmentCase extends RecoveryCase {
  readonly applies: (found: LastSegmentFound) => boolean;
}

/** The first that applies decides. */
export const LAST_SEGMENT_CASES = [
  {
    label: 'successor-missing',
    found: 'a footer at V: a successor had its name before it was written',
    done: 'refuse',
    refuses: 'WAL_MISSING_SEGMENT',
    applies: ({ hasFooter }) => hasFooter,
  },
  {
    label: 'promise-gone',
    found: 'D is beyond the last valid sequence, and there are only zeros from V on',
    done: 'refuse',
    refuses: 'WAL_LOST_TAIL',
    applies: ({ promised, lastSequence, bytesBehind }) =>
      promised > lastSequence && bytesBehind === 0,
  },
  {
    label: 'promise-damaged',
    found: 'D is beyond the last valid sequence, and there are bytes behind V',
    done: 'refuse',
    refuses: 'WAL_CORRUPT',
    applies: ({ promised, lastSequence }) => promised > lastSequence,
  },
  {
    label: 'cut-short',
    found: 'the file is shorter than it was when it got its name',
    done: 'refuse',
    refuses: 'WAL_CORRUPT',
    applies: ({ isCutShort }) => isCutShort,
  },
  {
    label: 'clean-end',
    found: 'zeros from V on',
    done: 'the log ends at V',
    applies: ({ bytesBehind }) => bytesBehind === 0,
  },
  {
    label: 'frame-behind-damage',
    found: 'the mode is sync, and a frame header verifies behind V',
    done: 'refuse: with one frame in flight no tear leaves this',
    refuses: 'WAL_CORRUPT',
    applies: ({ isSync, hasFrameBehind }) => isSync && hasFrameBehind,
  },
  {
    label: 'longer-than-a-frame',
    found: 'the mode is sync, and there are bytes behind V beyond the longest possible frame',
    done: 'refuse: with one frame in flight no tear leaves this',
    refuses: 'WAL_CORRUPT',
    applies: ({ isSync, bytesBehind, tearBytesMax }) => isSync && bytesBehind > tearBytesMax,
  },
  {
    label: 'torn-tail',
    found: 'other bytes behind V',
    done: 'copied to `quarantine/`, and the log ends at V',
    applies: () => true,
  },
] as const satisfies readonly LastSegmentCase[];

export type LastSegmentLabel = (typeof LAST_SEGMENT_CASES)[number]['label'];

export function caseOfLastSegment(found: LastSegmentFound): LastSegmentLabel {
  return defined(
    LAST_SEGMENT_CASES.find(({ applies }) => applies(found)),
    'a case for whatever is found',
  ).label;
}

export const OTHER_CASES: readonly RecoveryCase[] = [
  {
    label: 'sealed-damaged',
    found:
      'a sealed segment ends early, does not end with the frame that its successor names, or does not continue its predecessor; with `verifyOnOpen`, any frame of it is invalid',
    done: 'refuse naming file, offset and sequences; `repairFromArchive` puts the segment back, also one that the disk does not give (`EIO`), where its digest matches and the live header behind it goes on from it',
    refuses: 'WAL_CORRUPT',
  },
  {
    label: 'segment-missing',
    found:
      "a segment between MANIFEST's first and the newest, or the one that WATERMARK names, is not there; or the newest is compacted, so it had a successor",
    done: 'refuse; `repairFromArchive` as for `sealed-damaged`',
    refuses: 'WAL_MISSING_SEGMENT',
  },
  {
    label: 'segment-too-many',
    found:
      'a segment file of a number and generation that MANIFEST does not name, other than `left-behind`',
    done: 'refuse',
    refuses: 'WAL_CORRUPT',
  },
  {
    label: 'header-copy-damaged',
    found: 'one copy of a segment header is damaged',
    done: 'copied from the other',
  },
  {
    label: 'header-damaged',
    found:
      'both copies of the header of a named segment are damaged, or it is the header of another log or segment',
    done: 'refuse: a segment has a durable header before it has its name',
    refuses: 'WAL_CORRUPT',
  },
  {
    label: 'log-unfinished',
    found: 'MANIFEST names no segment, and none holds data',
    done: 'the making of the log crashed: what is there is removed, and made again',
  },
  {
    label: 'read-error',
    found: 'a read fails',
    done: 'refuse; a read error is never taken for the end',
    refuses: 'WAL_READ_FAILED',
  },
  {
    label: 'behind-state',
    found: 'the opener `expects` a place of some state, and the log ends before it',
    done: 'refuse where the timeline of that place is that of the last record, or of a segment behind it (each opening begins one; those in front of one that a restore has made, of epoch 0, do not count); otherwise the log has gone on in another history (it was restored), and the state has to be rebuilt',
    refuses: 'WAL_BEHIND_STATE',
  },
  {
    label: 'format-unknown',
    found: 'an unknown version, incompatible feature, or durability mode',
    done: 'refuse',
    refuses: 'WAL_UNSUPPORTED_FORMAT',
  },
  {
    label: 'footer-missing',
    found: 'the footer of a sealed segment is missing or bad',
    done: 'made again, in the background',
  },
  { label: 'stray', found: 'a file named `*.tmp`', done: 'removed' },
  {
    label: 'left-behind',
    found:
      "a segment below MANIFEST's first; a generation below the one that MANIFEST names, or a compacted one above it",
    done: 'removed',
  },
  {
    label: 'manifest-damaged',
    found:
      'MANIFEST is damaged, or missing beside segments; or it names no segment, but one holds data',
    done: 'refuse',
    refuses: 'WAL_MANIFEST_DAMAGED',
  },
];
