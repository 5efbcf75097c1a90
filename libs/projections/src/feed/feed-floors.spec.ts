import type { Position, WalEventLog } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FeedConsumers } from './feed-consumers.js';
import { FeedFloors } from './feed-floors.js';

const logger = { warn: () => undefined };

describe('the floors of a log', () => {
  let set: [name: string, position: number][];
  let log: Pick<WalEventLog, 'wal'>;

  beforeEach(() => {
    jest.useFakeTimers();
    set = [];
    const kept = new Map<string, number>();
    const floors = {
      all: () => new Map(kept),
      set: (name: string, position: number) => {
        set.push([name, position]);
        kept.set(name, position);
      },
    };
    log = { wal: { floors } } as unknown as typeof log;
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are one, whoever keeps them: two that read under one name elsewhere move it once, to where the slower is', () => {
    const elsewhere = new FeedConsumers();
    FeedFloors.of(log).keep({ logger });
    const leave = FeedFloors.of(log).keep({ logger, consumers: elsewhere });
    report(FeedConsumers.of(log), 7);
    report(elsewhere, 3);
    jest.advanceTimersByTime(5_000);
    expect(set).toEqual([['projection:ledger', 3]]);
    leave();
  });

  it('are moved for as long as somebody keeps them', () => {
    const leave = ['a', 'b'].map(() => FeedFloors.of(log).keep({ logger }));
    leave[1]!();
    report(FeedConsumers.of(log), 1);
    jest.advanceTimersByTime(1_000);
    leave[0]!();
    report(FeedConsumers.of(log), 2);
    jest.advanceTimersByTime(5_000);
    expect(set).toEqual([['projection:ledger', 1]]);
  });
});

function report(consumers: FeedConsumers, position: number): void {
  const cursor = { logId: 'log', position: position as Position, timeline: '' };
  consumers.report({
    ...{ consumer: 'ledger', reporter: 'a', ended: false },
    ...{ applied: cursor, durable: cursor },
  });
}
