import { status } from '@grpc/grpc-js';
import type { Position } from '@holdfast/event-store';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GrpcFeed } from './grpc-feed.js';
import { GrpcReports } from './grpc-reports.js';
import { type FeedServer, freePort, serveFeed } from '../testing/feed-server.js';
import { MemoryEventSource } from '../testing/memory-event-source.js';

const TOKEN = 'the-token-of-the-feed';

describe('a gRPC feed with a token', () => {
  let source: MemoryEventSource;
  let server: FeedServer;

  beforeAll(async () => {
    source = new MemoryEventSource();
    source.commit([{}]);
    server = await serveFeed(source, `127.0.0.1:${await freePort()}`, { token: TOKEN });
  });

  afterAll(() => server.close());

  const firstBatch = async (token?: string): Promise<unknown> => {
    const feed = new GrpcFeed({ url: server.url, token });
    const { signal } = new AbortController();
    try {
      for await (const batch of feed.open({ from: undefined, keepsFloor: true, signal }))
        return batch;
      return undefined;
    } finally {
      await feed.close();
    }
  };

  const reported = (token?: string): Promise<Error | undefined> =>
    new Promise((resolve) => {
      const at = { logId: source.logId, position: 0 as Position, timeline: '' };
      const report = { consumer: 'ledger', reporter: 'one', applied: at, durable: at };
      const reports = new GrpcReports({
        url: server.url,
        token,
        onReach: (failure) => {
          reports.close();
          resolve(failure);
        },
      });
      reports.report({ ...report, ended: false });
    });

  it('serves whoever sends it', async () => {
    expect(await firstBatch(TOKEN)).toMatchObject({ events: [{ position: 1 }] });
  });

  it.each([
    ['none', undefined, 'wants a token'],
    ['another', 'the-token-of-the-feeD', 'not the right one'],
    ['its beginning', TOKEN.slice(0, -1), 'not the right one'],
    ['it and more', `${TOKEN}s`, 'not the right one'],
  ])('refuses whoever sends %s, as a matter that time does not mend', async (_, token, problem) => {
    await expect(firstBatch(token)).rejects.toMatchObject({
      code: 'FEED_REFUSED',
      message: expect.stringContaining(problem),
      cause: { code: status.PERMISSION_DENIED },
    });
    expect(server.consumers.list()).toEqual([]);
  });

  it('keeps no floor for a report without it, and tells who reports', async () => {
    expect(await reported('not-the-token-of-the-feed')).toMatchObject({ code: 'FEED_REFUSED' });
    expect(server.consumers.list()).toEqual([]);
  });
});
