import type { Upcasters } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFeed } from './directory-feed.js';
import type { FeedBatch, FeedCursor } from '../event-feed.js';
import { describeEventFeed } from '../testing/event-feed.contract.js';
import { HEARTBEAT_UNDER_TEST_MILLIS } from '../testing/feed-under-test.js';
import { LogUnderTest } from '../testing/log-under-test.js';

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

  describe('under a reader that has read everything', () => {
    const { signal } = new AbortController();
    let log: LogUnderTest;
    let feed: DirectoryFeed;
    let batches: AsyncIterator<FeedBatch>;
    let cursor: FeedCursor;

    beforeEach(async () => {
      log = await LogUnderTest.create();
      await log.append({});
      await log.stop();
      await log.backUp();
      await log.start();
      await log.append({});
      feed = new DirectoryFeed(log.directory, { heartbeatMillis: 1 });
      batches = feed.open({ from: undefined, signal })[Symbol.asyncIterator]();
      for (let next = await batches.next(); ; next = await batches.next()) {
        ({ cursor } = next.value as FeedBatch);
        if (cursor.position === 2) break;
      }
    });
    afterEach(async () => {
      await feed.close();
      await log.dispose();
    });

    const toItsEnd = async () => {
      while ((await batches.next()).done !== true);
    };

    it('finds that the files were replaced, and the restored log refuses where it stood', async () => {
      await log.stop();
      await log.restore();
      await expect(toItsEnd()).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
      await log.start();
      const again = feed.open({ from: cursor, signal })[Symbol.asyncIterator]();
      await expect(again.next()).rejects.toMatchObject({ code: 'FEED_DIVERGED' });
    });

    it('finds that another directory stands in its place', async () => {
      await log.stop();
      const aside = join(log.directory, '..', 'aside');
      await rename(log.directory, aside);
      await cp(aside, log.directory, { recursive: true });
      await expect(toItsEnd()).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
      await log.start();
    });
  });

  it.each(['EMFILE', 'ENOMEM', 'EIO', 'WAL_READ_FAILED', 'WAL_ARCHIVE_NOT_FOUND'])(
    'takes %s for what passes: it says nothing about the log',
    async (code) => {
      const log = await LogUnderTest.create();
      const upcasters = {
        upcast: () => {
          throw Object.assign(new Error('of the machine'), { code });
        },
      } as unknown as Upcasters;
      const feed = new DirectoryFeed(log.directory, { upcasters });
      await log.append({});
      const batches = feed.open({ from: undefined, signal: new AbortController().signal });
      await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'FEED_UNAVAILABLE',
      });
      await feed.close();
      await log.dispose();
    },
  );
});
