import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpareSegment } from './segment/spare-segment.js';
import { batchAfter, openSimulated, SimulatedFileSystem, textsOf } from './testing/index.js';
import type { Wal } from './wal.js';
import { resolveLimits } from './wal-options.js';

const FRAME_BYTES_MAX = 16 * 1024;
const MEBIBYTE = 1024 * 1024;
const coded = (code: string): unknown => expect.objectContaining({ code });

describe('admission', () => {
  let system: SimulatedFileSystem;
  let wal: Wal;

  beforeEach(async () => {
    system = SimulatedFileSystem.on();
    wal = await openSimulated(system);
  });

  afterEach(() => wal.close());

  /** The refusal assigns nothing, and the log goes on as if nobody had asked. */
  const expectRefused = async (append: () => unknown, code: string): Promise<void> => {
    const last = wal.lastSequence;
    expect(append).toThrow(coded(code));
    expect([wal.lastSequence, wal.poison]).toEqual([last, undefined]);
    await wal.flush();
  };

  /** Until the log says that there is no room; everything admitted becomes durable. */
  const fill = async (log: Wal): Promise<void> => {
    await expect(
      (async () => {
        for (;;) await log.append(batchAfter(log.lastSequence, 1, 3_000)).durable;
      })(),
    ).rejects.toMatchObject({ code: 'WAL_FULL' });
    expect(log.durableSequence).toBe(log.lastSequence);
  };

  it('refuses an empty batch', () => expectRefused(() => wal.append([]), 'WAL_EMPTY_BATCH'));

  it('takes a batch of the largest size and refuses the next', async () => {
    const largest = Buffer.alloc(FRAME_BYTES_MAX - 8, 1);
    await wal.append([largest]).durable;
    await expectRefused(() => wal.append([Buffer.alloc(largest.length + 1)]), 'WAL_TOO_LARGE');
    await expectRefused(() => wal.append([Buffer.alloc(FRAME_BYTES_MAX + 1)]), 'WAL_TOO_LARGE');
    const half = Buffer.alloc(FRAME_BYTES_MAX / 2 - 8);
    await wal.append([half, half]).durable;
    await expectRefused(() => wal.append([half, half, Buffer.alloc(0)]), 'WAL_TOO_LARGE');
    expect(wal.durableSequence).toBe(3);
  });

  it('refuses more than the queue may hold, and takes more once it has drained', async () => {
    const batch = [Buffer.alloc(4_000)];
    const admitted: Promise<void>[] = [];
    await expectRefused(() => {
      for (let at = 0; at < 100; at++) admitted.push(wal.append(batch).durable);
    }, 'WAL_OVERLOADED').catch(() => undefined);
    expect(admitted).toHaveLength(4);
    expect(wal.lastSequence).toBe(4);
    await Promise.all(admitted);
    expect(wal.stats().queuedBytes).toBe(0);
    await wal.append(batch).durable;
    expect(wal.durableSequence).toBe(5);
  });

  it.each([
    ['open', 'ENOSPC'],
    ['write', 'EFBIG'],
    ['write', 'ENOSPC'],
    ['write', 'EDQUOT'],
  ] as const)(
    'refuses with WAL_FULL when a %s for the next segment meets %s, and goes on in place',
    async (operation, code) => {
      const emptied = [
        system.faults.plan({ operation: 'create-zeroed', effect: { kind: 'error', code } }),
        system.faults.plan({ operation, path: /next-1-[2-9]/, effect: { kind: 'error', code } }),
      ];
      let last = 0;
      await expect(
        (async () => {
          for (;;) await wal.append(batchAfter(last, 1, 3_000)).durable.then(() => last++);
        })(),
      ).rejects.toMatchObject({ code: 'WAL_FULL', details: { reason: code } });
      expect([wal.lastSequence, wal.durableSequence, wal.poison]).toEqual([last, last, undefined]);
      expect(() => wal.append(batchAfter(last, 1, 3_000))).toThrow(coded('WAL_FULL'));
      for (const end of emptied) end();
      await wal.append(batchAfter(last, 1, 3_000)).durable;
      expect(await textsOf(wal)).toHaveLength(last + 1);
    },
  );

  it('is overloaded while no file can be opened for the next segment, and goes on then', async () => {
    const ends = ['create-zeroed', 'open'].map((operation) =>
      system.faults.plan({
        operation: operation as 'open',
        path: /next-1-/,
        effect: { kind: 'error', code: 'EMFILE' },
      }),
    );
    const batch = batchAfter(0, 1, 3_000);
    await expect(
      (async () => {
        for (;;) await wal.append(batch).durable;
      })(),
    ).rejects.toMatchObject({ code: 'WAL_OVERLOADED', details: { reason: 'EMFILE' } });
    expect(wal.poison).toBeUndefined();
    for (const end of ends) end();
    await wal.append(batch).durable;
  });

  it('waits for a free descriptor to make the name of the next segment durable', async () => {
    const meet = { operation: 'sync-directory', skip: 0, times: 3 } as const;
    system.faults.plan({ ...meet, effect: { kind: 'error', code: 'EMFILE' } });
    while (wal.stats().rotations === 0) await wal.append(batchAfter(0, 1, 3_000)).durable;
    expect(wal.poison).toBeUndefined();
  });

  it.each(['EIO', 'EROFS', 'EACCES'])(
    'ends when zeros for the next segment meet %s, which says nothing of room',
    async (code) => {
      system.faults.plan({
        operation: 'create-zeroed',
        effect: { kind: 'error', code: 'ENOSPC' },
      });
      system.faults.plan({
        operation: 'write',
        path: /next-1-[2-9]/,
        effect: { kind: 'error', code },
      });
      await expect(
        (async () => {
          for (;;) await wal.append(batchAfter(0, 1, 3_000)).durable;
        })(),
      ).rejects.toMatchObject({ code: 'WAL_POISONED', cause: { cause: { code } } });
      await expect(wal.failed).resolves.toMatchObject({ code: 'WAL_POISONED' });
    },
  );

  it('does not fill a full disk with zeros again and again', async () => {
    let attempts = 0;
    let now = 0;
    const disk = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/log']) });
    disk.createZeroed = () => {
      attempts++;
      return Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
    };
    const spare = new SpareSegment(disk, '/log', 1, 32 * 1024, () => now);
    for (let append = 0; append < 60; append++) {
      spare.prepare();
      await setImmediate();
    }
    expect(attempts).toBe(1);
    now = 1_000;
    spare.prepare();
    await setImmediate();
    now = 2_500;
    spare.prepare();
    expect(attempts).toBe(2);
    await spare.close();
  });

  it('keeps a sixteenth of a small disk for floors, MANIFEST and a start, which make room again', async () => {
    system.disk.capacityBytes = 512 * 1024;
    const { reserve, segment } = { reserve: 32 * 1024, segment: 32 * 1024 };
    await fill(wal);
    const free = system.space().freeBytes;
    expect([free >= reserve, free < reserve + segment, wal.poison]).toEqual([
      true,
      true,
      undefined,
    ]);
    wal.floors.set('state', wal.durableSequence);
    await wal.close();
    wal = await openSimulated(system);
    await fill(wal);
    const { left } = await wal.maintenance.removeSegments({ below: wal.durableSequence });
    expect([left, wal.firstSequence > 1]).toEqual([[], true]);
    for (let batch = 0; batch < 10; batch++)
      await wal.append(batchAfter(wal.lastSequence, 4, 3_900)).durable;
    expect((await wal.verify()).problems).toEqual([]);
  });

  it.each(['quota', 'reserve'] as const)(
    'asks for room once, not with each append, while the %s is used up',
    async (limit) => {
      await wal.close();
      wal = await openSimulated(system, { roomRetryMillis: 60_000 });
      let [looks, attempts] = [0, 0];
      system.space = () => {
        looks++;
        return { totalBytes: 2 ** 30, freeBytes: limit === 'reserve' ? 64 * 1024 * 1024 : 2 ** 30 };
      };
      system.createZeroed = () => {
        attempts++;
        return Promise.reject(Object.assign(new Error('EDQUOT'), { code: 'EDQUOT' }));
      };
      const open = system.open.bind(system);
      system.open = (path, mode) => {
        if (mode === 'create' && path.includes('/next-')) attempts++;
        return open(path, mode);
      };
      const effect = { kind: 'error', code: 'EDQUOT' } as const;
      system.faults.plan({ operation: 'write', path: /next-2-[2-9]/, effect });
      await fill(wal);
      for (let append = 0; append < 60; append++)
        expect(() => wal.append(batchAfter(wal.lastSequence, 4, 3_900))).toThrow(coded('WAL_FULL'));
      // One in the background, one for the append.
      expect([looks, attempts]).toEqual(limit === 'reserve' ? [2, 0] : [2, 2]);
      expect(wal.poison).toBeUndefined();
    },
  );

  it('takes no room from the next segment while that is zeroed, and goes on in it once it is ready', async () => {
    await wal.close();
    const segmentBytes = 2 * MEBIBYTE;
    wal = await openSimulated(system, { segmentBytes, roomRetryMillis: 60_000 });
    const reserve = MEBIBYTE;
    let freeBytes = reserve + segmentBytes + MEBIBYTE / 2;
    system.space = () => ({ totalBytes: 16 * reserve, freeBytes });
    const createZeroed = system.createZeroed.bind(system);
    const [begun, ready] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    system.createZeroed = async (path, bytes) => {
      await begun.promise;
      await createZeroed(path, bytes);
      freeBytes -= bytes;
      ready.resolve(undefined);
    };
    await expect(
      (async () => {
        for (let append = 0; append < 500; append++)
          await wal.append(batchAfter(wal.lastSequence, 1, 3_000)).durable;
      })(),
    ).rejects.toMatchObject({ code: 'WAL_FULL' });
    expect([wal.stats().rotations, freeBytes > reserve + segmentBytes]).toEqual([0, true]);
    begun.resolve(undefined);
    await ready.promise;
    await setImmediate();
    await wal.append(batchAfter(wal.lastSequence, 1, 3_000)).durable;
    expect([wal.stats().rotations, freeBytes < reserve + MEBIBYTE]).toEqual([1, true]);
    expect((await wal.verify()).problems).toEqual([]);
  });

  it('takes nothing once the log is closed', async () => {
    await wal.append(batchAfter(0, 1)).durable;
    const closing = wal.close();
    expect(() => wal.append(batchAfter(1, 1))).toThrow(coded('WAL_CLOSED'));
    await closing;
    expect(() => wal.append(batchAfter(1, 1))).toThrow(coded('WAL_CLOSED'));
    expect(wal.close()).toBe(closing);
  });

  it('copies what it admits: the caller may use its buffers again at once', async () => {
    const payload = Buffer.from('before');
    const { durable } = wal.append([payload]);
    payload.fill('x');
    await durable;
    expect(await textsOf(wal)).toEqual(['1=before.']);
  });
});

describe('limits', () => {
  it.each([
    [{ frameBytesMax: 16 * 1024 - 1 }],
    [{ frameBytesMax: 32 * 1024 * 1024 + 1 }],
    [{ frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 - 1 }],
    [{ segmentBytes: 2 ** 30 + 1 }],
    [{ frameBytesMax: 16 * 1024, queuedBytesMax: 1 }],
    [{ syncIntervalMillis: 0 }],
    [{ groupWindowMillis: 0.5 }],
    [{ idleMillis: NaN }],
  ])('refuse %j', (options) => {
    expect(() => resolveLimits(options)).toThrow(coded('WAL_INVALID_OPTION'));
  });
});
