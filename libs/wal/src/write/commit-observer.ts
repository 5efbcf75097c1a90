import type { PredecessorSeal } from '../format/segment-header.js';
import { WalError } from '../wal.errors.js';
import type { CommitFigures, Sequence } from '../wal.types.js';
import type { StartedSegment } from './segment-chain.js';

/** What the commit path tells its owner, in the order of events. */
export interface CommitObserver {
  /** Before anybody hears of it: throws `WAL_FENCED` when this writer is no longer the only one. */
  assertUnfenced(): void;
  /** Frames up to here are synced, or the segment has just begun. */
  durable(sequence: Sequence, segment: StartedSegment, offset: number): void;
  committed(commit: CommitFigures): void;
  rotated(sealed: StartedSegment, seal: PredecessorSeal, current: StartedSegment): void;
  poisoned(error: WalError): void;
}
