import { combined, decider, openCommandWriter, refuse } from '@holdfast/commands';
import { specify } from '@holdfast/commands/testing';

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

// A test needs no log.
const book = room.command('BookRoom', { room: 'blue', day: 'monday' });
const booked = { type: 'RoomBooked', data: { day: 'monday' } } as const;
specify(room, 'blue').given().when(book).thenEvents(booked);
specify(room, 'blue').given(booked).when(book).thenRefused('room-taken');

// A service opens the log, and executes commands under idempotency keys.
const model = combined({ deciders: [room] });
const writer = await openCommandWriter('log', model, { wal: { create: true } });
const attempt = (key: string) => ({ actor: 'ann', idempotency: { key, bodyHash: 'of-the-body' } });
for (const key of ['first', 'first', 'second']) {
  const answered = await writer.execute(book, attempt(key)); // durable from here on
  console.log(key, JSON.stringify(answered));
}
await writer.close();
