import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from './journal.js';
import { canInject, describeWith } from './requirements.js';
import { runWorkload } from './run-workload.js';

/**
 * A real kernel, a real file system, and a process that dies or meets an error at every single system call of a kind. Supports the claim that
 * `kill -9` at any point loses nothing; says nothing of missing syncs, because the page cache survives (see the power cuts).
 */
describeWith('strace with fault injection', canInject, 'system-call faults', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'faults-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const inject = (call: string, effect: string, when: number): string[] => [
    ...['strace', '-f', '-qq', '-o', '/dev/null'],
    ...['-e', `trace=${call}`, '-e', `inject=${call}:${effect}:when=${when}`],
  ];

  const workload = (run: string, ioMode: 'synchronous' | 'asynchronous') => ({
    directory: join(directory, 'log'),
    run,
    batches: 40,
    appenders: 3,
    durability: 'sync' as const,
    ioMode,
  });

  // How many points of each call are tried; each run meets its Nth call of that kind on one thread.
  it.each([
    ['fdatasync', 24],
    ['pwrite64', 30],
    ['link', 6],
    ['unlink', 6],
    ['rename', 3],
    ['ftruncate', 5],
    ['fsync', 8],
    ['openat', 20],
  ] as const)(
    'loses nothing when killed at any %s (%i points, both I/O modes)',
    async (call, points) => {
      const journal = new Journal();
      let killed = 0;
      for (let when = 1; when <= points; when++) {
        const ioMode = when % 2 === 0 ? 'synchronous' : 'asynchronous';
        // File opens at the start of a process are the loader's: begin behind them.
        const nth = call === 'openat' ? 20 + 4 * when : when;
        const outcome = await runWorkload(
          workload(`${call}${when}`, ioMode),
          inject(call, 'signal=SIGKILL', nth),
        );
        journal.add(outcome);
        if (!outcome.closed) killed++;
        if (when % 6 === 0 || when === points) await journal.check(join(directory, 'log'));
      }
      expect(killed).toBeGreaterThan(points / 2);
    },
    300_000,
  );

  it.each([
    ['fdatasync', 'EIO', 20],
    ['pwrite64', 'EIO', 20],
    ['pwrite64', 'ENOSPC', 20],
    ['link', 'EIO', 4],
    ['fsync', 'EIO', 6],
  ] as const)(
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
        if (outcome.failed !== undefined) codes.add(outcome.failed);
        if (when % 5 === 0 || when === points) await journal.check(join(directory, 'log'));
      }
      // The workload meets the error, and knows it for what it is: poison once running, the plain error while opening.
      expect(
        [...codes].filter((code) => !['WAL_POISONED', 'WAL_FULL', error].includes(code)),
      ).toEqual([]);
      expect(codes.size).toBeGreaterThan(0);
    },
    300_000,
  );
});
