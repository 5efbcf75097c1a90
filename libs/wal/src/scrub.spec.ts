import { expect, it } from '@jest/globals';
import { NodeFileSystem } from './node-file-system.js';
import { batchAfter, openSimulated, SimulatedFileSystem } from './testing/index.js';

const RATE = { bytesPerSecond: 1e12 };

it('a pass ends with the log, without a word against a segment', async () => {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system);
  while (wal.stats().rotations < 3) await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
  for (let tries = 0; tries < 100; tries += 1) if ((await wal.scrub(RATE)).skipped === 0) break;
  const sha256 = system.sha256.bind(system);
  let looks = 0;
  let closing: Promise<void> | undefined;
  system.sha256 = async (path, bytes) => {
    looks += 1;
    closing = wal.close();
    await sha256(path, bytes);
    // As a worker that is ended in the middle of it.
    throw new Error('the background worker ended');
  };
  const report = await wal.scrub(RATE);
  await closing;
  expect([looks, report]).toEqual([
    1,
    { segments: 0, bytes: 0, skipped: 0, lastSequence: 0, problems: [] },
  ]);
  await expect(wal.scrub(RATE)).rejects.toMatchObject({ code: 'WAL_CLOSED' });
});

it('a disk that was closed starts no worker again', async () => {
  const disk = new NodeFileSystem();
  await disk.close();
  await expect(disk.sha256('/dev/null', 0)).rejects.toThrow('closed');
});
