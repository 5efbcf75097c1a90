export { type GivenEvents, type ProjectedTables, givenEvents } from './given-events.js';
export { TestEventStore } from './test-event-store.js';
