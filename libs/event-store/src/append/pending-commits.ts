import { defined } from '@holdfast/kernel';
import type { Position, RecordedEvent } from '../event.js';

/** A commit between its admission and the moment that the log can be read up to it. */
export interface PendingCommit {
  readonly first: Position;
  readonly last: Position;
  readonly events: readonly RecordedEvent[];
  readonly durable: Promise<void>;
}

/**
 * What was admitted and cannot be read from the log yet. A repeated append finds its first attempt here, and whoever waits
 * for a position finds the promise of its commit.
 */
export class PendingCommits {
  /** Ascending, without a gap, up to the last position. */
  private commits: PendingCommit[] = [];
  eventCount = 0;

  add(commit: PendingCommit): void {
    this.commits.push(commit);
    this.eventCount += commit.events.length;
  }

  get newest(): PendingCommit | undefined {
    return this.commits.at(-1);
  }

  /** The pending commit that holds the position. */
  holding(position: Position): PendingCommit | undefined {
    const commit = this.commits[this.indexOf(position)];
    return commit !== undefined && commit.first <= position ? commit : undefined;
  }

  /** Forgets what can be read from the log now. */
  release(durable: Position): void {
    const count = this.indexOf((durable + 1) as Position);
    for (let index = 0; index < count; index++)
      this.eventCount -= defined(this.commits[index], 'a pending commit').events.length;
    this.commits = count === this.commits.length ? [] : this.commits.slice(count);
  }

  /** The index of the first commit that ends at or after the position. */
  private indexOf(position: Position): number {
    let low = 0;
    let high = this.commits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (defined(this.commits[middle], 'a pending commit').last < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
