import { expect, it } from '@jest/globals';
import { SimulatedFileSystem } from '../testing/index.js';
import { DiskRoom } from './disk-room.js';
import { DISK_RESERVE_BYTES_MAX, DiskSpace } from './disk-space.js';

const MEBIBYTE = 1024 * 1024;

function roomOn(totalBytes: number, freeBytes: number) {
  const system = SimulatedFileSystem.on();
  const disk = { totalBytes, freeBytes, looks: 0, nowMillis: 0 };
  system.space = () => {
    disk.looks++;
    return disk;
  };
  const space = new DiskSpace(system, '/log');
  const room = new DiskRoom(space, { min: 100, max: 400 }, () => disk.nowMillis);
  return { system, disk, space, room };
}

it.each([
  ['64 MiB of a large volume', 1024 * MEBIBYTE * 16, DISK_RESERVE_BYTES_MAX],
  ['a sixteenth of a small one', 160 * MEBIBYTE, 10 * MEBIBYTE],
])('keeps %s', (_, totalBytes, reserve) => {
  const { room, disk } = roomOn(totalBytes, reserve + MEBIBYTE);
  expect(room.refusalOf(MEBIBYTE)).toBeUndefined();
  disk.freeBytes--;
  expect(room.refusalOf(MEBIBYTE)).toMatchObject({ code: 'ENOSPC' });
});

it('looks again after a wait that doubles up to its maximum, and from the start once zeros were written', () => {
  const { room, disk } = roomOn(MEBIBYTE, 0);
  const looksAt: number[] = [];
  const lookUntil = (endMillis: number): void => {
    for (; disk.nowMillis < endMillis; disk.nowMillis += 50) {
      const { looks } = disk;
      room.refusalOf(1);
      if (disk.looks > looks) looksAt.push(disk.nowMillis);
    }
  };
  lookUntil(1_200);
  expect(looksAt).toEqual([0, 100, 300, 700, 1_100]);
  disk.freeBytes = MEBIBYTE;
  disk.nowMillis = 2_000;
  expect(room.refusalOf(1)).toBeUndefined();
  room.used();
  disk.freeBytes = 0;
  lookUntil(2_200);
  expect(looksAt.slice(5)).toEqual([2_000, 2_100]);
});

it('looks at once for less than was refused', () => {
  const { room } = roomOn(160 * MEBIBYTE, 12 * MEBIBYTE);
  expect(room.refusalOf(4 * MEBIBYTE)).toMatchObject({ code: 'ENOSPC' });
  expect(room.refusalOf(MEBIBYTE)).toBeUndefined();
  expect(room.refusalOf(4 * MEBIBYTE)).toMatchObject({ code: 'ENOSPC' });
});

it('keeps nothing of a volume that does not say how large it is, or cannot be asked', () => {
  const { room, disk, system } = roomOn(0, 0);
  expect(room.refusalOf(MEBIBYTE)).toBeUndefined();
  system.space = () => {
    throw Object.assign(new Error('ENOSYS'), { code: 'ENOSYS' });
  };
  expect([room.refusalOf(MEBIBYTE), disk.looks]).toEqual([undefined, 1]);
});

it('promises nobody what another has begun and not written yet', async () => {
  const { room, disk, space, system } = roomOn(160 * MEBIBYTE, 20 * MEBIBYTE);
  system.makeDirectory('/log');
  const end = Promise.withResolvers<undefined>();
  const writing = space.writing('/log/next.tmp', 4 * MEBIBYTE, () => end.promise);
  const promises = (bytes: number): boolean => space.refusalOf(bytes) === undefined;
  expect([promises(6 * MEBIBYTE), promises(6 * MEBIBYTE + 1)]).toEqual([true, false]);
  const file = system.open('/log/next.tmp', 'create');
  file.write(Buffer.alloc(MEBIBYTE), 0);
  disk.freeBytes -= MEBIBYTE;
  expect([promises(6 * MEBIBYTE), promises(6 * MEBIBYTE + 1)]).toEqual([true, false]);
  end.reject(new Error('it failed'));
  await expect(writing).rejects.toThrow('it failed');
  expect(room.refusalOf(9 * MEBIBYTE)).toBeUndefined();
  file.close();
});
