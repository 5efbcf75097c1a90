import { decider, refuse } from '@holdfast/commands';
import { EventStoreModule, Executes, ProjectionsModule, type Query, Reads } from '@holdfast/nestjs';
import { feature, projection } from '@holdfast/nestjs/feature';
import { Controller, Get, Logger, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

type BookRoom = { type: 'BookRoom'; room: string; day: string };
type RoomBooked = { type: 'RoomBooked'; data: { day: string } };

const room = decider<readonly string[], BookRoom, RoomBooked>({
  name: 'room',
  initial: [],
  idOf: (command) => command.room,
  decide: {
    BookRoom: ({ day }, days) =>
      days.includes(day) ? refuse('room-taken', { day }) : { type: 'RoomBooked', data: { day } },
  },
  evolve: { RoomBooked: (days, { day }) => [...days, day] },
});

const calendar = projection<RoomBooked>({
  name: 'calendar',
  version: 1,
  tables: ['CREATE TABLE bookings (day TEXT, room TEXT, PRIMARY KEY (day, room)) STRICT'],
  on: {
    RoomBooked: ({ id, data: { day } }, tables) =>
      tables.prepare('INSERT INTO bookings VALUES (?, ?)').run(day, id),
  },
});

@Controller()
class RoomsController {
  @Post('rooms/:room/:day')
  @Executes(room) // what else the handler returns does not compile
  book(@Param() { room: id, day }: { room: string; day: string }) {
    return room.command('BookRoom', { room: id, day });
  }

  @Get('calendar/:day')
  @Reads(calendar)
  day(@Param('day') day: string): Query {
    return (tables) =>
      tables.prepare<[string], object>('SELECT room FROM bookings WHERE day = ?').all(day);
  }
}

@Module({
  imports: [
    EventStoreModule.forRoot({ directory: 'data' }),
    EventStoreModule.forFeature(feature({ deciders: [room], projections: [calendar] })),
    ProjectionsModule.forRoot(),
  ],
  controllers: [RoomsController],
})
class AppModule {}

Logger.overrideLogger(false);
const app = await NestFactory.create(AppModule, new FastifyAdapter());
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();

let position = '';
for (const key of ['first', 'first', 'second']) {
  const headers = { 'Idempotency-Key': key };
  const answer = await fetch(`${url}/rooms/blue/monday`, { method: 'POST', headers });
  position = answer.headers.get('Holdfast-Position') ?? ''; // durable from here on
  const replayed = answer.headers.get('Idempotency-Replayed') ?? 'false';
  console.log(key, answer.status, `replayed: ${replayed}`, await answer.text());
}
const read = await fetch(`${url}/calendar/monday?minPosition=${position}`);
console.log('calendar', read.status, await read.text());
await app.close();
