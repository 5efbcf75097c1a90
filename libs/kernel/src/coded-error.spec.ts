import { getSystemErrorName } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { CodedError, errorCode, errorMessage, isUnreadable } from './coded-error.js';

describe('coded errors', () => {
  it('carries its code, details and cause', () => {
    const cause = new Error('disk');
    const error = new CodedError('WAL_FULL', 'the disk is full', { bytes: 3 }, { cause });
    expect([error.code, error.details['bytes'], error.cause]).toEqual(['WAL_FULL', 3, cause]);
  });

  it.each([
    [new CodedError('A', 'b'), 'A', 'b'],
    [Object.assign(new Error('no space'), { code: 'ENOSPC' }), 'ENOSPC', 'no space'],
    [{ code: 7 }, undefined, '[object Object]'],
    [null, undefined, 'null'],
    ['text', undefined, 'text'],
  ])('reads the code and message of anything thrown: %p', (thrown, code, message) => {
    expect([errorCode(thrown), errorMessage(thrown)]).toEqual([code, message]);
  });
});

describe('what a disk says of a place that it has lost', () => {
  it.each([
    ['EIO', -5, true],
    ['EBADMSG', -74, true],
    ['EUCLEAN', -117, true],
    ['EMFILE', -24, false],
    ['ESTALE', -116, false],
  ])('is known by the code that Node gives for %s: %p', (_, errno, expected) => {
    const code = getSystemErrorName(errno);
    expect(isUnreadable(Object.assign(new Error(code), { errno, code }))).toBe(expected);
    expect(isUnreadable(Object.assign(new Error(code), { code }))).toBe(expected);
  });
});
