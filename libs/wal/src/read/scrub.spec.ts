import { describe, expect, it } from '@jest/globals';
import { verifyBackup } from '../care/backup/backup-verification.js';
import { NodeFileSystem } from '../disk/node-file-system.js';
import { batchAfter, LOG, openSimulated, SimulatedFileSystem } from '../testing/index.js';
import { WalReader } from '../wal-reader.js';
import { BEFORE_FIRST } from '../wal.types.js';

const RATE = { bytesPerSecond: 1e12 };

/** A log of finished segments that is closed when the digest of one is asked for. */
async function closingLog() {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system);
  while (wal.stats().rotations < 3) await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
  for (let tries = 0; tries < 100; tries += 1)
    if ((await wal.maintenance.scrub(RATE)).skipped === 0) break;
  const sha256 = system.sha256.bind(system);
  const seen: { looks: number; closing?: Promise<void> } = { looks: 0 };
  system.sha256 = async (path, bytes) => {
    seen.looks += 1;
    seen.closing = wal.close();
    await sha256(path, bytes);
    // As a worker that is ended in the middle of it.
    throw new Error('the background worker ended');
  };
  return { wal, seen, system };
}

it('a verification ends with the log, and calls no segment damaged', async () => {
  const { wal, seen, system } = await closingLog();
  const closed = { code: 'WAL_CLOSED' };
  await expect(wal.verify()).rejects.toMatchObject(closed);
  await seen.closing;
  await expect(wal.verify()).rejects.toMatchObject(closed);
  expect([seen.looks, system.openFileCount]).toEqual([1, 0]);
});

it('the verification of a reader ends with it, and calls no segment damaged', async () => {
  const { wal, system } = await closingLog();
  const reader = await WalReader.open(LOG, { fileSystem: system });
  const seen: { closing?: Promise<void> } = {};
  system.sha256 = () => {
    seen.closing = reader.close();
    return Promise.reject(new Error('the background worker ended'));
  };
  const closed = { code: 'WAL_CLOSED' };
  await expect(reader.verify()).rejects.toMatchObject(closed);
  await seen.closing;
  await expect(reader.verify()).rejects.toMatchObject(closed);
  await wal.close();
  expect(system.openFileCount).toBe(0);
});

it('a pass ends with the log, without a word against a segment', async () => {
  const { wal, seen } = await closingLog();
  const report = await wal.maintenance.scrub(RATE);
  await seen.closing;
  expect([seen.looks, report]).toEqual([
    1,
    { segments: 0, bytes: 0, skipped: 0, lastSequence: 0, problems: [], unread: [] },
  ]);
  await expect(wal.maintenance.scrub(RATE)).rejects.toMatchObject({ code: 'WAL_CLOSED' });
});

it('a verification of a log that rotates meanwhile calls no segment damaged', async () => {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system);
  const rotate = async (upTo: number): Promise<void> => {
    while (wal.stats().rotations < upTo)
      await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
  };
  await rotate(3);
  for (let tries = 0; tries < 100; tries += 1)
    if ((await wal.maintenance.scrub(RATE)).skipped === 0) break;
  await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
  const last = wal.lastSequence;
  const sha256 = system.sha256.bind(system);
  system.sha256 = async (path, bytes) => {
    await rotate(5);
    return sha256(path, bytes);
  };
  expect(await wal.verify()).toMatchObject({ problems: [], unverified: [], lastSequence: last });
  expect(wal.stats().rotations).toBe(5);
  await wal.close();
});

it('a disk that was closed starts no worker again', async () => {
  const disk = new NodeFileSystem();
  await disk.close();
  await expect(disk.sha256('/dev/null', 0)).rejects.toThrow('closed');
});

describe('what hinders a reading and is no damage', () => {
  const hindered = async (operation: 'open' | 'sha256') => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    while (wal.stats().rotations < 3)
      await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
    await wal.maintenance.removeSegments({ below: BEFORE_FIRST });
    const effect = { kind: 'error', code: 'EMFILE' } as const;
    system.faults.plan({ operation, path: /\.walz?$/, skip: 1, times: 1, effect });
    return { system, wal };
  };
  const told: unknown = expect.stringMatching(/could not be read.*EMFILE/);

  it.each(['open', 'sha256'] as const)('is told of a scrub as it is: %s', async (operation) => {
    const { wal } = await hindered(operation);
    const report = await wal.maintenance.scrub(RATE);
    expect(report).toMatchObject({ problems: [], skipped: 1 });
    expect(report.unread).toMatchObject([{ reason: expect.stringMatching('EMFILE') }]);
    expect(await wal.maintenance.scrub(RATE)).toMatchObject({ skipped: 0, unread: [] });
  });

  it.each(['open', 'sha256'] as const)('is told of a verification: %s', async (operation) => {
    const { wal } = await hindered(operation);
    expect(await wal.verify()).toMatchObject({ problems: [], unverified: [told] });
  });

  it('is told of the verification of a reader, and of a backup', async () => {
    const { wal, system } = await hindered('sha256');
    const reader = await WalReader.open(LOG, { fileSystem: system });
    expect(await reader.verify()).toMatchObject({ problems: [], unverified: [told] });
    await wal.maintenance.backup('/backup');
    const effect = { kind: 'error', code: 'EMFILE' } as const;
    system.faults.plan({ operation: 'sha256', path: /walz$/, times: 1, effect });
    const verified = await verifyBackup('/backup', { fileSystem: system });
    expect(verified).toMatchObject({ problems: [], unverified: [told] });
  });

  it('refuses a start that reads everything as what it is', async () => {
    const { wal, system } = await hindered('sha256');
    await wal.close();
    const opened = openSimulated(system, { create: false, verifyOnOpen: true }, 2);
    await expect(opened).rejects.toMatchObject({ code: 'WAL_READ_FAILED' });
  });
});
