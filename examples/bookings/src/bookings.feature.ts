import { feature } from '@holdfast/nestjs/feature';
import { calendar } from './calendar.js';
import { guestBookings, room } from './room.js';

export default feature({
  url: import.meta.url,
  deciders: [room],
  lookups: [guestBookings],
  projections: [calendar],
  problems: {
    'room-not-found': { status: 404, title: 'There is no such room' },
    'room-taken': { status: 409, title: 'The room is taken on that day' },
  },
});
