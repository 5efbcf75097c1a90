/**
 * Durable, idempotent, recorded commands for a service of any domain: deciders, lookups, models, and the writer that runs them.
 *
 * @module
 */
export {
  ACTOR_CHARACTERS_MAX,
  BODY_HASH_CHARACTERS_MAX,
  KEY_CHARACTERS_MAX,
  actorRule,
  bodyHashRule,
  keyRule,
} from './keys/attempt-fields.js';
export { type CombinedParts, combined } from './deciders/combined.js';
export {
  type AnyDecider,
  type Answerables,
  type Asking,
  type Decider,
  type DeciderDefinition,
  type Elsewhere,
  type EventVersions,
  type Keyed,
  type Outcome,
  type Read,
  decider,
  refuse,
  refusing,
} from './deciders/decider.js';
export {
  type EntityEvent,
  type Lookup,
  type LookupDefinition,
  type LookupEntry,
  lookup,
} from './deciders/lookup.js';
export type { Plain } from './deciders/plain.js';
export type { CommandContext, Idempotency } from './model/command-context.js';
export { CommandDecisions } from './writer/command-decisions.js';
export {
  type CommandLog,
  type CommandLogOptions,
  type CommitListener,
  openCommandLog,
} from './writer/command-log.js';
export type {
  Acceptance,
  AdmittedLog,
  AnyCommand,
  Answerable,
  Append,
  CommandModel,
  Fact,
  Malformed,
  RecordedRejection,
  Refusal,
  Rejection,
  Unchanged,
  Verdict,
} from './model/command-model.js';
export type {
  Answered,
  Attempt,
  CommandOutcome,
  FoundCommand,
  InFlight,
  PendingOutcome,
  RefusedUnrecorded,
  Rehearsed,
} from './model/command-outcome.js';
export {
  CommandWriter,
  type CommandWriterOptions,
  openCommandWriter,
} from './writer/command-writer.js';
export type {
  Accepted,
  Decision,
  FoundUnchanged,
  Refused,
  Removed,
  Replayed,
} from './model/decision.js';
export type { DecisionLabel } from './writer/decision-counts.js';
export type { CommandEventMetadata } from './writer/event-metadata.js';
export { type FieldRule, type TextRule, textRule } from './keys/field-rule.js';
export { keySpelledAs, keySpellings, spelledKeyRule } from './keys/idempotency-key.js';
export { KEY_RETENTION_MILLIS_DEFAULT } from './keys/key-retention.js';
export {
  type Place,
  type PlacedLog,
  decodePosition,
  encodePosition,
  placeIn,
} from './keys/position-token.js';
export { type CommandKey, keyTag } from './keys/command-key.js';
export { type Recognition, outcomeOf } from './writer/recognition.js';
export { COMMANDS_ERROR_GUIDE } from './writer/error-guide.js';
export { newUuidV7 } from './writer/uuid-v7.js';
