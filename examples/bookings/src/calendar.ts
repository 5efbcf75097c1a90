import { projection } from '@holdfast/nestjs/feature';
import type { RoomEvent } from './room.js';

export const calendar = projection<RoomEvent>({
  name: 'calendar',
  version: 1,
  tables: [
    `CREATE TABLE bookings (
      day TEXT NOT NULL, room TEXT NOT NULL, guest TEXT NOT NULL, people INTEGER NOT NULL,
      PRIMARY KEY (day, room)
    ) STRICT, WITHOUT ROWID`,
  ],
  on: {
    RoomBooked: ({ id, data: { day, guest, people } }, tables) =>
      tables.prepare('INSERT INTO bookings VALUES (?, ?, ?, ?)').run(day, id, guest, people),
    BookingCancelled: ({ id, data: { day } }, tables) =>
      tables.prepare('DELETE FROM bookings WHERE day = ? AND room = ?').run(day, id),
  },
});
