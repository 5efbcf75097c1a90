import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Wal } from '@holdfast/wal';
import { OwnFoldedLog } from '../checkpoint/folded-log.js';
import type { Evolve } from '../../fold/folded-state.js';
import { databaseFile } from '../database/state-database.js';
import { SnapshotProof } from '../thread/snapshot-proof.js';
import { currentDatabaseDirectory, openStateDirectory } from './state-directory.js';
import { resolveStateOptions } from '../model/state-options.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const evolve: Evolve = ({ stream }, state) => {
  const counts = state.section<number>('counts');
  counts.set(stream, (counts.get(stream) ?? 0) + 1);
};

describe('a state whose log was taken over', () => {
  let directory: string;
  let first: WalEventLog;
  let second: WalEventLog;
  const opened: WalEventLog[] = [];

  /** A process, as far as locks tell. */
  async function open(takeover: boolean): Promise<WalEventLog> {
    const log = await WalEventLog.open(join(directory, 'log'), {
      wal: { create: true, takeover, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 },
      evolve,
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        checkpointMillis: 3_600_000,
      },
    });
    opened.push(log);
    return log;
  }

  async function append(log: WalEventLog, number: number): Promise<void> {
    await log.appendDurably(oneAppend('stream', [sampleEvent(number)]));
  }

  function count(log: WalEventLog): number | undefined {
    return log.state.section<number>('counts').get('stream');
  }

  function file(): string {
    return databaseFile(currentDatabaseDirectory(join(directory, 'state'))!);
  }

  /** The first hangs, the second takes over, checkpoints, and has one event more than its checkpoint. */
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-takeover-'));
    first = await open(false);
    await append(first, 1);
    second = await open(true);
    await append(second, 2);
    await second.checkpoint();
    await append(second, 3);
  });

  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close().catch(() => undefined);
    rmSync(directory, { recursive: true });
  });

  it.each(['takes over', 'begins without a takeover'])(
    'is another one than its own for the next, who %s',
    async (how) => {
      if (how !== 'takes over') await first.close();
      const third = await open(how === 'takes over');
      expect(count(third)).toBe(3);
      await append(third, 4);
      await third.checkpoint();
      const before = readFileSync(file());
      await expect(second.checkpoint()).rejects.toMatchObject({ code: 'WAL_FENCED' });
      await second.close();
      expect(readFileSync(file()).equals(before)).toBe(true);
      expect([count(third), third.streamVersion('stream')]).toEqual([4, 4]);
      await third.close();
      const fourth = await open(true);
      expect([count(fourth), fourth.streamVersion('stream')]).toEqual([4, 4]);
    },
  );

  it('is neither named nor removed by an opener that was stopped before it came to it', async () => {
    const wal = await Wal.open(join(directory, 'log'), { takeover: true });
    const third = await open(true);
    await append(third, 4);
    await third.checkpoint();
    const stateDirectory = join(directory, 'state');
    const seen = () => [
      readdirSync(stateDirectory).sort(),
      readFileSync(join(stateDirectory, 'STATE'), 'utf8'),
    ];
    const before = seen();
    const options = resolveStateOptions({ directory: stateDirectory });
    const log = new OwnFoldedLog(wal);
    await expect(openStateDirectory(options, log)).rejects.toMatchObject({ code: 'WAL_FENCED' });
    expect(seen()).toEqual(before);
    await append(third, 5);
    expect(await third.checkpoint()).toMatchObject({ position: 5 });
    await wal.close();
  });

  const snapshots = () => readdirSync(join(directory, 'snapshots')).sort();

  /** Another writer has the log, and has not come to its state yet. */
  function fence(): void {
    const log = join(directory, 'log');
    for (const name of readdirSync(log)) if (name.startsWith('claim-')) rmSync(join(log, name));
  }

  it('gets no snapshot of whoever was fenced while it was written', async () => {
    const made = second.snapshot({ onProgress: fence });
    await expect(made).rejects.toMatchObject({ code: 'WAL_FENCED' });
    expect(snapshots()).toEqual([]);
  });

  it('loses no snapshot to whoever was fenced while it read the older ones', async () => {
    for (const number of [4, 5]) {
      await second.snapshot();
      await append(second, number);
    }
    const before = snapshots();
    expect(before).toHaveLength(2);
    const reading = jest.spyOn(SnapshotProof.prototype, 'whole').mockImplementation((others) => {
      fence();
      return Promise.resolve(others);
    });
    await expect(second.snapshot()).rejects.toMatchObject({ code: 'WAL_FENCED' });
    reading.mockRestore();
    expect(snapshots()).toEqual(expect.arrayContaining(before));
  });

  it('is written no more by whoever was fenced', async () => {
    const own = file();
    const before = readFileSync(own);
    fence();
    await expect(second.checkpoint()).rejects.toMatchObject({ code: 'WAL_FENCED' });
    await second.close();
    expect(readFileSync(own).equals(before)).toBe(true);
  });
});
