import { length, maxLength, minLength } from './class-validator.js';
import type { Accepts } from './constraint.js';

/**
 * Faster forms of the constraints that cost most: class-validator counts characters by two regular expressions a call, and matches by
 * building the list of matches. Undefined: run the constraint's own function.
 */
export function fastTest(name: string, constraints: readonly unknown[]): Accepts | undefined {
  const [first, second] = constraints;
  if (name === 'matches' && first instanceof RegExp && !first.global && !first.sticky)
    return (value) => typeof value === 'string' && first.test(value);
  if (name === 'maxLength' && typeof first === 'number') return fastMaxLength(first);
  if (name === 'minLength' && typeof first === 'number') return fastMinLength(first);
  if (name === 'isLength' && typeof first === 'number' && typeof second === 'number')
    return fastLength(first, second);
  return undefined;
}

/**
 * The characters that class-validator counts are at most the text's length and at least a third of it: a surrogate pair with a variation
 * selector behind it, three units, is the densest thing that it counts as one. Only texts in between need counting.
 */
const UNITS_A_CHARACTER_MAX = 3;

function fastMaxLength(max: number): Accepts {
  return (value) => typeof value === 'string' && (value.length <= max || maxLength(value, max));
}

function fastMinLength(min: number): Accepts {
  return (value) =>
    typeof value === 'string' &&
    (value.length >= min * UNITS_A_CHARACTER_MAX || minLength(value, min));
}

function fastLength(min: number, max: number): Accepts {
  return (value) =>
    typeof value === 'string' &&
    ((value.length >= min * UNITS_A_CHARACTER_MAX && value.length <= max) ||
      length(value, min, max));
}
