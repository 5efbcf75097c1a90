import { EventLogReader, type EventLogReaderOptions } from '@holdfast/event-store';
import { assert, errorCode } from '@holdfast/kernel';
import type { EventFeed, FeedBatch, FeedOptions, FeedSubscription } from './event-feed.js';
import { feedUnavailable } from './feed.errors.js';
import { SourceFeed } from './source-feed.js';

export interface DirectoryFeedOptions extends EventLogReaderOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
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

  /** Nobody hears of what was applied: a directory has no ears. */
  open(options: FeedOptions): FeedSubscription {
    assert(!this.closing.signal.aborted, 'a closed feed is not opened');
    return {
      [Symbol.asyncIterator]: () => this.deliver(options),
      applied: () => undefined,
    };
  }

  /** Ends every subscription. */
  close(): Promise<void> {
    this.closing.abort();
    return Promise.resolve();
  }

  private async *deliver(options: FeedOptions): AsyncGenerator<FeedBatch, void> {
    const reader = await this.openReader();
    const feed = new SourceFeed(reader, this.options);
    const end = () => void feed.close();
    this.closing.signal.addEventListener('abort', end, { once: true });
    try {
      if (!this.closing.signal.aborted) yield* feed.open(options);
    } finally {
      this.closing.signal.removeEventListener('abort', end);
      await reader.close();
    }
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
