import { expect, it } from '@jest/globals';
import {
  ACTOR_CHARACTERS_MAX,
  BODY_HASH_CHARACTERS_MAX,
  KEY_CHARACTERS_MAX,
  actorRule,
  bodyHashRule,
  keyRule,
} from './attempt-fields.js';

const actor = 'a'.repeat(ACTOR_CHARACTERS_MAX);
const key = '~'.repeat(KEY_CHARACTERS_MAX);
const bodyHash = 'h'.repeat(BODY_HASH_CHARACTERS_MAX);

it.each([
  ['actor', actorRule, ['a', 'auth0|7', actor], ['', 'a/b', 'a b', 'é', `${actor}a`, 7]],
  ['key', keyRule, ['k', 'a/b', key], ['', 'a b', 'é', 'a\n', `${key}~`, null]],
  ['body hash', bodyHashRule, ['h', bodyHash], ['', 'a b', `${bodyHash}h`, undefined]],
])('the rule for %s is what it says', (_, rule, accepted, refused) => {
  expect(accepted.filter((value) => !rule.accepts(value))).toEqual([]);
  expect(refused.filter((value) => rule.accepts(value))).toEqual([]);
});
