import { errorCode } from '@holdfast/kernel';
import {
  BEFORE_FIRST,
  type Durability,
  type IoMode,
  type Sequence,
  type Wal,
  type WalOptions,
  WalReader,
  type WalRecord,
} from '@holdfast/wal';
import { LOG } from '@holdfast/wal/testing';
import type { RecordedRun } from './recorded-run.js';

export type Workload = (run: RecordedRun) => Promise<void>;

/** Short runs that between them take every way a log can go. Each is seeded, so that a failure can be played again. */
export const WORKLOADS: Readonly<Record<string, Workload>> = {
  'a log is made': async (run) => {
    const wal = await run.open();
    await run.append(wal);
    await run.close(wal);
  },

  'appends in sync mode': (run) => appendsIn(run, 'sync', {}),
  'appends in sync mode through the thread pool': (run) =>
    appendsIn(run, 'sync', { ioMode: 'asynchronous' }),
  'appends in interval mode': (run) => appendsIn(run, 'interval', {}),
  'appends in interval mode through the thread pool': (run) =>
    appendsIn(run, 'interval', { ioMode: 'asynchronous' }),
  'appends in none mode': (run) => appendsIn(run, 'none', {}),

  'rotations, footers, a reader': async (run) => {
    const wal = await run.open({ ioMode: run.random.chance(2) ? 'synchronous' : 'asynchronous' });
    await untilRotated(run, wal, 2);
    await run.look();
    await run.append(wal);
    await run.close(wal);
  },

  'a follower in another process': async (run) => {
    const durability = run.random.pick(['sync', 'interval', 'none'] as const);
    const wal = await run.open({ durability });
    await run.append(wal);
    const stop = new AbortController();
    const reader = await WalReader.open(LOG, { fileSystem: run.process() });
    const following = reader.follow({ after: BEFORE_FIRST, signal: stop.signal });
    const records = following[Symbol.asyncIterator]();
    for (let round = 0, shown = 0; round < 3; round++) {
      await untilRotated(run, wal, round % 2);
      await run.append(wal);
      if (durability !== 'sync') await run.flush(wal);
      while (shown < wal.durableSequence) {
        const { value } = (await records.next()) as IteratorYieldResult<WalRecord>;
        run.learn({ shown: (shown = value.sequence) });
      }
    }
    stop.abort();
    await reader.close();
    await run.close(wal);
  },

  'rotations in interval mode': async (run) => {
    const wal = await run.open({ durability: 'interval' });
    await untilRotated(run, wal, 2);
    await run.close(wal);
  },

  'opened and closed again and again': async (run) => {
    for (const durability of ['sync', 'none', 'interval', 'sync'] as const) {
      const wal = await run.open({ durability });
      await run.append(wal);
      await run.close(wal);
    }
  },

  'killed and opened again and again': async (run) => {
    for (const durability of ['interval', 'sync', 'none'] as const) {
      const system = run.process();
      const wal = await run.open({ durability }, system);
      await run.append(wal);
      void run.append(wal).catch(() => undefined);
      void run.append(wal).catch(() => undefined);
      if (run.random.chance(2)) await immediately();
      system.kill();
    }
    const last = await run.open();
    await run.append(last);
    await run.close(last);
  },

  'floors are set and dropped': async (run) => {
    for (let round = 0; round < 2; round++) {
      const wal = await run.open();
      await run.append(wal);
      run.setFloor(wal, 'one', wal.durableSequence);
      await run.append(wal);
      run.setFloor(wal, 'two', wal.durableSequence);
      run.setFloor(wal, 'one');
      await run.close(wal);
    }
  },

  'a floor that asks for too much': async (run) => {
    const durability = run.random.pick(['sync', 'interval', 'none'] as const);
    const wal = await run.open({ durability });
    await run.append(wal);
    const pending = run.append(wal);
    refusedFloor(run, wal, wal.lastSequence);
    await pending;
    if (durability === 'sync') run.setFloor(wal, 'consumer', wal.durableSequence);
    else refusedFloor(run, wal, wal.lastSequence);
    await run.close(wal);
  },

  'an idle frame': async (run) => {
    const wal = await run.open({ idleMillis: 1 });
    await run.append(wal);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await run.append(wal);
    await run.close(wal);
  },

  'a takeover from a writer that is stopped, and wakes up': async (run) => {
    const first = await run.open({ ioMode: 'asynchronous' });
    await run.append(first);
    void run.append(first).catch(() => undefined);
    const late = run.append(first).catch(() => undefined);
    const second = await run.open({ takeover: true }, run.process());
    await run.append(second);
    await late;
    await run.append(second);
    await run.close(second);
  },

  'a takeover in interval mode, whose first writer goes on': async (run) => {
    const first = await run.open({ durability: 'interval', ioMode: 'asynchronous' });
    await run.append(first);
    const second = await run.open({ takeover: true }, run.process());
    await settled(() => run.append(first, { durability: 'sync' }));
    await run.append(second);
    await settled(() => run.flush(first));
    await run.append(second);
    await run.close(second);
  },

  'a directory that a killed process has made': async (run) => {
    const system = run.process();
    const end = system.faults.plan({
      operation: 'sync-directory',
      path: /^\/data$/,
      effect: { kind: 'error', code: 'EIO' },
    });
    await settled(() => run.open({}, system));
    end();
    system.kill();
    const wal = await run.open();
    await run.append(wal);
    await run.close(wal);
  },

  'a failed sync, a restart on the page cache, then service': async (run) => {
    const durability = run.random.pick(['sync', 'interval', 'none'] as const);
    const system = run.process();
    const wal = await run.open({ durability }, system);
    await run.append(wal);
    await run.append(wal);
    system.faults.plan({
      operation: 'data-sync',
      path: /\.wal$|next-/,
      effect: { kind: 'failed-sync', code: 'EIO' },
    });
    await Promise.allSettled([run.append(wal), run.append(wal), run.flush(wal)]);
    system.kill();
    const second = await run.open();
    await run.look();
    await run.append(second);
    await run.close(second);
  },

  'a sync that fails once': (run) => oneFailedSync(run, 'sync', 'synchronous'),
  'a sync that fails once in the thread pool': (run) => oneFailedSync(run, 'sync', 'asynchronous'),
  'a flush that fails once': (run) => oneFailedSync(run, 'none', 'synchronous'),

  'a full disk that empties again': async (run) => {
    const wal = await run.open();
    await run.append(wal);
    const emptied = run.system.faults.plan({
      operation: 'open',
      path: /next-/,
      effect: { kind: 'error', code: 'ENOSPC' },
    });
    await untilRefused(run, wal);
    emptied();
    await untilRotated(run, wal, 1);
    await run.close(wal);
  },

  'a write that fails half-way': async (run) => {
    const system = run.process();
    const ioMode = run.random.pick(['synchronous', 'asynchronous'] as const);
    const wal = await run.open({ ioMode }, system);
    await run.append(wal);
    const [code, bytes] = [run.random.pick(['EIO', 'ENOSPC']), 8 * (1 + run.random.below(12))];
    system.faults.plan({
      operation: 'write',
      path: /\.wal$|next-/,
      times: 1,
      effect: { kind: 'short-write', bytes },
    });
    system.faults.plan({
      operation: 'write',
      path: /\.wal$|next-/,
      skip: 1,
      effect: { kind: 'error', code },
    });
    await Promise.allSettled([run.append(wal), run.append(wal)]);
    system.kill();
    const second = await run.open();
    await run.append(second);
    await run.close(second);
  },
};

