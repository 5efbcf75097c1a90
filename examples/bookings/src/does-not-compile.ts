import { decider, refusing } from '@holdfast/commands';
import { Executes } from '@holdfast/nestjs';
import { problems, room } from './room.js';

// Each of these is a mistake that the compiler finds.

// @ts-expect-error -- there is no such event
room.on('blue', { type: 'RoomPainted', data: { colour: 'red' } });

// @ts-expect-error -- the command lacks its day
room.command('BookRoom', { room: 'blue', guest: 'ann', people: 1 });

// @ts-expect-error -- there is no such problem
refusing(problems)('room-takn', { day: 'monday' });

type Light = { type: 'Lit'; data: { at: number } };
const idOf = () => 'hall';
const decide = { Light: (): Light => ({ type: 'Lit', data: { at: 1 } }) };

// @ts-expect-error -- nothing says what the event does to the state
decider<number, { type: 'Light' }, Light>({ name: 'light', initial: 0, idOf, decide, evolve: {} });

// @ts-expect-error -- a Map would be {} after the first checkpoint
decider<Map<string, number>, { type: 'Light' }, Light>({
  ...{ name: 'light', initial: new Map<string, number>(), idOf, decide },
  evolve: { Lit: (state) => state },
});

type Timed = { type: 'Timed'; data: { at: Date } };
const timed = (at: Date) => ({ Light: (): Timed => ({ type: 'Timed', data: { at } }) });

decider<number, { type: 'Light' }, Timed>({
  ...{ name: 'light', initial: 0, idOf, decide: timed(new Date()) },
  // @ts-expect-error -- a Date in an event would be a text when it is read
  evolve: { Timed: (state) => state + 1 },
});

export class Lamp {
  // @ts-expect-error -- the handler returns no command of the room
  @Executes(room)
  light() {
    return { type: 'Light' };
  }
}
