import { describe, expect, it } from '@jest/globals';
import { CodedError, errorCode, errorMessage } from './coded-error.js';

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
