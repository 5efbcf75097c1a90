import { errorCode, errorMessage, isUnreadable } from '@holdfast/kernel';
import { snapshotCancelled } from '../../event-store.errors.js';
import { STOPPED } from '../snapshot/snapshot-work.js';
import type { DamagedSnapshot, SnapshotEntry } from '../model/state-options.js';
import { StateJobFailed, type StateThread } from './state-thread.js';

export interface SnapshotProofOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
  /** No more are read once so many were found whole. All when left out. */
  readonly wanted?: number;
}

export interface SnapshotProofParts {
  readonly thread: StateThread;
  readonly bytesPerSecond: number;
  readonly onDamage: (snapshot: DamagedSnapshot) => void;
}

/**
 * Reads snapshots again, byte by byte, before something is given up on their strength. Their verification when they were written proves nothing of today.
 *
 * That one was whole is never remembered, not even under its path, size and time of change: a disk that rots changes none of these, so the memory would answer
 * exactly when it is wrong. That one is damaged is remembered as long as the entry of the listing lives: it only ever keeps something, and spares reading
 * a large file again and again.
 */
export class SnapshotProof {
  private readonly faults = new WeakMap<SnapshotEntry, DamagedSnapshot>();

  constructor(private readonly parts: SnapshotProofParts) {}

  /** What is known of them, without reading. */
  damaged(snapshots: readonly SnapshotEntry[]): readonly DamagedSnapshot[] {
    return snapshots.flatMap((snapshot) => this.faults.get(snapshot) ?? []);
  }

  /** Those that are whole. Rejects with `EVENT_CANCELLED`. */
  async whole(
    snapshots: readonly SnapshotEntry[],
    { signal, onProgress = () => undefined, wanted = Infinity }: SnapshotProofOptions,
  ): Promise<readonly SnapshotEntry[]> {
    const whole: SnapshotEntry[] = [];
    const unread = snapshots.filter((snapshot) => !this.faults.has(snapshot));
    const bytesTotal = unread.reduce((sum, { bytes }) => sum + bytes, 0);
    let bytesDone = 0;
    for (const snapshot of unread) {
      if (whole.length >= wanted) break;
      onProgress(bytesDone, bytesTotal);
      const reason = await this.faultOf(snapshot, signal);
      if (reason === undefined) whole.push(snapshot);
      else this.note({ position: snapshot.position, path: snapshot.path, reason }, snapshot);
      bytesDone += snapshot.bytes;
    }
    onProgress(bytesTotal, bytesTotal);
    return whole;
  }

  private note(fault: DamagedSnapshot, snapshot: SnapshotEntry): void {
    this.faults.set(snapshot, fault);
    this.parts.onDamage(fault);
  }

  private async faultOf(
    { path, mark }: SnapshotEntry,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { thread, bytesPerSecond } = this.parts;
    try {
      const answer = await thread.run({ kind: 'verify-snapshot', path, bytesPerSecond }, [], {
        signal,
      });
      const found = 'mark' in answer ? answer.mark : undefined;
      const isTheSame = found?.digest === mark.digest && found.position === mark.position;
      return isTheSame ? undefined : `${path} is not the snapshot that was listed`;
    } catch (error) {
      // Also when the thread has ended with the log: then nothing was proven.
      if (errorCode(error) === STOPPED || signal.aborted) throw snapshotCancelled();
      if (!speaksAgainst(error)) throw error;
      return errorMessage(error);
    }
  }
}

/** Bytes that are wrong, gone, or cannot be read speak against a snapshot. Too many open files do not. */
export function speaksAgainst(error: unknown): boolean {
  if (!(error instanceof StateJobFailed)) return false;
  return error.code === undefined || error.code === 'ENOENT' || isUnreadable(error);
}
