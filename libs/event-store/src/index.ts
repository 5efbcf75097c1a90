/**
 * Typed events in atomic commits, streams, tags, conditions on appends, and state that is folded from the events and checkpointed.
 *
 * @module
 */
export { makeDurableDirectory, syncDirectory } from './durable-directory.js';
export {
  type DataPlaces,
  type DirectoryUse,
  assertNoUnfinishedRestore,
  assertUsableDirectory,
  openData,
  unfinishedRestores,
} from './usable-directory.js';
export {
  BEFORE_FIRST_POSITION,
  type JsonObject,
  type JsonValue,
  type NewEvent,
  type Position,
  type RecordedEvent,
  type StreamVersion,
} from './event.js';
export type {
  AppendCondition,
  AppendedCommit,
  Commit,
  Direction,
  EventBatch,
  EventFilter,
  EventQuery,
  EventLog,
  EventSource,
  ExpectedVersion,
  ReadAllOptions,
  ReadStreamOptions,
  ReadTagOptions,
  StreamAppend,
  SubscribeOptions,
  TaggedEvent,
} from './event-log.js';
export { EventLogReader, type EventLogReaderOptions } from './event-log-reader.js';
export { EventView } from './codec/event-view.js';
export { plainCopy } from './codec/json-data.js';
export { InMemoryStateStore } from './state/store/in-memory-state-store.js';
export type { StateSection, StateStore } from './state-store.js';
export { type EventSchema, type Upcast, Upcasters } from './codec/upcaster.js';
export { EVENT_STORE_ERROR_GUIDE } from './error-guide.js';
export { EventStoreError, type EventStoreErrorCode } from './event-store.errors.js';
export type { Evolve } from './fold/folded-state.js';
export {
  type ClockBounds,
  type ClockFault,
  type ClockStatus,
  timeText,
} from './append/log-clock.js';
export type { ReplayProgress, ReplayReport } from './fold/replay.js';
export {
  type ReplayedState,
  type StateDigestOptions,
  type StateVerification,
  readThroughState,
  stateDigestAt,
  verifyState,
} from './state-proof.js';
export type { SnapshotOptions } from './state/snapshot/shared-snapshot.js';
export type { SnapshotProofOptions } from './state/thread/snapshot-proof.js';
export type { SnapshotProgress } from './state/snapshot/snapshot-work.js';
export type { StateMark } from './state/model/state-mark.js';
export type {
  CheckpointReport,
  CheckpointStep,
  CheckpointedStateOptions,
  DamagedSnapshot,
  SnapshotEntry,
  SnapshotReport,
  StateEvent,
  StateStatus,
  StatesTakenOver,
} from './state/model/state-options.js';
export { type LogBelow, WalEventLog, type WalEventLogOptions } from './wal-event-log.js';
export {
  type RetentionBound,
  type RetentionFacts,
  type RetentionLimit,
  type RetentionOptions,
  type RetentionPolicy,
  type TimedEvents,
  firstPositionSince,
  retentionBound,
} from './retention.js';
