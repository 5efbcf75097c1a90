import { decider, lookup, refusing } from '@holdfast/commands';

export type RoomCommand =
  | { type: 'AddRoom'; room: string; capacity: number }
  | { type: 'BookRoom'; room: string; day: string; guest: string; people: number }
  | { type: 'CancelBooking'; room: string; day: string; guest: string };

export type RoomEvent =
  | { type: 'RoomAdded'; data: { capacity: number } }
  | { type: 'RoomBooked'; data: { day: string; guest: string; people: number } }
  | { type: 'BookingCancelled'; data: { day: string; guest: string } };

/** How many bookings a guest has, over all rooms. */
export const guestBookings = lookup<number, RoomEvent>({
  name: 'guest-bookings',
  initial: 0,
  on: {
    RoomBooked: ({ data }) => [[data.guest, (count) => count + 1]],
    BookingCancelled: ({ data }) => [[data.guest, (count) => count - 1]],
  },
});

export const problems = {
  'booking-not-found': { status: 404, title: 'There is no such booking' },
  'room-exists': { status: 409, title: 'There is such a room already' },
  'room-not-found': { status: 404, title: 'There is no such room' },
  'room-taken': { status: 409, title: 'The room is taken on that day' },
  'room-too-small': { status: 422, title: 'The room is too small' },
  'too-many-bookings': { status: 422, title: 'The guest has enough bookings' },
};
const refuse = refusing(problems);

type Room = { capacity: number; guests: Readonly<Record<string, string>> };
const BOOKINGS_MAX = 2;

export const room = decider<Room | null, RoomCommand, RoomEvent>({
  name: 'room',
  initial: null,
  idOf: (command) => command.room,
  decide: {
    AddRoom: ({ capacity }, state) =>
      state ? refuse('room-exists') : { type: 'RoomAdded', data: { capacity } },
    BookRoom: ({ day, guest, people }, state, { read }) => {
      if (!state) return refuse('room-not-found');
      if (state.guests[day]) return refuse('room-taken', { day });
      if (people > state.capacity) return refuse('room-too-small', { capacity: state.capacity });
      if (read(guestBookings, guest) >= BOOKINGS_MAX)
        return refuse('too-many-bookings', { max: BOOKINGS_MAX });
      return { type: 'RoomBooked', data: { day, guest, people } };
    },
    CancelBooking: ({ day, guest }, state) =>
      state?.guests[day] === guest
        ? { type: 'BookingCancelled', data: { day, guest } }
        : refuse('booking-not-found', { day }),
  },
  evolve: {
    RoomAdded: (_, { capacity }) => ({ capacity, guests: {} }),
    RoomBooked: (state, { day, guest }) =>
      state && { ...state, guests: { ...state.guests, [day]: guest } },
    BookingCancelled: (state, { day }) => {
      const guests = Object.entries(state?.guests ?? {}).filter(([booked]) => booked !== day);
      return state && { ...state, guests: Object.fromEntries(guests) };
    },
  },
  // The first version of the event did not say how many people come.
  schemas: { RoomBooked: { version: 2, upcast: { 1: (data) => ({ ...data, people: 1 }) } } },
});
