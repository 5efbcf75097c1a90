import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Sequence, Wal } from '@holdfast/wal';
import { Journal } from './journal.js';
import { describeWith, runs } from './requirements.js';
import { BROKEN, runWorkload } from './run-workload.js';
import { untilWritten } from './until-written.js';

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
    let pid = 0;
    const running = runWorkload(endless('held'), [], (started) => (pid = started));
    await untilWritten(log);
    await expect(Wal.open(log)).rejects.toMatchObject({
      code: 'WAL_LOCKED',
      details: { pid: String(pid), since: expect.stringMatching(/^\d{4}-/) },
    });
    process.kill(pid, 'SIGKILL');
    await running;
    await (await Wal.open(log, SMALL)).close();
  });

  it('takes over from a stopped one, has all that it acknowledged, also after it wakes, and it stops', async () => {
    const journal = new Journal();
    let last = 0 as Sequence;
    for (let round = 1; round <= 8; round++) {
      let pid = 0;
      const running = runWorkload(endless(`round${round}`), [], (started) => (pid = started));
      last = await untilWritten(log, last);
      await setTimeout(23 * round);
      process.kill(pid, 'SIGSTOP');
      const successor = await Wal.open(log, { ...SMALL, takeover: true });
      await successor.append([Buffer.from('of the successor')]).durable.finally(() => undefined);
      process.kill(pid, 'SIGCONT');
      const outcome = await running;
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
      last = successor.lastSequence;
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
            () => undefined,
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
          'WAL_FULL',
          'WAL_POISONED',
        ];
        expect([...endings].filter((ending) => !expected.includes(ending))).toEqual([]);
        expect(endings).toContain('closed');
      }, 120_000);
    },
  );
});
