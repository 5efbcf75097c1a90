export { type Engine, type EngineOptions, describeEventLog } from './event-log.contract.js';
export { type SourceUnderTest, describeEventSource } from './event-source.contract.js';
export {
  allBatches,
  allEvents,
  collected,
  oneAppend,
  sampleEvent,
  sampleEvents,
} from './sample-events.js';
export { describeStateStore } from './state-store.contract.js';
