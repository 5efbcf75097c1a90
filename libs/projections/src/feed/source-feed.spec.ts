import { CodedError } from '@holdfast/kernel';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { statusOf } from '../grpc/feed-status.js';
import { SourceFeed } from './source-feed.js';
import { MemoryEventSource } from '../testing/memory-event-source.js';

describe('a log whose files do not answer just now', () => {
  const { signal } = new AbortController();

  it.each([
    ['WAL_ARCHIVE_NOT_FOUND', 'FEED_UNAVAILABLE', status.UNAVAILABLE],
    ['WAL_READ_FAILED', 'FEED_UNAVAILABLE', status.UNAVAILABLE],
    ['WAL_CORRUPT', 'WAL_CORRUPT', status.FAILED_PRECONDITION],
  ])('is out of reach for its consumers, also of other processes: %s is %s', async (...row) => {
    const [found, code, call] = row;
    const source = new MemoryEventSource();
    source.commit([{}]);
    const next = () => Promise.reject(new CodedError(found, 'as the archive says'));
    source.subscribe = () => ({ [Symbol.asyncIterator]: () => ({ next }) });
    const batches = new SourceFeed(source).open({ from: undefined, signal });
    const error: unknown = await batches[Symbol.asyncIterator]()
      .next()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(statusOf(error)).toMatchObject({ code: call });
  });
});
