import { describe, expect, it } from '@jest/globals';
import type { Position } from '../../event.js';
import { isOfLog, type LogOfPlaces } from './state-source.js';

const logOf = (timelines: Record<number, string>, firstPosition = 1): LogOfPlaces => ({
  logId: 'log',
  firstPosition: firstPosition as Position,
  durablePosition: 30 as Position,
  timelineAt: (position) => (position === 0 ? '' : timelines[position]),
});
const place = (position: number, timeline: string) => ({ logId: 'log', position, timeline });

describe('a state right before the first event of a log', () => {
  it('is gone on with only where the log remembers that its last event was of the same history', () => {
    const log = logOf({ 20: 'own' }, 21);
    expect(isOfLog(place(20, 'own'), log)).toBe(true);
    expect(isOfLog(place(20, 'taken back'), log)).toBe(false);
    expect(isOfLog(place(20, 'own'), logOf({}, 21))).toBe(false);
  });

  it('is that of the empty log for one that begins at its first', () => {
    expect(isOfLog(place(0, ''), logOf({ 1: 'own' }))).toBe(true);
    expect(isOfLog(place(0, ''), logOf({ 21: 'own' }, 21))).toBe(false);
  });
});
