import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from './journal.js';
import { canInject, describeWith } from './requirements.js';
import { runWorkload, startWorkload } from './run-workload.js';

const KILLS_MIN = 100;
const ERRORS_MIN = 60;

/**
 * A real kernel, a real file system, and a process that dies or meets an error at every single system call of a kind. Supports the claim that
 * `kill -9` at any point loses nothing; says nothing of missing syncs, because the page cache survives (see the power cuts).
 */
describeWith('strace with fault injection', canInject, 'system-call faults', () => {
  let directory: string;
  const totals = { kills: 0, errors: 0 };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'faults-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  afterAll(() => {
    process.stdout.write(`system calls: ${totals.kills} kills, ${totals.errors} errors\n`);
  });

  const trace = (): string => join(directory, 'trace');

  const inject = (call: string, effect: string, when: number): string[] => [
    ...['strace', '-f', '-qq', '-o', trace()],
    ...['-e', `trace=${call}`, '-e', `inject=${call}:${effect}:when=${when}`],
  ];

  /** Whether the last run has met its fault. */
  const isInjected = (): boolean => readFileSync(trace(), 'latin1').includes('(INJECTED)');

  const workload = (run: string, ioMode: 'synchronous' | 'asynchronous', batches = 40) => ({
    directory: join(directory, 'log'),
    run,
    batches,
    appenders: 3,
    durability: 'sync' as const,
    ioMode,
  });

  // How many points of each call are tried; each run meets its Nth call of that kind on one thread.
  it.each([
    ['fdatasync', 32, 40],
    ['pwrite64', 38, 40],
    ['link', 6, 40],
    ['unlink', 6, 40],
    // More batches where a call comes once or so for each segment: a short run ends before it has sealed the last of its own.
    ['rename', 3, 160],
    ['ftruncate', 5, 160],
    ['fsync', 10, 160],
    ['openat', 20, 40],
  ] as const)(
    'loses nothing when killed at any %s (%i points, both I/O modes)',
    async (call, points, batches) => {
      const journal = new Journal();
      let killed = 0;
      for (let when = 1; when <= points; when++) {
        const ioMode = when % 2 === 0 ? 'synchronous' : 'asynchronous';
        // File opens at the start of a process are the loader's: begin behind them.
        const nth = call === 'openat' ? 20 + 4 * when : when;
        const outcome = await runWorkload(
          workload(`${call}${when}`, ioMode, batches),
          inject(call, 'signal=SIGKILL', nth),
        );
        journal.add(outcome);
        if (!outcome.closed) killed++;
        if (when % 6 === 0 || when === points) await journal.check(join(directory, 'log'));
      }
      totals.kills += killed;
      expect(killed).toBeGreaterThan(points / 2);
    },
    300_000,
  );

  it.each(
    (
      [
        ['fdatasync', 12],
        ['pwrite64', 14],
        ['fsync', 6],
        ['link', 4],
        ['rename', 3],
        ['unlink', 4],
        ['ftruncate', 4],
      ] as const
    ).flatMap(([call, points]) => [
      [call, 'EIO', points] as const,
      [call, 'ENOSPC', points] as const,
    ]),
  )(
    'poisons or refuses on %s failing with %s, and loses nothing (%i points)',
    async (call, error, points) => {
      const journal = new Journal();
      const codes = new Set<string>();
      for (let when = 1; when <= points; when++) {
        const ioMode = when % 2 === 0 ? 'synchronous' : 'asynchronous';
        const outcome = await runWorkload(
          workload(`${call}${when}`, ioMode),
          inject(call, `error=${error}`, when),
        );
        journal.add(outcome);
        if (isInjected()) totals.errors++;
        if (outcome.failed !== undefined) codes.add(outcome.failed);
        if (when % 4 === 0 || when === points) await journal.check(join(directory, 'log'));
      }
      // The workload meets the error, and knows it for what it is: poison once running, the plain error while opening.
      expect(
        [...codes].filter((code) => !['WAL_POISONED', 'WAL_FULL', error].includes(code)),
      ).toEqual([]);
      expect(codes.size).toBeGreaterThan(0);
    },
    300_000,
  );

  it('acknowledges all the same, in order, when every sync is slow', async () => {
    const journal = new Journal();
    for (const ioMode of ['synchronous', 'asynchronous', 'adaptive'] as const) {
      const slow = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=100000'];
      const outcome = await runWorkload(
        { ...workload(`slow-${ioMode}`, 'synchronous'), ioMode, batches: 12 },
        ['strace', '-f', '-qq', '-o', '/dev/null', ...slow],
      );
      expect([outcome.closed, outcome.acknowledged.size]).toEqual([true, 12]);
      journal.add(outcome);
      await journal.check(join(directory, 'log'));
    }
  }, 120_000);

  it('loses nothing that was acknowledged when it is killed while a sync is slow', async () => {
    const journal = new Journal();
    for (let round = 1; round <= 4; round++) {
      const ioMode = round % 2 === 0 ? 'synchronous' : 'asynchronous';
      const slow = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_exit=100000'];
      const running = startWorkload(workload(`slow${round}`, ioMode), [
        ...['strace', '-f', '-qq', '-o', '/dev/null'],
        ...slow,
      ]);
      await running.acknowledged(round);
      process.kill(childOf(running.pid), 'SIGKILL');
      const outcome = await running.outcome;
      expect(outcome.closed).toBe(false);
      journal.add(outcome);
      await journal.check(join(directory, 'log'));
    }
    expect(journal.acknowledgedBatches).toBeGreaterThanOrEqual(10);
  }, 120_000);

  it('were met often enough', () => {
    expect(totals.kills).toBeGreaterThanOrEqual(KILLS_MIN);
    expect(totals.errors).toBeGreaterThanOrEqual(ERRORS_MIN);
  });
});

/** What is traced: killing the tracer would set it free. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0]);
}
