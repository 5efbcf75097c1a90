import { GrpcFeed } from './grpc-feed.js';
import { describeEventFeed } from '../testing/event-feed.contract.js';
import { freePort, serveFeed } from '../testing/feed-server.js';
import { WINDOW_UNDER_TEST_BYTES } from '../testing/feed-under-test.js';
import { LogUnderTest } from '../testing/log-under-test.js';

describeEventFeed('over gRPC', async () => {
  const log = await LogUnderTest.create();
  const url = `127.0.0.1:${await freePort()}`;
  let server = await serveFeed(log.log, url);
  const feed = new GrpcFeed({ url, windowBytes: WINDOW_UNDER_TEST_BYTES });
  const feeds = [feed];
  return {
    log,
    feed,
    another: () => {
      const another = new GrpcFeed({ url, windowBytes: WINDOW_UNDER_TEST_BYTES });
      feeds.push(another);
      return another;
    },
    consumers: () => server.consumers.list(),
    stopSource: async () => {
      await server.close();
      await log.stop();
    },
    startSource: async () => {
      await log.start();
      server = await serveFeed(log.log, url);
    },
    dispose: async () => {
      for (const each of feeds) await each.close();
      await server.close();
      await log.dispose();
    },
  };
});
