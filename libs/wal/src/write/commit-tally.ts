import type { CommitFigures } from '../wal.types.js';

/** What the commits of an open log add up to. */
export class CommitTally {
  rotations = 0;
  watermarkFailures = 0;
  private commits = 0;
  private records = 0;
  private bytesWritten = 0;
  private commitMicrosTotal = 0;
  private commitMicrosMax = 0;
  private onCommitFailures = 0;

  constructor(private readonly onCommit: ((commit: CommitFigures) => void) | undefined) {}

  count(commit: CommitFigures): void {
    this.commits++;
    this.records += commit.records;
    this.bytesWritten += commit.bytes;
    this.commitMicrosTotal += commit.micros;
    if (commit.micros > this.commitMicrosMax) this.commitMicrosMax = commit.micros;
    try {
      this.onCommit?.(commit);
    } catch {
      // The frame is durable, and whoever waits for it must hear so: a fault of metrics is no fault of the log.
      this.onCommitFailures++;
    }
  }

  figures(): CommitTotals {
    const { commits, records, bytesWritten, commitMicrosTotal, commitMicrosMax } = this;
    const { rotations, watermarkFailures, onCommitFailures } = this;
    const measured = { commits, records, bytesWritten, commitMicrosTotal, commitMicrosMax };
    return { ...measured, rotations, watermarkFailures, onCommitFailures };
  }
}

export interface CommitTotals {
  readonly commits: number;
  readonly records: number;
  readonly bytesWritten: number;
  readonly commitMicrosTotal: number;
  readonly commitMicrosMax: number;
  readonly rotations: number;
  /** Writes of WATERMARK that failed: readers in other processes lag while they do. */
  readonly watermarkFailures: number;
  /** Calls of `onCommit` that threw: its metrics lack those commits. */
  readonly onCommitFailures: number;
}
