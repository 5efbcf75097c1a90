import type { EventLogReaderOptions } from '@holdfast/event-store';
import { EventLogReader } from '@holdfast/event-store/following';
import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import { assert } from '@holdfast/kernel';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type {
  EventFeed,
  FeedBatch,
  FeedCursor,
  FeedOptions,
  FeedSubscription,
} from '../event-feed.js';
import { feedUnavailable, isPassing } from '../feed.errors.js';
import { ProgressReports, type ReportTarget } from './progress-reports.js';
import { SourceFeed } from './source-feed.js';

export interface DirectoryFeedOptions extends EventLogReaderOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
  /** Gets the position of each consumer that keeps a floor, because the log's directory cannot be told. */
  readonly report?: ReportTarget;
}

/**
 * The feed of another process's log, read from its directory. The log need not exist yet: `FEED_UNAVAILABLE` until then. Each subscription opens the
 * directory again, so that after a restore it sees what is there now.
 */
export class DirectoryFeed implements EventFeed {
  private readonly closing = new AbortController();

  constructor(
    private readonly directory: string,
    private readonly options: DirectoryFeedOptions = {},
  ) {}

  open(options: FeedOptions): FeedSubscription {
    assert(!this.closing.signal.aborted, 'a closed feed is not opened');
    const reading = new Reading();
    return {
      [Symbol.asyncIterator]: () => this.deliver(options, reading),
      applied: (position, durable = true) => reading.applied(position, durable),
    };
  }

  /** Ends every subscription. */
  close(): Promise<void> {
    this.closing.abort();
    return Promise.resolve();
  }

  private async *deliver(options: FeedOptions, reading: Reading): AsyncGenerator<FeedBatch, void> {
    const place = placeOf(this.directory);
    const reader = await EventLogReader.open(this.directory, this.options).catch(this.passing);
    const feed = new SourceFeed(reader, this.options);
    const end = () => void feed.close();
    this.closing.signal.addEventListener('abort', end, { once: true });
    try {
      if (this.closing.signal.aborted) return;
      for await (const batch of feed.open(options)) {
        // With its first batch the feed has accepted the cursor: one that is refused keeps nothing.
        reading.reports ??= this.reportsOf(options, feed.cursorAt(BEFORE_FIRST_POSITION));
        reading.cursor = batch.cursor;
        if (batch.events.length === 0) this.assertInPlace(place);
        yield batch;
      }
    } catch (error) {
      this.passing(error);
    } finally {
      reading.reports?.end();
      this.closing.signal.removeEventListener('abort', end);
      await reader.close();
    }
  }

  /** Rethrows, as `FEED_UNAVAILABLE` what passes. */
  private readonly passing = (error: unknown): never => {
    throw isPassing(error) ? feedUnavailable(this.directory, error) : error;
  };

  /** Files that were replaced under their reader go on showing what they were, and nothing ever comes: the log looks idle. */
  private assertInPlace(place: Place): void {
    const now = placeOf(this.directory);
    const same = place.directory === now.directory && (place.mark ?? now.mark) === now.mark;
    // A writer makes its mark when it opens the log, which may be after this reader.
    place.mark ??= now.mark;
    if (!same) throw feedUnavailable(this.directory, 'its files were replaced');
  }

  private reportsOf(options: FeedOptions, start: FeedCursor): ProgressReports | undefined {
    const { report } = this.options;
    if (report === undefined || options.keepsFloor !== true) return undefined;
    return new ProgressReports(options.consumer ?? 'unnamed', options.from ?? start, report);
  }
}

/** Which directory is looked at, and which file of its writer, whatever their names: undefined where there is none. */
interface Place {
  readonly directory: string | undefined;
  mark: string | undefined;
}

function placeOf(directory: string): Place {
  return { directory: inodeOf(directory), mark: inodeOf(join(directory, 'WATERMARK')) };
}

function inodeOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev}:${found.ino}`;
}

/** One subscription: what it was last given, and who is told once that is applied. */
class Reading {
  reports: ProgressReports | undefined;
  cursor: FeedCursor | undefined;

  applied(position: Position, durable: boolean): void {
    // A consumer reports what it was given last; an older position is made good by the next report.
    if (this.cursor?.position === position) this.reports?.moved(this.cursor, durable);
  }
}
