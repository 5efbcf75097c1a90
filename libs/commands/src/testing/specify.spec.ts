import { AssertionError } from 'node:assert';
import { describe, expect, it } from '@jest/globals';
import { decider, refuse } from '../deciders/decider.js';
import { guest, guestBookings, room } from './rooms.js';
import { specify } from './specify.js';

const blue = specify(room, 'blue', { deciders: [guest], lookups: [guestBookings] });
const added = { type: 'RoomAdded', data: { capacity: 2 } } as const;
const booked = (day: string, by = 'ann') =>
  ({ type: 'RoomBooked', data: { day, guest: by, people: 1 } }) as const;
const greeted = guest.on('ann', { type: 'GuestGreeted', data: { room: 'blue' } });
const book = room.command('BookRoom', { room: 'blue', day: 'mon', guest: 'ann', people: 1 });

describe('given, when, then', () => {
  it('tells the events of the entity, and of others', () => {
    blue.given(added).when(book).thenEvents(booked('mon'), greeted);
    blue.given(added, greeted).when(book).thenEvents(booked('mon'));
  });

  it('tells a refusal, with its parameters where they are asked for', () => {
    const taken = blue.given(added, booked('mon', 'bob')).when(book);
    taken.thenRefused('room-taken');
    taken.thenRefused('room-taken', { day: 'mon' });
  });

  it('reads lookups over all entities', () =>
    blue
      .given(added, room.on('red', booked('tue')), room.on('green', booked('wed')))
      .when(book)
      .thenRefused('too-many-bookings', { max: 2 }));

  it('takes a feature, in which the decider is', () => {
    const feature = { deciders: [guest, room], lookups: [guestBookings], problems: {} };
    specify(room, 'blue', feature).given(added).when(book).thenEvents(booked('mon'), greeted);
  });

  describe('with an event of before', () => {
    type Counted = { type: 'Counted'; data: { people: number } };
    const counter = decider<number, { type: 'Tell' }, Counted>({
      ...{ name: 'counter', initial: 0, idOf: () => 'one' },
      decide: { Tell: (_, people) => refuse('told', { people }) },
      evolve: { Counted: (count, { people }) => count + people },
      schemas: {
        Counted: {
          version: 3,
          upcast: { 1: () => ({ seats: 1 }), 2: ({ seats }) => ({ people: Number(seats) }) },
        },
      },
    });
    const one = specify(counter, 'one');

    it('brings it up to date, step by step', () => {
      one
        .given(
          { type: 'Counted', schemaVersion: 1, data: {} },
          { type: 'Counted', schemaVersion: 2, data: { seats: 10 } },
          { type: 'Counted', data: { people: 100 } },
        )
        .when({ type: 'Tell' })
        .thenRefused('told', { people: 111 });
    });

    it('fails where a step does, and where the program is the older one', () => {
      const at = (schemaVersion: number) => () =>
        one.given({ type: 'Counted', schemaVersion, data: {} });
      expect(at(2)).toThrow(expect.objectContaining({ code: 'EVENT_UPCAST_FAILED' }));
      expect(at(4)).toThrow(expect.objectContaining({ code: 'EVENT_UNKNOWN_SCHEMA' }));
    });
  });

  it('tells that there is nothing to do', () =>
    blue.given(added, booked('mon')).when(book).thenUnchanged());

  it.each([
    ['another event', () => blue.given(added).when(book).thenEvents(booked('tue'), greeted)],
    ['one event less', () => blue.given(added).when(book).thenEvents(booked('mon'))],
    [
      'another stream',
      () =>
        blue
          .given(added, greeted)
          .when(book)
          .thenEvents(room.on('red', booked('mon'))),
    ],
    ['events for a refusal', () => blue.given().when(book).thenEvents(booked('mon'))],
    ['a refusal for events', () => blue.given(added).when(book).thenRefused('room-taken')],
    ['another problem', () => blue.given().when(book).thenRefused('room-taken')],
    [
      'another parameter',
      () =>
        blue
          .given(added, booked('mon', 'bob'))
          .when(book)
          .thenRefused('room-taken', { day: 'tue' }),
    ],
    ['nothing to do', () => blue.given(added).when(book).thenUnchanged()],
    [
      'an id that is none',
      () =>
        blue
          .given(added)
          .when({ ...book, room: '' })
          .thenEvents(),
    ],
  ])('fails at %s', (_, expectation) => {
    expect(expectation).toThrow(AssertionError);
  });
});

describe('a state that is no plain JSON', () => {
  type Added = { type: 'Added'; data: { at: number } };
  type Add = { type: 'Add'; at: number };
  /** As somebody writes it who says `object` to the compiler. */
  const withState = (make: (at: number) => object, mutate = false) =>
    decider<{ of: object }, Add, Added>({
      name: 'thing',
      initial: { of: {} },
      idOf: () => 'one',
      decide: { Add: ({ at }) => ({ type: 'Added', data: { at } }) },
      evolve: {
        Added: (state, { at }) => {
          if (mutate) Object.assign(state.of, { at });
          return mutate ? state : { of: make(at) };
        },
      },
    });
  const added1 = { type: 'Added', data: { at: 1 } } as const;

  it.each([
    ['a Map', (at: number) => new Map([[at, at]])],
    ['a Set', (at: number) => new Set([at])],
    ['a Date', (at: number) => new Date(at)],
    ['an undefined member', () => ({ at: undefined })],
    [
      'a class',
      (at: number) =>
        new (class Thing {
          readonly at = at;
        })(),
    ],
  ])('is refused by the test kit: %s', (_, make) => {
    const thing = specify(withState(make), 'one');
    expect(() => thing.given().when({ type: 'Add', at: 1 })).toThrow('must be plain JSON');
    expect(() => thing.given(added1)).toThrow('must be plain JSON');
  });

  it('is plain, and cannot be mutated', () => {
    specify(
      withState((at) => ({ at })),
      'one',
    )
      .given(added1)
      .when({ type: 'Add', at: 1 })
      .thenEvents(added1);
    const mutating = specify(
      withState(() => ({}), true),
      'one',
    );
    const added2 = { type: 'Added', data: { at: 2 } } as const;
    expect(() => mutating.given(added1, added2)).toThrow(
      'thing cannot fold the Added of thing/one',
    );
  });

  it('does not change the data of its events, nor freeze those of a test', () => {
    type Sorted = { type: 'Sorted'; data: { of: number[]; none?: undefined } };
    const sorting = decider<readonly number[], { type: 'Sort' }, Sorted>({
      ...{ name: 'sorting', initial: [], idOf: () => 'one' },
      decide: { Sort: () => ({ type: 'Sorted', data: { of: [2, 1], none: undefined } }) },
      evolve: { Sorted: (_, { of }) => of.sort() },
    });
    const sorted: Sorted = { type: 'Sorted', data: { of: [2, 1] } };
    const one = specify(sorting, 'one');
    const sentence = 'sorting cannot fold the Sorted of sorting/one';
    expect(() => one.given(sorted)).toThrow(sentence);
    expect(() => one.given().when({ type: 'Sort' })).toThrow(sentence);
    expect(sorted.data.of.sort()).toEqual([1, 2]);
    const kept = {
      ...sorting,
      evolve: { Sorted: (_: unknown, { of }: Sorted['data']) => [...of] },
    };
    // What is undefined is not in the log.
    specify(kept, 'one')
      .given(sorted)
      .when({ type: 'Sort' })
      .thenEvents({ type: 'Sorted', data: { of: [2, 1], none: undefined } });
  });
});
