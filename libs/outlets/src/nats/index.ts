/**
 * Events to NATS JetStream. Needs `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * @module
 */
export { connectionOf } from './connection-of.js';
export { NatsOutlet, type NatsOutletOptions, type PublishedEvent } from './nats-outlet.js';
