import { describe, expect, it } from '@jest/globals';
import {
  afterPowerCut,
  batchAfter,
  type FaultEffect,
  type FaultyOperation,
  openSimulated,
  SimulatedFileSystem,
  textsOf,
} from './testing/index.js';
import type { Wal } from './wal.js';

/** Of the first segment of an open, which its open file knows by its temporary name. */
const SEGMENT = /next-1-1\./;
const coded = (code: string): unknown => expect.objectContaining({ code });

const syncs = (system: SimulatedFileSystem): number =>
  system.disk.operations.filter(({ kind }) => kind === 'sync').length;

const failures: [string, FaultyOperation, FaultEffect][] = [
  ['failed write', 'write', { kind: 'error', code: 'EIO' }],
  ['failed sync', 'data-sync', { kind: 'failed-sync', code: 'EIO' }],
];

describe.each(['synchronous', 'asynchronous'] as const)('a %s log', (ioMode) => {
  it.each(failures)(
    'is poisoned by a %s: everything in flight has an unknown outcome, and nothing is synced again',
    async (_, operation, effect) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system, { ioMode, queuedBytesMax: 32 * 1024 });
      await wal.append(batchAfter(0, 1)).durable;
      // The first is written and fails, the second waits behind it.
      system.faults.plan({ operation, path: SEGMENT, times: 1, effect });
      const outcomes = [
        wal.append(batchAfter(1, 1, 9_000)).durable,
        wal.append(batchAfter(2, 1, 9_000)).durable,
        wal.flush(),
        wal.waitBeyond(wal.durableSequence),
      ];
      for (const outcome of await Promise.allSettled(outcomes))
        expect(outcome).toEqual({ status: 'rejected', reason: coded('WAL_POISONED') });
      await expect(wal.failed).resolves.toMatchObject({
        code: 'WAL_POISONED',
        details: { firstUnknown: 2, lastUnknown: 3 },
        cause: { code: 'EIO' },
      });
      const before = syncs(system);
      expect(() => wal.append(batchAfter(3, 1))).toThrow(coded('WAL_POISONED'));
      await expect(wal.flush()).rejects.toMatchObject({ code: 'WAL_POISONED' });
      expect(wal.durableSequence).toBe(1);
      expect(await textsOf(wal)).toHaveLength(1);
      await wal.close();
      expect(syncs(system)).toBe(before);
    },
  );

  it('closes no file while the thread pool still uses it', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system, {
      ioMode,
      // Reaches into the second piece of zeros while a frame is in flight.
      frameBytesMax: 1024 * 1024,
      // Large enough that no next segment is prepared, which would delay the closing.
      segmentBytes: 64 * 1024 * 1024,
      queuedBytesMax: 4 * 1024 * 1024,
    });
    const inFlight = wal.append([Buffer.alloc(600_000)]).durable.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    system.faults.plan({
      operation: 'data-sync',
      path: SEGMENT,
      times: 1,
      effect: { kind: 'failed-sync', code: 'EIO' },
    });
    if (ioMode === 'asynchronous')
      expect(() => wal.append([Buffer.alloc(500_000)])).toThrow(coded('WAL_POISONED'));
    await wal.close();
    await inFlight;
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([system.misuses, system.openFileCount]).toEqual([[], 0]);
  });
});

describe('after a failed sync', () => {
  it.each(['sync', 'interval', 'none'] as const)(
    'a %s log that is opened on the page cache keeps what it then shows, also through a power cut',
    async (durability) => {
      const dying = SimulatedFileSystem.on();
      const first = await openSimulated(dying, { durability });
      await first.append(batchAfter(0, 1), { durability: 'sync' }).durable;
      dying.faults.plan({
        operation: 'data-sync',
        path: SEGMENT,
        effect: { kind: 'failed-sync', code: 'EIO' },
      });
      const late = [first.append(batchAfter(1, 1)).durable, first.flush()];
      await Promise.allSettled(late);
      expect(first.poison).toMatchObject({ code: 'WAL_POISONED' });
      dying.kill();
      await first.close();
      const second = await openSimulated(dying.sibling());
      const shown = await textsOf(second);
      expect(shown).toHaveLength(2);
      const cut = SimulatedFileSystem.on(afterPowerCut(dying.disk));
      await second.close();
      const third = await openSimulated(cut);
      expect(await textsOf(third)).toEqual(shown);
      await third.close();
    },
  );

  it('of a rotation the log is poisoned, and the next open goes on', async () => {
    for (const operation of ['data-sync', 'publish', 'sync-directory'] as const) {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      let last = 0;
      const append = async (): Promise<void> => {
        await wal.append(batchAfter(last, 1, 3_000)).durable;
        last++;
      };
      while (wal.stats().logBytes < 29_000) await append();
      system.faults.plan({ operation, times: 1, effect: { kind: 'error', code: 'EIO' } });
      await expect(append()).rejects.toMatchObject({ code: 'WAL_POISONED' });
      await wal.close();
      const next = await openSimulated(system);
      expect(await textsOf(next)).toHaveLength(last);
      await next.append(batchAfter(last, 1)).durable;
      await next.close();
      expect(system.openFileCount).toBe(0);
    }
  });
});

describe('a lesser failure', () => {
  it('of WATERMARK is counted, and hurts nobody', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    system.faults.plan({
      operation: 'write',
      path: /WATERMARK$/,
      times: 2,
      effect: { kind: 'error', code: 'EIO' },
    });
    for (const at of [0, 1, 2]) await wal.append(batchAfter(at, 1)).durable;
    expect([wal.durableSequence, wal.stats().watermarkFailures]).toEqual([3, 2]);
    await wal.close();
  });

  it('of whoever listens to commits is counted, and the frame is durable', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system, {
      onCommit: () => {
        throw new Error('a metric is broken');
      },
    });
    for (const at of [0, 1]) await wal.append(batchAfter(at, 1)).durable;
    expect([wal.durableSequence, wal.poison, wal.stats().onCommitFailures]).toEqual([
      2,
      undefined,
      2,
    ]);
    await wal.close();
  });

  it('of the lock that is asked for again after a takeover ends nobody', async () => {
    const system = SimulatedFileSystem.on();
    const stopped = await openSimulated(system);
    const other = system.sibling();
    const wal = await openSimulated(other, { takeover: true }, 2);
    other.tryLock = () => {
      throw Object.assign(new Error('ENOLCK'), { code: 'ENOLCK' });
    };
    await wal.append(batchAfter(0, 1)).durable;
    expect([wal.durableSequence, wal.poison]).toEqual([1, undefined]);
    await wal.close();
    system.kill();
    await stopped.close();
  });

  it('of the background leaves a segment without a footer, which the next open writes', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    system.faults.plan({ operation: 'sha256', effect: { kind: 'error', code: 'EIO' } });
    await rotate(wal);
    await wal.close();
    system.faults.clear();
    const next = await openSimulated(system);
    expect((await next.verify()).problems).toEqual([]);
    await next.close();
  });

  it('a short write goes on where it stopped', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    system.faults.plan({
      operation: 'write',
      path: SEGMENT,
      times: 3,
      effect: { kind: 'short-write', bytes: 5 },
    });
    await wal.append(batchAfter(0, 2)).durable;
    expect(await textsOf(wal)).toHaveLength(2);
    await wal.close();
  });
});

async function rotate(wal: Wal): Promise<void> {
  while (wal.stats().rotations === 0)
    await wal.append(batchAfter(wal.lastSequence, 1, 3_000)).durable;
}
