import { describe, expect, it } from '@jest/globals';
import {
  afterPowerCut,
  batchAfter,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  textsOf,
} from './testing/index.js';

describe('opening', () => {
  it('makes the directories of a new log durable', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    const after = SimulatedFileSystem.on(afterPowerCut(system.disk));
    const next = await openSimulated(after, { create: false });
    expect(await textsOf(next)).toHaveLength(1);
    await Promise.all([wal.close(), next.close()]);
  });

  it.each(['/data', LOG])(
    'syncs the entry of a directory that a killed process has made and not synced: %s',
    async (made) => {
      const system = SimulatedFileSystem.on();
      system.makeDirectory('/data');
      if (made === LOG) {
        system.syncDirectory('/');
        system.makeDirectory(LOG);
      }
      const wal = await openSimulated(system);
      await wal.append(batchAfter(0, 1)).durable;
      const after = SimulatedFileSystem.on(afterPowerCut(system.disk));
      const next = await openSimulated(after, { create: false });
      expect(await textsOf(next)).toHaveLength(1);
      await Promise.all([wal.close(), next.close()]);
    },
  );

  it('works below a directory that may not be looked at', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map(),
      directories: new Set(['/data', LOG]),
    });
    system.faults.plan({
      operation: 'sync-directory',
      path: /^\/data$/,
      effect: { kind: 'error', code: 'EACCES' },
    });
    await (await openSimulated(system)).close();
  });

  it('starts a segment, an epoch and a timeline of its own each time, in one log', async () => {
    const system = SimulatedFileSystem.on();
    const seen: string[][] = [];
    for (const seed of [1, 2, 3]) {
      const wal = await openSimulated(system, {}, seed);
      await wal.append(batchAfter(seed - 1, 1)).durable;
      const { logId, timeline, epoch, segments } = wal.stats();
      seen.push([logId, timeline, String(epoch), String(segments)]);
      expect(wal.timelineAt(wal.lastSequence)).toBe(timeline);
      await wal.close();
    }
    const columns = [0, 1, 2, 3].map((at) => new Set(seen.map((row) => row[at])).size);
    expect(columns).toEqual([1, 3, 3, 3]);
  });

  it('refuses a network file system, unless told otherwise', async () => {
    const system = SimulatedFileSystem.on();
    system.isNetwork = () => true;
    await expect(openSimulated(system)).rejects.toMatchObject({
      code: 'WAL_UNSUPPORTED_FILE_SYSTEM',
      message: expect.stringContaining('HOLDFAST_WAL_ALLOW_NETWORK_FILE_SYSTEM=true'),
    });
    expect(system.disk.operations).toEqual([]);
    await (await openSimulated(system, { allowNetworkFileSystem: true })).close();
  });

  it('leaves no file open, whatever step fails', async () => {
    const made = SimulatedFileSystem.on();
    const maker = await openSimulated(made);
    maker.floors.set('consumer', maker.durableSequence);
    await maker.close();
    for (const operation of ['open', 'write', 'data-sync', 'publish', 'sync-directory'] as const) {
      for (let skip = 0, outcome = ''; outcome !== 'opened'; skip++) {
        const system = SimulatedFileSystem.on(made.disk.image());
        system.faults.plan({
          operation,
          skip,
          times: 1,
          effect: { kind: 'error', code: 'EIO' },
        });
        outcome = await openSimulated(system).then(
          (wal) => wal.close().then(() => 'opened'),
          () => 'failed',
        );
        expect([operation, skip, system.openFileCount]).toEqual([operation, skip, 0]);
      }
    }
  });
});
