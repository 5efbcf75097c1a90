/**
 * For code that reads answers and decides nothing: how keys are spelled, and position tokens. Loads neither log nor state.
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
} from '../keys/attempt-fields.js';
export { type CommandKey, keyTag } from '../keys/command-key.js';
export { type FieldRule, type TextRule, textRule } from '../keys/field-rule.js';
export { keySpelledAs, keySpellings, spelledKeyRule } from '../keys/idempotency-key.js';
export { KEY_RETENTION_MILLIS_DEFAULT } from '../keys/key-retention.js';
export {
  type Place,
  type PlacedLog,
  decodePosition,
  encodePosition,
  placeIn,
} from '../keys/position-token.js';
