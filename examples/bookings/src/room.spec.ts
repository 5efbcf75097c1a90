import { specify } from '@holdfast/commands/testing';
import { it } from '@jest/globals';
import { guestBookings, room } from './room.js';

const added = { type: 'RoomAdded', data: { capacity: 2 } } as const;
const booked = (day: string) =>
  ({ type: 'RoomBooked', data: { day, guest: 'ann', people: 1 } }) as const;

const book = room.command('BookRoom', { room: 'blue', day: 'mon', guest: 'ann', people: 1 });
const blue = specify(room, 'blue', { lookups: [guestBookings] });

it('books a room', () => blue.given(added).when(book).thenEvents(booked('mon')));

it('books a room once a day', () =>
  blue.given(added, booked('mon')).when(book).thenRefused('room-taken', { day: 'mon' }));

it('refuses a room to a guest with two bookings, whatever the rooms', () =>
  blue
    .given(added, room.on('red', booked('tue')), room.on('green', booked('wed')))
    .when(book)
    .thenRefused('too-many-bookings', { max: 2 }));
