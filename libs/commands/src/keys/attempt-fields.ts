import { textRule } from './field-rule.js';

/*
 * What a client says of itself and of its attempt. All of it is recorded with the command, so none of these rules ever becomes narrower.
 */

export const ACTOR_CHARACTERS_MAX = 128;
export const KEY_CHARACTERS_MAX = 255;
export const BODY_HASH_CHARACTERS_MAX = 128;

/** No `/`, which ends the actor in a key's tag. */
export const actorRule = textRule(
  /^[!-.0-~]{1,128}$/,
  'must be 1 to 128 visible ASCII characters without "/"',
);
export const keyRule = textRule(/^[!-~]{1,255}$/, 'must be 1 to 255 visible ASCII characters');
export const bodyHashRule = textRule(/^[!-~]{1,128}$/, 'must be 1 to 128 visible ASCII characters');
