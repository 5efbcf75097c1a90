import type { INestApplication } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { createServer } from 'node:net';
import { EventFeedModule, eventFeedMicroservice } from './event-feed.module.js';
import { FeedConsumers } from './feed-consumers.js';
import { GrpcFeed } from './grpc-feed.js';
import { describeEventFeed } from './testing/event-feed.contract.js';
import { HEARTBEAT_UNDER_TEST_MILLIS, WINDOW_UNDER_TEST_BYTES } from './testing/feed-under-test.js';
import { LogUnderTest } from './testing/log-under-test.js';

describeEventFeed('over gRPC', async () => {
  const log = await LogUnderTest.create();
  const url = `127.0.0.1:${await freePort()}`;
  const connect = () => new GrpcFeed({ url, windowBytes: WINDOW_UNDER_TEST_BYTES });
  let server = await serve(log, url);
  const feeds = [connect()];
  return {
    log,
    feed: feeds[0]!,
    another: () => feeds[feeds.push(connect()) - 1]!,
    consumers: () => server.consumers.list(),
    stopSource: async () => {
      await server.application.close();
      await log.stop();
    },
    startSource: async () => {
      await log.start();
      server = await serve(log, url);
    },
    dispose: async () => {
      for (const feed of feeds) await feed.close();
      await server.application.close();
      await log.dispose();
    },
  };
});

interface Server {
  readonly application: INestApplication;
  readonly consumers: FeedConsumers;
}

async function serve(log: LogUnderTest, url: string): Promise<Server> {
  const consumers = new FeedConsumers();
  const register = EventFeedModule.register({
    source: log.log,
    consumers,
    heartbeatMillis: HEARTBEAT_UNDER_TEST_MILLIS,
  });
  const module = await Test.createTestingModule({ imports: [register] }).compile();
  module.useLogger(false);
  const application = module.createNestApplication(new FastifyAdapter());
  application.connectMicroservice<MicroserviceOptions>(eventFeedMicroservice({ url }));
  await application.startAllMicroservices();
  return { application, consumers };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
