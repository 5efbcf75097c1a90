import type { Position } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePosition, encodePosition, placeIn } from './position-token.js';

const LOG_ID = '3f7a52a9c1d24c0d8b6f3a1e5d7c9b20';
const OTHER_LOG_ID = '00000000000000000000000000000001';
const TIMELINE = '5e0a1b2c3d4e5f60';
const positions = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((number) => number as Position);

const tokenOf = (position: number, timeline = TIMELINE): string =>
  encodePosition({ logId: LOG_ID, position: position as Position, timeline });

describe('position tokens', () => {
  it('are frozen: what a client was given years ago is still understood', () => {
    expect(tokenOf(1)).toBe('AkDt2VoTYfW4AAAAAAABXgobLD1OX2DbQfz-');
    expect(tokenOf(28_205)).toBe('AkDt2VoTYfW4AAAAAG4tXgobLD1OX2BwqrmK');
  });

  it('name every position of their log', () => {
    fc.assert(
      fc.property(positions, (position) => {
        for (const timeline of [TIMELINE, ''])
          expect(decodePosition(tokenOf(position, timeline), LOG_ID)).toEqual({
            logId: LOG_ID,
            position,
            timeline,
          });
      }),
    );
  });

  it('name the history of an answer that is given before it is durable, and none that nobody knows', () => {
    const log = {
      logId: LOG_ID,
      durablePosition: 8 as Position,
      newestTimeline: TIMELINE,
      timelineAt: (position: Position) => (position < 4 ? undefined : '0'.repeat(15) + '1'),
    };
    expect([9, 8, 3].map((position) => placeIn(log, position as Position).timeline)).toEqual([
      TIMELINE,
      '0000000000000001',
      '',
    ]);
  });

  it('sort by their bytes as the positions of a log', () => {
    const bytesOf = (position: Position): Buffer => Buffer.from(tokenOf(position), 'base64url');
    fc.assert(
      fc.property(positions, positions, (one, other) => {
        expect(bytesOf(one).compare(bytesOf(other))).toBe(Math.sign(one - other));
      }),
    );
  });

  it('are foreign to any other log', () => {
    expect(decodePosition(tokenOf(7), OTHER_LOG_ID)).toBe('foreign');
  });

  it('are malformed when one character differs', () => {
    const token = tokenOf(4_711);
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect([changed, decodePosition(changed, LOG_ID)]).toEqual([changed, 'malformed']);
    }
  });

  it.each(['', '7', 'undefined', `${tokenOf(1)}A`, ' '.repeat(36)])(
    'are malformed when nothing like one: %p',
    (token) => expect(decodePosition(token, LOG_ID)).toBe('malformed'),
  );
});
