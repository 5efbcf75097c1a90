import { hostname } from 'node:os';
import { systemClock } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import {
  batchAfter,
  DiskReplay,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  simulatedOptions,
  textsOf,
} from '../testing/index.js';
import { Wal } from '../wal.js';
import { assembleParts } from '../wal-opening.js';
import { WriterLock } from './writer-lock.js';

const directoryOnly = { files: new Map(), directories: new Set(['/data', LOG]) };

const acquire = (system: SimulatedFileSystem, takeover = false): WriterLock =>
  WriterLock.acquire(system, LOG, { takeover, clock: systemClock });

describe('the lock of the writer', () => {
  it('tells the second opener who holds the log and since when, and changes nothing', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const before = system.disk.image();
    await expect(openSimulated(system.sibling())).rejects.toMatchObject({
      code: 'WAL_LOCKED',
      details: {
        file: `${LOG}/LOCK`,
        pid: String(process.pid),
        host: hostname(),
        since: expect.stringMatching(/^2025-01-01T/),
      },
    });
    expect(system.disk.image()).toEqual(before);
    await wal.close();
  });

  it('is free when its holder closes or dies', () => {
    const system = SimulatedFileSystem.on(directoryOnly);
    acquire(system).release();
    const second = system.sibling();
    expect(acquire(second).epoch).toBe(2);
    second.kill();
    expect(acquire(system).epoch).toBe(3);
  });

  it('leaves one claim, the highest', () => {
    const system = SimulatedFileSystem.on(directoryOnly);
    const first = acquire(system);
    const second = acquire(system.sibling(), true);
    expect(system.list(LOG).filter((name) => name.startsWith('claim'))).toEqual(['claim-2']);
    expect([first.isHeld(), second.isHeld()]).toEqual([false, true]);
    expect(() => first.assertHeld()).toThrow(expect.objectContaining({ code: 'WAL_FENCED' }));
  });

  it('never gives an epoch again that a writer has held, whatever a power cut leaves of its claim', () => {
    const first = SimulatedFileSystem.on(directoryOnly);
    acquire(first).release();
    const second = SimulatedFileSystem.on(first.disk.image());
    acquire(second).release();
    const replay = new DiskReplay(second.disk);
    for (const operation of second.disk.operations) {
      replay.apply(operation);
      const pending = replay.pendingEntries;
      for (const kept of [[], ...pending.map((entry) => [entry]), pending]) {
        const after = SimulatedFileSystem.on(replay.image([], kept));
        expect(acquire(after).epoch).toBeGreaterThan(1);
      }
    }
  });

  it('gives no epoch again where the claim is gone, and durable floors count', async () => {
    let system = SimulatedFileSystem.on();
    const close = async (opening: number): Promise<void> => {
      const wal = await openSimulated(system, {}, opening);
      await wal.append(batchAfter(wal.lastSequence, 1)).durable;
      wal.floors.set('projection', wal.durableSequence);
      await wal.close();
    };
    await close(1);
    await close(2);
    for (const gone of [/claim-/, /claim-|FLOORS/, /claim-|FLOORS|WATERMARK/]) {
      const image = system.disk.image();
      const files = new Map([...image.files].filter(([path]) => !gone.test(path)));
      system = SimulatedFileSystem.on({ ...image, files });
      const epochs = (await openSimulated(system, { create: false }, 3)).stats().epoch;
      expect(epochs).toBeGreaterThan(2);
      system = SimulatedFileSystem.on({ ...image, files });
      await close(4);
      const { floors } = await openSimulated(system, { create: false }, 5);
      expect([...floors.all()]).toEqual([['projection', expect.any(Number)]]);
      expect(floors.lowest()).toBeGreaterThan(2);
      system = SimulatedFileSystem.on(image);
    }
  });

  it('gives way when others have claimed twice between its look and its claim', () => {
    const system = new SlowClaimer();
    const others = system.base.sibling();
    system.beforeClaim = () => {
      acquire(others, true);
      acquire(others, true);
    };
    const late = acquire(system.base, true);
    expect(late.epoch).toBe(3);
    expect(others.list(LOG).filter((name) => name.startsWith('claim'))).toEqual(['claim-3']);
  });

  it('takes the lock of a stopped writer as soon as that one is gone', async () => {
    const stopped = SimulatedFileSystem.on();
    const first = await openSimulated(stopped);
    const system = stopped.sibling();
    const wal = await openSimulated(system, { takeover: true });
    stopped.kill();
    await wal.append(batchAfter(0, 1)).durable;
    await expect(openSimulated(system.sibling())).rejects.toMatchObject({ code: 'WAL_LOCKED' });
    await Promise.all([first.close(), wal.close()]);
  });
});

