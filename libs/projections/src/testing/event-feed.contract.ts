import type { JsonObject, NewEvent, Position, RecordedEvent } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventFeed, FeedBatch, FeedCursor, FeedOptions } from '../event-feed.js';
import type { ConsumerStatus } from '../feed-consumers.js';
import { append, newEvent } from './events.js';
import { WINDOW_UNDER_TEST_BYTES, type FeedUnderTest } from './feed-under-test.js';
