import type { EventSource } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { EventFeed, FeedOptions, FeedSubscription } from './event-feed.js';
import type { FeedConsumers } from './feed-consumers.js';

export interface SourceFeedOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
  /** Lists who reads; nobody does when left out. */
  readonly consumers?: FeedConsumers;
}

/** The feed on an open log: the writer's own in its process, or a reader. It does not close the log. */
export class SourceFeed implements EventFeed {
  constructor(source: EventSource, options?: SourceFeedOptions) {
    notBuiltYet(source, options);
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
