import { feature } from '@holdfast/nestjs/feature';
import { calendar } from './calendar.js';
import { guestBookings, problems, room } from './room.js';

export default feature({
  url: import.meta.url,
  deciders: [room],
  lookups: [guestBookings],
  projections: [calendar],
  problems,
});
