import { decider, refuse } from '../deciders/decider.js';
import { lookup } from '../deciders/lookup.js';

/*
 * The example of this room's specs: rooms that guests book by the day, and guests who are told of it.
 */

export type RoomEvent =
  | { type: 'RoomAdded'; data: { capacity: number } }
  | { type: 'RoomBooked'; data: { day: string; guest: string; people: number } }
  | { type: 'BookingCancelled'; data: { day: string; guest: string } };
export type RoomCommand =
  | { type: 'AddRoom'; room: string; capacity: number }
  | { type: 'BookRoom'; room: string; day: string; guest: string; people: number }
  | { type: 'CancelBooking'; room: string; day: string; guest: string };
type Room = { capacity: number; days: Readonly<Record<string, string>> } | null;

type GuestEvent = { type: 'GuestGreeted'; data: { room: string } };
type GuestCommand = { type: 'GreetGuest'; guest: string; room: string };

const BOOKINGS_MAX = 2;

/** How many times a guest was greeted. */
export const guest = decider<number, GuestCommand, GuestEvent>({
  name: 'guest',
  initial: 0,
  idOf: (command) => command.guest,
  decide: { GreetGuest: ({ room: of }) => ({ type: 'GuestGreeted', data: { room: of } }) },
  evolve: { GuestGreeted: (count) => count + 1 },
});

/** How many bookings a guest has, over all rooms. */
export const guestBookings = lookup<number, RoomEvent>({
  name: 'guest-bookings',
  initial: 0,
  on: {
    RoomBooked: ({ data }) => [[data.guest, (count) => count + 1]],
    BookingCancelled: ({ data }) => [[data.guest, (count) => count - 1]],
  },
});

export const room = decider<Room, RoomCommand, RoomEvent>({
  name: 'room',
  initial: null,
  idOf: (command) => command.room,
  keyless: ['AddRoom'],
  decide: {
    AddRoom: ({ capacity }, state) => {
      if (state === null) return { type: 'RoomAdded', data: { capacity } };
      return state.capacity === capacity ? [] : refuse('room-exists');
    },
    BookRoom: ({ day, guest: by, people }, state, { id, read }) => {
      if (state === null) return refuse('room-not-found');
      if (state.days[day] === by) return [];
      if (state.days[day] !== undefined) return refuse('room-taken', { day });
      if (read(guestBookings, by) >= BOOKINGS_MAX)
        return refuse('too-many-bookings', { max: BOOKINGS_MAX });
      const booked = { type: 'RoomBooked', data: { day, guest: by, people } } as const;
      // The first booking of a guest greets him too, in one commit.
      return read(guest, by) > 0
        ? booked
        : [booked, guest.on(by, { type: 'GuestGreeted', data: { room: id } })];
    },
    CancelBooking: ({ day, guest: by }, state) =>
      state?.days[day] === by
        ? { type: 'BookingCancelled', data: { day, guest: by } }
        : refuse('booking-not-found', { day }),
  },
  evolve: {
    RoomAdded: (_, { capacity }) => ({ capacity, days: {} }),
    RoomBooked: (state, { day, guest: by }) =>
      state && { ...state, days: { ...state.days, [day]: by } },
    BookingCancelled: (state, { day }) =>
      state && {
        ...state,
        days: Object.fromEntries(Object.entries(state.days).filter(([on]) => on !== day)),
      },
  },
  // The first version of the event did not say how many people come.
  schemas: { RoomBooked: { version: 2, upcast: { 1: (data) => ({ ...data, people: 1 }) } } },
});
