import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal } from '@holdfast/wal';
import { Journal } from './journal.js';
import { describeWith, runs } from './requirements.js';
import { BROKEN, runWorkload, startWorkload } from './run-workload.js';

const SMALL = { create: true, frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 } as const;

describe('a second writer', () => {
  let directory: string;
  let log: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'second-'));
    log = join(directory, 'log');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const endless = (run: string) => ({
    directory: log,
    run,
    batches: 1_000_000,
    appenders: 3,
    durability: 'sync' as const,
    ioMode: 'adaptive' as const,
  });

  it('is told who holds the log, and since when', async () => {
    const running = startWorkload(endless('held'));
    await running.acknowledged(1);
    await expect(Wal.open(log)).rejects.toMatchObject({
      code: 'WAL_LOCKED',
      details: { pid: String(running.pid), since: expect.stringMatching(/^\d{4}-/) },
    });
    process.kill(running.pid, 'SIGKILL');
    await running.outcome;
    await (await Wal.open(log, SMALL)).close();
  });

  it('takes over from a stopped one, has all that it acknowledged, also after it wakes, and it stops', async () => {
    const journal = new Journal();
    for (let round = 1; round <= 8; round++) {
      const running = startWorkload(endless(`round${round}`));
      await running.acknowledged(1 + 5 * round);
      process.kill(running.pid, 'SIGSTOP');
      const successor = await Wal.open(log, { ...SMALL, takeover: true });
      await successor.append([Buffer.from('of the successor')]).durable.finally(() => undefined);
      process.kill(running.pid, 'SIGCONT');
      const outcome = await running.outcome;
      expect(['WAL_FENCED', 'WAL_POISONED']).toContain(outcome.failed);
      journal.add(outcome);
      // Whatever it acknowledged, also in its last moments, is in its successor's log, at the place it was given.
      await successor.flush();
      const seen = new Map<string, number>();
      for await (const { sequence, payload } of successor.read({ after: 0 as never })) {
        seen.set(Buffer.from(payload).toString().split('/').slice(0, 2).join('/'), sequence);
      }
      for (const [name, { first }] of outcome.acknowledged)
        expect([name, seen.get(`${name}/1`)]).toEqual([name, first]);
      await successor.close();
    }
    expect(journal.acknowledgedBatches).toBeGreaterThan(8);
  }, 120_000);

  describeWith(
    'root and unshare',
    () => process.getuid?.() === 0 && runs('unshare', '-p', '-m', '--fork', 'true'),
    'in another PID and mount namespace',
    () => {
      it('is kept out by the lock, and let in when the first is dead', async () => {
        const first = await Wal.open(log, SMALL);
        // Unmounting elsewhere must reach the new namespace too, or it would keep other tests' disks alive.
        const namespaced = ['unshare', '-p', '-m', '--propagation', 'slave', '--fork'];
        const refused = await runWorkload({ ...endless('other'), batches: 3 }, namespaced);
        expect([refused.failed, refused.submitted]).toEqual(['WAL_LOCKED', []]);
        await first.close();
        const admitted = await runWorkload({ ...endless('other'), batches: 3 }, namespaced);
        expect([admitted.failed, admitted.closed, admitted.acknowledged.size]).toEqual([
          undefined,
          true,
          3,
        ]);
      });
    },
  );

  describeWith(
    'prlimit',
    () => runs('prlimit', '--version'),
    'with files that may not grow beyond a limit',
    () => {
      it('meets short writes and the error behind them, says so, and loses nothing', async () => {
        const journal = new Journal();
        const endings = new Set<string>();
        // A segment is 32 KiB: its zeros end in the middle, at every part of it. The signal is ignored, so that the write comes back short.
        const ignoring = ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'];
        for (let bytes = 1_000; bytes <= 36_000; bytes += 2_500) {
          const limited = [...ignoring, 'prlimit', `--fsize=${bytes}:${bytes}`];
          const outcome = await runWorkload({ ...endless(`bytes${bytes}`), batches: 30 }, limited);
          endings.add(outcome.failed ?? 'closed');
          journal.add(outcome);
          journal.add(await runWorkload({ ...endless(`free${bytes}`), batches: 30 }));
          await journal.check(log);
        }
        expect([...endings].sort()).toEqual(['EFBIG', 'closed']);
      }, 120_000);
    },
  );

  describeWith(
    'prlimit',
    () => runs('prlimit', '--version'),
    'with few file descriptors',
    () => {
      it('fails with a clear error or works, and loses nothing', async () => {
        const journal = new Journal();
        const endings = new Set<string>();
        for (let files = 20; files <= 40; files++) {
          // Below some number Node itself does not start, or dies of it in the middle.
          const outcome = await runWorkload(
            { ...endless(`files${files}`), batches: 100 },
            ['prlimit', `--nofile=${files}:${files}`],
            true,
          );
          endings.add(outcome.failed ?? 'closed');
          journal.add(outcome);
        }
        await journal.check(log);
        const expected = [
          'closed',
          BROKEN,
          'EMFILE',
          'WAL_READ_FAILED',
          'WAL_OVERLOADED',
          'WAL_POISONED',
        ];
        expect([...endings].filter((ending) => !expected.includes(ending))).toEqual([]);
        expect(endings).toContain('closed');
      }, 120_000);
    },
  );
});
