import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFeed } from './directory-feed.js';
import { describeEventFeed } from './testing/event-feed.contract.js';
import { HEARTBEAT_UNDER_TEST_MILLIS } from './testing/feed-under-test.js';
import { LogUnderTest } from './testing/log-under-test.js';

const heartbeatMillis = HEARTBEAT_UNDER_TEST_MILLIS;

describeEventFeed("from the log's directory", async () => {
  const log = await LogUnderTest.create();
  const feed = new DirectoryFeed(log.directory, { heartbeatMillis });
  return {
    log,
    feed,
    another: () => new DirectoryFeed(log.directory, { heartbeatMillis }),
    consumers: () => undefined,
    stopSource: () => log.stop(),
    startSource: () => log.start(),
    dispose: async () => {
      await feed.close();
      await log.dispose();
    },
  };
});

describe('a directory feed', () => {
  it('is unavailable while there is no log, and works once there is', async () => {
    const root = await mkdtemp(join(tmpdir(), 'holdfast-feed-'));
    const feed = new DirectoryFeed(join(root, 'nothing'));
    const batches = feed.open({ from: undefined, signal: new AbortController().signal });
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
    });
    await rm(root, { recursive: true });
  });
});
