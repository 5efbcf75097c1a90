import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';

/** `expect(actual).toEqual(expected)`, which takes 30 µs and is said a million times, so only when it will not hold. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}
