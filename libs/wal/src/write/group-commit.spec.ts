import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { File } from '../disk/file-system.js';
import { NodeFileSystem } from '../disk/node-file-system.js';
import { Wal } from '../wal.js';

describe('group commit', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'group-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('syncs an interval log in time also when there is always something to write', async () => {
    const wal = await Wal.open(directory, {
      create: true,
      durability: 'interval',
      syncIntervalMillis: 20,
    });
    const payload = Buffer.alloc(1000);
    const end = performance.now() + 400;
    let waiting = wal.append([payload]).durable;
    while (performance.now() < end) {
      // The next one is admitted before the last one is acknowledged: the queue is never empty.
      const next = wal.append([payload]).durable;
      await waiting;
      waiting = next;
    }
    expect(wal.durableSequence).toBeGreaterThan(1);
    await wal.close();
  });

  it('is poisoned by a failed sync of zeros, because that may have been the failure of a frame in flight', async () => {
    const fileSystem = new FailingFileSystem();
    const wal = await Wal.open(directory, { create: true, fileSystem, ioMode: 'asynchronous' });
    const inFlight = wal.append([Buffer.alloc(500_000)]);
    await new Promise((resolve) => setImmediate(resolve));
    fileSystem.failsNextSync = true;
    // Reaches behind the first zeroed mebibyte, so zeros must be written and synced first.
    expect(() => wal.append([Buffer.alloc(900_000)])).toThrow(
      expect.objectContaining({ code: 'WAL_POISONED' }),
    );
    await expect(inFlight.durable).rejects.toMatchObject({ code: 'WAL_POISONED' });
    expect(wal.durableSequence).toBe(0);
    await expect(wal.failed).resolves.toMatchObject({ code: 'WAL_POISONED' });
    expect(() => wal.append([Buffer.alloc(1)])).toThrow(
      expect.objectContaining({ code: 'WAL_POISONED' }),
    );
    await wal.close();
    await fileSystem.close();
  });
});

/** The real disk, whose next synchronous fdatasync can be made to fail. */
class FailingFileSystem extends NodeFileSystem {
  failsNextSync = false;

  override open(path: string, mode: 'read' | 'write' | 'create'): File {
    const file = super.open(path, mode);
    const dataSync = file.dataSync.bind(file);
    file.dataSync = (): void => {
      const fails = this.failsNextSync;
      this.failsNextSync = false;
      if (fails) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
      dataSync();
    };
    return file;
  }
}
