import type { EventLogReaderOptions } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { EventFeed, FeedOptions, FeedSubscription } from './event-feed.js';

export interface DirectoryFeedOptions extends EventLogReaderOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
}

/** The feed of another process's log, read from its directory. The log need not exist yet: `FEED_UNAVAILABLE` until then. */
export class DirectoryFeed implements EventFeed {
  constructor(directory: string, options?: DirectoryFeedOptions) {
    notBuiltYet(directory, options);
  }

  open(options: FeedOptions): FeedSubscription {
    return notBuiltYet(options);
  }

  close(): Promise<void> {
    return notBuiltYet();
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
