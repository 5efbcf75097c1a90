import type { Position, RecordedEvent } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchGatherer } from './batch-gatherer.js';
import type { FeedBatch } from '../event-feed.js';
import { event } from '../testing/read-model.contract.js';

describe('gathering batches for one transaction', () => {
  const batch = (from: number, to: number, head: number): FeedBatch => ({
    events: Array.from({ length: to - from }, (_, index): RecordedEvent =>
      event(from + 1 + index, 's', 1),
    ),
    cursor: { logId: 'log', position: to as Position, timeline: 't' },
    head: head as Position,
  });

  async function* feed(...steps: (FeedBatch | number)[]): AsyncGenerator<FeedBatch> {
    for (const step of steps)
      if (typeof step === 'number') await sleep(step);
      else yield step;
  }

  const sizes = async (gatherer: BatchGatherer) => {
    const all: (number | 'quiet')[] = [];
    for (let next = await gatherer.next(20); next !== undefined; next = await gatherer.next(20))
      all.push(next === 'quiet' ? next : next.events.length);
    return all;
  };

  it('takes each batch as it comes when nearly caught up', async () => {
    const batches = feed(batch(0, 10, 12), batch(10, 12, 14), batch(12, 14, 14));
    expect(await sizes(new BatchGatherer(batches, 10))).toEqual([10, 2, 2]);
  });

  it('makes more of it when behind, and ten times as much when far behind', async () => {
    const steps = Array.from({ length: 40 }, (_, index) => batch(index * 5, index * 5 + 5, 200));
    expect(await sizes(new BatchGatherer(feed(...steps), 10))).toEqual([
      100,
      ...Array.from({ length: 9 }, () => 10),
      5,
      5,
    ]);
  });

  it('does not wait long for more that does not come', async () => {
    const gatherer = new BatchGatherer(feed(batch(0, 5, 1_000), 2_000, batch(5, 10, 1_000)), 10);
    const startedAt = performance.now();
    expect(await gatherer.next(1_000)).toMatchObject({ cursor: { position: 5 } });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(await gatherer.next(1)).toBe('quiet');
    expect(await gatherer.next(10_000)).toMatchObject({ cursor: { position: 10 } });
  });

  it('never joins single commits that were asked for', async () => {
    const batches = feed(batch(0, 1, 500), batch(1, 2, 500));
    expect(await sizes(new BatchGatherer(batches, 1))).toEqual([1, 1]);
  });
});
