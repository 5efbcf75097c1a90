import { type EventStoreOptions, Projections } from '@holdfast/nestjs';
import { TestEventStore, givenEvents } from '@holdfast/nestjs/testing';
import { expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import bookings from './bookings.feature.js';
import { BookingsModule } from './bookings.module.js';
import { calendar } from './calendar.js';
import { room } from './room.js';

const booked = { type: 'RoomBooked', data: { day: 'mon', guest: 'ann', people: 1 } } as const;
const events = givenEvents(
  room.on('blue', { type: 'RoomAdded', data: { capacity: 2 } }),
  room.on('blue', booked),
  room.on('red', booked),
  room.on('blue', { type: 'BookingCancelled', data: { day: 'mon', guest: 'ann' } }),
);

it('each version makes of the events what it always made', () =>
  events.expectFolds(bookings, new URL('../src/folds.json', import.meta.url)));

it('the calendar forgets what was cancelled', async () => {
  const tables = await events.project(calendar);
  tables.expectRows('SELECT room, guest FROM bookings', [{ room: 'red', guest: 'ann' }]);
});

async function start(options: EventStoreOptions) {
  const imports = [BookingsModule.with(options)];
  const module = await Test.createTestingModule({ imports }).compile();
  const application = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  application.useLogger(false);
  return application.init();
}

it('the service books a repeated booking once, whatever the power does in between', async () => {
  const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });
  const store = new TestEventStore();
  const first = await start(store.options);
  await first.inject({ ...keyed('a'), method: 'PUT', url: '/rooms/red', payload: { capacity: 2 } });
  const payload = { day: '2026-12-01', guest: 'ann', people: 2 };
  const booking = { ...keyed('b'), method: 'POST', url: '/rooms/red/bookings', payload } as const;
  const answer = await first.inject(booking);
  expect(answer.statusCode).toBe(201);

  const second = await start(store.kill());
  const again = await second.inject(booking);
  expect(again.headers['idempotency-replayed']).toBe('true');
  expect(again.body).toBe(answer.body);
  await second.get(Projections).caughtUp();
  expect((await second.inject('/calendar/2026-12-01')).json()).toHaveLength(1);
  const { items } = (await second.inject('/events')).json<{ items: { type: string }[] }>();
  expect(items.map(({ type }) => type)).toEqual(['RoomAdded', 'RoomBooked']);
  await Promise.all([first.close(), second.close()]);
  store.remove();
});