/** Whoever goes on after a failed sync as if nothing had happened is told yes from then on, and acknowledges what no disk has. */
async function oneFailedSync(
  run: RecordedRun,
  durability: Durability,
  ioMode: IoMode,
): Promise<void> {
  const system = run.process();
  const wal = await run.open({ durability, ioMode }, system);
  await run.append(wal);
  system.faults.plan({
    operation: 'data-sync',
    // The segment in use: not the one that is prepared ahead, whose failed sync is nobody's loss.
    path: /next-\d+-1\./,
    times: 1,
    effect: { kind: 'failed-sync', code: 'EIO' },
  });
  for (let attempt = 0; attempt < 2; attempt++) {
    await settled(() => run.append(wal));
    await settled(() => run.flush(wal));
  }
  system.kill();
  const second = await run.open();
  await run.append(second);
  await run.close(second);
}

async function appendsIn(
  run: RecordedRun,
  durability: Durability,
  options: WalOptions,
): Promise<void> {
  const wal = await run.open({ durability, ...options });
  for (let round = 0; round < 3; round++) {
    const together = 1 + run.random.below(3);
    const appends = Array.from({ length: together }, () =>
      run.append(wal, run.random.chance(4) ? { durability: 'sync' } : {}),
    );
    await Promise.all(appends);
    if (run.random.chance(3)) await run.flush(wal);
    if (run.random.chance(3)) await run.look();
  }
  if (run.random.chance(2)) await run.close(wal);
}

async function untilRotated(run: RecordedRun, wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) {
    const first = run.append(wal, { records: 6 });
    await Promise.all([first, appendWhenThereIsRoom(run, wal)]);
  }
}

async function appendWhenThereIsRoom(run: RecordedRun, wal: Wal): Promise<void> {
  for (;;) {
    try {
      await run.append(wal, { records: 5 });
      return;
    } catch (error) {
      if (errorCode(error) !== 'WAL_OVERLOADED') throw error;
      await immediately();
    }
  }
}

async function untilRefused(run: RecordedRun, wal: Wal): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    try {
      await run.append(wal, { records: 6 });
    } catch (error) {
      if (errorCode(error) === 'WAL_FULL') return;
      throw error;
    }
  }
  throw new Error('the log never filled its segment');
}

/** Tries what may be refused: whatever comes of it, the run goes on. */
async function settled(attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

function refusedFloor(run: RecordedRun, wal: Wal, sequence: Sequence): void {
  try {
    run.setFloor(wal, 'early', sequence);
  } catch (error) {
    if (errorCode(error) !== 'WAL_FLOOR_ABOVE_DURABLE') throw error;
  }
}

function immediately(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
