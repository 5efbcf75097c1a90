import { type EventStoreOptions, Projections } from '@holdfast/nestjs';
import { TestEventStore, givenEvents } from '@holdfast/nestjs/testing';
import { expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { BookingsModule } from './bookings.module.js';
import { calendar } from './calendar.js';
import { room } from './room.js';

it('the calendar forgets what was cancelled', async () => {
  const booked = { type: 'RoomBooked', data: { day: 'mon', guest: 'ann', people: 1 } } as const;
  const tables = await givenEvents(
    room.on('blue', booked),
    room.on('red', booked),
    room.on('blue', { type: 'BookingCancelled', data: { day: 'mon', guest: 'ann' } }),
  ).project(calendar);
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
  const store = new TestEventStore();
  const first = await start(store.options);
  const headers = { 'idempotency-key': 'a' };
  await first.inject({ method: 'PUT', url: '/rooms/blue', headers, payload: { capacity: 2 } });
  const booking = {
    method: 'POST',
    url: '/rooms/blue/bookings',
    headers: { 'idempotency-key': 'b' },
    payload: { day: '2026-12-01', guest: 'ann', people: 2 },
  } as const;
  const answer = await first.inject(booking);
  expect(answer.statusCode).toBe(201);

  const second = await start(store.kill());
  const again = await second.inject(booking);
  expect(again.headers['idempotency-replayed']).toBe('true');
  expect(again.body).toBe(answer.body);
  await second.get(Projections).caughtUp();
  expect((await second.inject('/calendar/2026-12-01')).json()).toHaveLength(1);
  await first.close();
  await second.close();
  store.remove();
});
