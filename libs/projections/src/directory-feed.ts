import {
  BEFORE_FIRST_POSITION,
  EventLogReader,
  type EventLogReaderOptions,
  type Position,
} from '@holdfast/event-store';
import { assert, errorCode } from '@holdfast/kernel';
import {
  type EventFeed,
  type FeedBatch,
  type FeedCursor,
  type FeedOptions,
  type FeedSubscription,
  isAccepted,
} from './event-feed.js';
import { feedUnavailable } from './feed.errors.js';
import { ProgressReports, type ReportTarget } from './progress-reports.js';
import { SourceFeed } from './source-feed.js';

export interface DirectoryFeedOptions extends EventLogReaderOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
  /** Is told how far each consumer that keeps a floor has come: the directory itself has no ears. */
  readonly report?: ReportTarget;
}

/** What a directory is like before its writer has made the log in it, or while it is being put back. */
const NOT_THERE_YET: ReadonlySet<string | undefined> = new Set(['WAL_NOT_FOUND', 'ENOENT']);

/**
 * The feed of another process's log, read from its directory. The log need not exist yet: `FEED_UNAVAILABLE` until then. Each
 * subscription opens the directory anew, so that one that comes back after a restore sees what is there now.
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
    const reader = await this.openReader();
    const feed = new SourceFeed(reader, this.options);
    const end = () => void feed.close();
    this.closing.signal.addEventListener('abort', end, { once: true });
    try {
      if (this.closing.signal.aborted) return;
      for await (const batch of feed.open(options)) {
        // A cursor that is refused keeps nothing.
        if (isAccepted(batch))
          reading.reports ??= this.reportsOf(options, feed.cursorAt(BEFORE_FIRST_POSITION));
        reading.cursor = batch.cursor;
        yield batch;
      }
    } finally {
      reading.reports?.end();
      this.closing.signal.removeEventListener('abort', end);
      await reader.close();
    }
  }

  private reportsOf(options: FeedOptions, start: FeedCursor): ProgressReports | undefined {
    const { report } = this.options;
    if (report === undefined || options.keepsFloor !== true) return undefined;
    return new ProgressReports(options.consumer ?? 'unnamed', options.from ?? start, report);
  }

  private async openReader(): Promise<EventLogReader> {
    try {
      return await EventLogReader.open(this.directory, this.options);
    } catch (error) {
      if (NOT_THERE_YET.has(errorCode(error))) throw feedUnavailable(this.directory, error);
      throw error;
    }
  }
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
