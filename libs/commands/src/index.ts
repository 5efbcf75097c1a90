export {
  ACTOR_CHARACTERS_MAX,
  BODY_HASH_CHARACTERS_MAX,
  KEY_CHARACTERS_MAX,
  actorRule,
  bodyHashRule,
  keyRule,
} from './attempt-fields.js';
export type { CommandContext, Idempotency } from './command-context.js';
export { type FieldRule, type TextRule, textRule } from './field-rule.js';
export { keySpelledAs, keySpellings, spelledKeyRule } from './idempotency-key.js';
export { KEY_RETENTION_MILLIS_DEFAULT } from './key-retention.js';
export {
  type Place,
  type PlacedLog,
  decodePosition,
  encodePosition,
  placeIn,
} from './position-token.js';
export { newUuidV7 } from './uuid-v7.js';
