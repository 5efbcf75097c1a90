import { ProblemsFilter, runHoldfast } from '@holdfast/nestjs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { BookingsModule } from './bookings.module.js';

const { DATA = './data', PORT = '3000', IN_THREAD } = process.env;

await runHoldfast(async () => {
  const module = BookingsModule.with({ directory: DATA }, IN_THREAD === '1');
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter());
  app.useGlobalFilters(app.get(ProblemsFilter));
  await app.listen(Number(PORT), '127.0.0.1');
  return app;
});
