/** For tests of whatever keeps its read models in PostgreSQL, or follows a feed of its own. */
export { describeWithPostgres, newSchema } from './describe-postgres.js';
export { eventually } from './eventually.js';
export { type FeedServer, freePort, serveFeed } from './feed-server.js';
export { type MemoryEvent, MemoryEventSource } from './memory-event-source.js';
export { PostgresServer, canRunPostgres } from './postgres-server.js';
