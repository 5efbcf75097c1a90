import { describe, expect, it } from '@jest/globals';
import {
  afterPowerCut,
  batchAfter,
  LOG,
  openSimulated,
  SimulatedFileSystem,
} from '../testing/index.js';
import type { Sequence } from '../wal.types.js';
import { FLOORS_MAX, readFloors } from './floors.js';

const floor = (sequence: number): Sequence => sequence as Sequence;
const coded = (code: string): unknown => expect.objectContaining({ code });

describe('floors', () => {
  it('survive a power cut, and the writers after', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 5)).durable;
    wal.floors.set('state', floor(5));
    wal.floors.set('projection/balances', floor(2));
    wal.floors.set('gone', floor(1));
    wal.floors.drop('gone');
    wal.floors.drop('never set');
    const after = SimulatedFileSystem.on(afterPowerCut(system.disk));
    for (let writer = 0; writer < 3; writer++) {
      const next = await openSimulated(after);
      expect([...next.floors.all()]).toEqual([
        ['projection/balances', 2],
        ['state', 5],
      ]);
      expect(next.floors.lowest()).toBe(2);
      next.floors.set('state', floor(5));
      await next.close();
      expect(after.list(LOG).filter((name) => name.startsWith('FLOORS'))).toHaveLength(1);
    }
    await wal.close();
  });

  it.each(['write', 'data-sync', 'rename'] as const)(
    'are as they were after a %s that failed, and no temporary file is left',
    async (operation) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      await wal.append(batchAfter(0, 5)).durable;
      wal.floors.set('state', floor(3));
      const before = system.list(LOG).sort();
      const effect = { kind: 'error', code: 'ENOSPC' } as const;
      const mended = system.faults.plan({ operation, path: /FLOORS/, effect });
      expect(() => wal.floors.set('state', floor(5))).toThrow(coded('ENOSPC'));
      expect([system.list(LOG).sort(), wal.floors.lowest()]).toEqual([before, 3]);
      mended();
      wal.floors.set('state', floor(5));
      expect(wal.floors.lowest()).toBe(5);
      await wal.close();
    },
  );

  it('are never above what is durable, nor anything but a sequence under a proper name', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    wal.append(batchAfter(0, 1));
    expect(() => wal.floors.set('early', floor(1))).toThrow(coded('WAL_FLOOR_ABOVE_DURABLE'));
    await wal.flush();
    wal.floors.set('early', floor(1));
    for (const sequence of [-1, 0.5, NaN])
      expect(() => wal.floors.set('bad', floor(sequence))).toThrow(coded('WAL_INVALID_FLOOR'));
    for (const name of ['', 'with space', 'new\nline', 'x'.repeat(129)])
      expect(() => wal.floors.set(name, floor(1))).toThrow(coded('WAL_INVALID_FLOOR'));
    expect([...wal.floors.all()]).toEqual([['early', 1]]);
    await wal.close();
  });

  it('of the log itself have places that nobody can take', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    for (let count = 0; count < FLOORS_MAX; count++)
      wal.floors.set(`projection:${count}`, floor(1));
    expect(() => wal.floors.set('projection:more', floor(1))).toThrow(coded('WAL_INVALID_FLOOR'));
    wal.floors.set('checkpoint', floor(1));
    wal.floors.set('archive', floor(0));
    expect(wal.floors.all().size).toBe(FLOORS_MAX + 2);
    await wal.close();
    const next = await openSimulated(system);
    expect(next.floors.all().size).toBe(FLOORS_MAX + 2);
    await next.close();
  });

  it('that are damaged refuse the next open, for an empty list would let segments go', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    wal.floors.set('state', floor(1));
    await wal.close();
    const path = `${LOG}/FLOORS-1`;
    const length = system.disk.image().files.get(path)!.length;
    for (let offset = 0; offset < length; offset++) {
      const damaged = SimulatedFileSystem.on(system.disk.image());
      damaged.disk.flipBit(path, offset);
      await expect(openSimulated(damaged)).rejects.toMatchObject({
        code: 'WAL_CORRUPT',
        details: { file: path },
      });
    }
  });

  it('are read beside a writer that removes the file of the one before it meanwhile', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    wal.floors.set('projection', wal.durableSequence);
    await wal.close();
    const list = system.list.bind(system);
    let looks = 0;
    system.list = (path) => [...list(path), ...(looks++ === 0 ? ['FLOORS-99'] : [])];
    expect(readFloors(system, LOG)).toEqual(new Map([['projection', 1]]));
  });
});
