/** `feed-server.js <log directory>`: serves the feed of a log as the command service does, and sends its parent the address. */
import { EventLogReader } from '@holdfast/event-store';
import { EventFeedModule, eventFeedMicroservice } from '@holdfast/projections/grpc';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { createServer } from 'node:net';

Logger.overrideLogger(false);
const source = await EventLogReader.open(process.argv[2] ?? '');
const url = `127.0.0.1:${await freePort()}`;
const application = await NestFactory.create(
  EventFeedModule.register({ source }),
  new FastifyAdapter(),
);
application.connectMicroservice<MicroserviceOptions>(eventFeedMicroservice({ url }));
await application.startAllMicroservices();
process.send?.(url);
process.on('disconnect', () => process.exit());

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
