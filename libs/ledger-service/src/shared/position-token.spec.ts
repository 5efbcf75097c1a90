import type { Position } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePosition, encodePosition } from './position-token.js';

const LOG_ID = '3f7a52a9c1d24c0d8b6f3a1e5d7c9b20';
const OTHER_LOG_ID = '00000000000000000000000000000001';
const positions = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((number) => number as Position);

describe('position tokens', () => {
  it('are frozen: what a client was given years ago is still understood', () => {
    expect(encodePosition(LOG_ID, 1 as Position)).toBe('AUDt2VoTYfUAAAAAAAE1ajDa');
    expect(encodePosition(LOG_ID, 28_205 as Position)).toBe('AUDt2VoTYfUAAAAAbi38zBoQ');
  });

  it('name every position of their log', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(decodePosition(encodePosition(LOG_ID, position), LOG_ID)).toBe(position);
      }),
    );
  });

  it('sort by their bytes as the positions of a log', () => {
    const bytesOf = (position: Position): Buffer =>
      Buffer.from(encodePosition(LOG_ID, position), 'base64url');
    fc.assert(
      fc.property(positions, positions, (one, other) => {
        expect(bytesOf(one).compare(bytesOf(other))).toBe(Math.sign(one - other));
      }),
    );
  });

  it('are foreign to any other log', () => {
    expect(decodePosition(encodePosition(LOG_ID, 7 as Position), OTHER_LOG_ID)).toBe('foreign');
  });

  it('are malformed when one character differs', () => {
    const token = encodePosition(LOG_ID, 4_711 as Position);
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect([changed, decodePosition(changed, LOG_ID)]).toEqual([changed, 'malformed']);
    }
  });

  it.each(['', '7', 'undefined', `${encodePosition(LOG_ID, 1 as Position)}A`, ' '.repeat(24)])(
    'are malformed when nothing like one: %p',
    (token) => expect(decodePosition(token, LOG_ID)).toBe('malformed'),
  );
});
