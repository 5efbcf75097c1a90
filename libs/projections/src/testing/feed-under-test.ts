import type { EventFeed } from '../event-feed.js';
import type { ConsumerStatus } from '../feed/feed-consumers.js';
import type { LogUnderTest } from './log-under-test.js';

/** A feed on a log, with the other end in the test's hands. */
export interface FeedUnderTest {
  readonly log: LogUnderTest;
  readonly feed: EventFeed;
  /** Another consumer process's feed on the same source. */
  another(): EventFeed;
  /** Whom the source knows of; undefined where source and consumer share nothing. */
  consumers(): readonly ConsumerStatus[] | undefined;
  /** The process with the log ends, and starts again. */
  stopSource(): Promise<void>;
  startSource(): Promise<void>;
  dispose(): Promise<void>;
}

/** The heartbeat of every feed under test. */
export const HEARTBEAT_UNDER_TEST_MILLIS = 100;
/** The window of feeds that have one. */
export const WINDOW_UNDER_TEST_BYTES = 256 * 1024;
