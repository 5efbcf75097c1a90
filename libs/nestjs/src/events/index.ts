/** The door of this room for a service that has a log, but none of `EventStoreModule`: events over HTTP. */
export {
  type EventsAnswer,
  EventStreams,
  type EventStreamsOptions,
  type Followed,
  type FollowedLog,
} from './event-streams.js';
export { EVENTS_LIMIT_MAX } from './event-request.js';
export { type ShowsEvent, type ShownEvent, eventAsRecorded } from './event-text.js';
export { Follows } from './follows.js';