describe('a takeover', () => {
  it('leaves the stopped writer able to acknowledge nothing, and loses nothing that it did', async () => {
    const stopped = SimulatedFileSystem.on();
    const first = await openSimulated(stopped, { ioMode: 'asynchronous' });
    await first.append(batchAfter(0, 2)).durable;
    const inFlight = first.append(batchAfter(2, 1));
    const second = await openSimulated(stopped.sibling(), { takeover: true }, 2);
    await expect(inFlight.durable).rejects.toMatchObject({ code: 'WAL_FENCED' });
    expect(() => first.append(batchAfter(3, 1))).toThrow(
      expect.objectContaining({ code: 'WAL_FENCED' }),
    );
    expect(() => first.floors.set('late', first.durableSequence)).toThrow(
      expect.objectContaining({ code: 'WAL_FENCED' }),
    );
    await expect(first.failed).resolves.toMatchObject({ code: 'WAL_FENCED' });
    const inherited = (await textsOf(second)).length;
    expect([2, 3]).toContain(inherited);
    await second.append(batchAfter(inherited, 1)).durable;
    await Promise.all([first.close(), second.close()]);
    const third = await openSimulated(stopped.sibling(), {}, 3);
    expect((await textsOf(third)).length).toBe(inherited + 1);
    await third.close();
  });

  it('is final: an opener that was stopped in its recovery begins nothing behind its successor', async () => {
    const system = SimulatedFileSystem.on();
    await (await openSimulated(system)).close();
    const overtaken = system.sibling();
    const lock = acquire(overtaken);
    const wal = await openSimulated(system.sibling(), { takeover: true }, 2);
    await wal.append(batchAfter(0, 1)).durable;
    const before = system.disk.image();
    const options = simulatedOptions(overtaken, 3);
    await expect(assembleParts(overtaken, LOG, lock, options, systemClock)).rejects.toMatchObject({
      code: 'WAL_FENCED',
    });
    expect(system.disk.image()).toEqual(before);
    lock.release();
    await wal.append(batchAfter(1, 1)).durable;
    await wal.close();
    const next = await Wal.open(LOG, simulatedOptions(system.sibling(), 4));
    expect((await textsOf(next)).length).toBe(2);
    await next.close();
  });

  it('of a log that is still being made lets one of the two make it, and the other says that it was fenced', async () => {
    for (const skip of [0, 1]) {
      const stopped = SimulatedFileSystem.on();
      const resume = holdPublish(stopped, skip);
      const first = openSimulated(stopped, {}, 1);
      const outcome = first.then(
        (wal) => wal.append(batchAfter(0, 1)).durable.finally(() => wal.close()),
        (error: unknown) => Promise.reject(error as Error),
      );
      outcome.catch(() => undefined);
      await resume.reached;
      const second = await openSimulated(stopped.sibling(), { takeover: true }, 2);
      await second.append(batchAfter(0, 2)).durable;
      resume.now();
      await expect(outcome).rejects.toMatchObject({ code: 'WAL_FENCED' });
      await second.append(batchAfter(2, 1)).durable;
      await second.close();
      const third = await openSimulated(stopped.sibling(), {}, 3);
      expect(await textsOf(third)).toHaveLength(3);
      expect(third.logId).toBe(second.logId);
      await third.close();
    }
  });

  it('ends a rotation of the stopped writer as fenced, not as a failure of its disk', async () => {
    const stopped = SimulatedFileSystem.on();
    const first = await openSimulated(stopped);
    const resume = holdPublish(stopped, 0);
    const fillUp = async (): Promise<never> => {
      for (;;) await first.append(batchAfter(first.lastSequence, 3, 900)).durable;
    };
    const outcome = fillUp();
    outcome.catch(() => undefined);
    await resume.reached;
    const second = await openSimulated(stopped.sibling(), { takeover: true }, 2);
    resume.now();
    await expect(outcome).rejects.toMatchObject({ code: 'WAL_FENCED' });
    expect(await first.failed).toMatchObject({ code: 'WAL_FENCED' });
    await Promise.all([first.close(), second.close()]);
  });

  it('ends a compaction of the stopped writer as fenced, not with what the disk says', async () => {
    const stopped = SimulatedFileSystem.on();
    const first = await openSimulated(stopped);
    while (first.stats().rotations < 2)
      await first.append(batchAfter(first.lastSequence, 3, 900)).durable;
    const resume = holdPublish(stopped, 0);
    const below = first.durableSequence;
    const outcome = first.maintenance.compact({ below, drop: (sequence) => sequence % 3 === 0 });
    outcome.catch(() => undefined);
    await resume.reached;
    const second = await openSimulated(stopped.sibling(), { takeover: true }, 2);
    resume.now();
    await expect(outcome).rejects.toMatchObject({ code: 'WAL_FENCED' });
    await Promise.all([first.close(), second.close()]);
  });

  it('survives that the stopped writer removes its temporary files meanwhile', async () => {
    const system = SimulatedFileSystem.on();
    await (await openSimulated(system)).close();
    system.open(`${LOG}/gone.tmp`, 'create').close();
    system.faults.plan({
      operation: 'unlink',
      path: /gone\.tmp$/,
      effect: { kind: 'error', code: 'ENOENT' },
    });
    await (await openSimulated(system)).close();
  });
});

/** Stops a process before it gives a file its final name, as SIGSTOP may. */
function holdPublish(
  system: SimulatedFileSystem,
  skip: number,
): { reached: Promise<void>; now: () => void } {
  const publish = system.publish.bind(system);
  const [reached, released] = [
    Promise.withResolvers<undefined>(),
    Promise.withResolvers<undefined>(),
  ];
  let calls = 0;
  system.publish = async (from, to) => {
    if (calls++ === skip) {
      reached.resolve(undefined);
      await released.promise;
    }
    await publish(from, to);
  };
  return {
    reached: reached.promise.then(() => undefined),
    now: () => {
      released.resolve(undefined);
    },
  };
}

/** Runs something between an opener's look at the claims and the making of its own. */
class SlowClaimer {
  readonly base = SimulatedFileSystem.on(directoryOnly);
  beforeClaim: (() => void) | undefined;

  constructor() {
    const open = this.base.open.bind(this.base);
    this.base.open = (path, mode) => {
      if (path.endsWith('/claim-1')) {
        const run = this.beforeClaim;
        this.beforeClaim = undefined;
        run?.();
        // The third comer has removed the claim of the second, so its name is free again.
      }
      return open(path, mode);
    };
  }
}
