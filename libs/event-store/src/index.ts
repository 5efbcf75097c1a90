export * from './event.js';
export * from './event-log.js';
export * from './state-store.js';
