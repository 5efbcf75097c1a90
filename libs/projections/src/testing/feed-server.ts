import type { EventSource } from '@holdfast/event-store';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { createServer } from 'node:net';
import {
  EventFeedModule,
  type EventFeedServerOptions,
  eventFeedMicroservice,
} from '../grpc/event-feed.module.js';
import { FeedConsumers } from '../feed/feed-consumers.js';
import { HEARTBEAT_UNDER_TEST_MILLIS } from './feed-under-test.js';

export interface FeedServer {
  readonly url: string;
  readonly consumers: FeedConsumers;
  close(): Promise<void>;
}

/** A real server of a feed, put together as a service does it. */
export async function serveFeed(
  source: EventSource,
  url: string,
  options: {
    heartbeatMillis?: number;
    tls?: EventFeedServerOptions['tls'];
    floorNames?: ReadonlySet<string>;
    token?: string;
  } = {},
): Promise<FeedServer> {
  const { heartbeatMillis = HEARTBEAT_UNDER_TEST_MILLIS, tls, floorNames, token } = options;
  const consumers = new FeedConsumers({ floorNames });
  const register = EventFeedModule.register({ source, consumers, heartbeatMillis, token });
  const module = await Test.createTestingModule({ imports: [register] }).compile();
  module.useLogger(false);
  const application = module.createNestApplication(new FastifyAdapter());
  application.connectMicroservice<MicroserviceOptions>(
    eventFeedMicroservice({ url, ...(tls && { tls }) }),
  );
  await application.startAllMicroservices();
  return { url, consumers, close: () => application.close() };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
