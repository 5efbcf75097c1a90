import { describe, expect, it } from '@jest/globals';
import type { Position, RecordedEvent } from '../event.js';
import { type PendingCommit, PendingCommits } from './pending-commits.js';

describe('pending commits', () => {
  /** Commits at positions 11–12, 13 and 14–16. */
  function three(): [PendingCommits, PendingCommit[]] {
    const pending = new PendingCommits();
    const commits = [aCommit(11, 12), aCommit(13, 13), aCommit(14, 16)];
    for (const commit of commits) pending.add(commit);
    return [pending, commits];
  }

  it('are found by any position that they hold, and by no other', () => {
    const [pending, [first, second, third]] = three();
    const found = [10, 11, 12, 13, 14, 15, 16, 17].map((at) => pending.holding(at as Position));
    expect(found).toEqual([undefined, first, first, second, third, third, third, undefined]);
    expect([pending.eventCount, pending.newest]).toEqual([6, third]);
  });

  it.each([
    [10, 6],
    [11, 6],
    [12, 4],
    [13, 3],
    [15, 3],
    [16, 0],
    [99, 0],
  ])('released up to %p, hold %p events', (durable, eventCount) => {
    const [pending] = three();
    pending.release(durable as Position);
    expect(pending.eventCount).toBe(eventCount);
    expect(pending.holding(16 as Position) === undefined).toBe(eventCount === 0);
    const next = aCommit(17, 17);
    pending.add(next);
    expect(pending.holding(17 as Position)).toBe(next);
  });
});

function aCommit(first: number, last: number): PendingCommit {
  return {
    first: first as Position,
    last: last as Position,
    events: Array.from({ length: last - first + 1 }, (_, index) => anEvent(first + index)),
    durable: Promise.resolve(),
  };
}

function anEvent(position: number): RecordedEvent {
  return { position: position as Position } as RecordedEvent;
}
