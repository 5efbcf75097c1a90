import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurement, Suite } from './suite.js';
import { interleaved } from './suite.js';
import { scanScenarios } from './wal-scan.bench.js';
import { openDevice } from './stores/device-store.js';
import { openLmdb } from './stores/lmdb-store.js';
import { openWal } from './stores/wal-store.js';
import type { BenchStore, OpenStore } from './stores/bench-store.js';

export const RECORD_BYTES = 256;
const BATCH_RECORDS = 1000;

const STORES: Readonly<Record<string, OpenStore>> = {
  wal: openWal,
  'lmdb (durable commits)': openLmdb,
  'device: pwrite+fdatasync': openDevice,
};

/** Appends of 256 bytes, each durable before it is acknowledged, against lmdb and the bare device in the same run. */
export const walSuite: Suite = {
  name: 'wal',
  async run(context) {
    const scenarios = [];
    for (const appenders of [1, 64, 1024]) {
      scenarios.push(
        await interleaved(
          context,
          `${appenders} ${appenders === 1 ? 'appender' : 'appenders'}`,
          'records/s',
          'wal',
          forEachStore(context.directory, (store) => appendsOf(store, appenders, context.seconds)),
        ),
      );
    }
    scenarios.push(
      await interleaved(
        context,
        `batches of ${BATCH_RECORDS}`,
        'records/s',
        'wal',
        forEachStore(context.directory, (store) => batchesOf(store, context.seconds)),
      ),
    );
    scenarios.push(...(await scanScenarios(context)));
    return { name: 'wal', scenarios };
  },
};

function forEachStore(
  directory: string,
  measure: (store: BenchStore) => Promise<number>,
): Record<string, Measurement> {
  return Object.fromEntries(
    Object.entries(STORES).map(([name, open]) => [name, () => withStore(directory, open, measure)]),
  );
}

async function withStore(
  directory: string,
  open: OpenStore,
  measure: (store: BenchStore) => Promise<number>,
): Promise<number> {
  const place = join(directory, 'store');
  mkdirSync(place);
  const store = await open(place);
  try {
    return await measure(store);
  } finally {
    await store.close();
    rmSync(place, { recursive: true });
  }
}

/** Each appender waits for its record to be durable before it appends the next. */
async function appendsOf(store: BenchStore, appenders: number, seconds: number): Promise<number> {
  return timed(seconds, async (isOver) => {
    const payload = Buffer.alloc(RECORD_BYTES, 0x5a);
    let records = 0;
    const appender = async (): Promise<void> => {
      while (!isOver()) {
        await store.append(payload, appenders);
        records++;
      }
    };
    await Promise.all(Array.from({ length: appenders }, appender));
    return records;
  });
}

async function batchesOf(store: BenchStore, seconds: number): Promise<number> {
  const batch = Array.from({ length: BATCH_RECORDS }, () => Buffer.alloc(RECORD_BYTES, 0x5a));
  return timed(seconds, async (isOver) => {
    let records = 0;
    while (!isOver()) {
      await store.appendBatch(batch);
      records += batch.length;
    }
    return records;
  });
}

/** Records a second. */
async function timed(
  seconds: number,
  work: (isOver: () => boolean) => Promise<number>,
): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  const records = await work(() => performance.now() >= end);
  return records / ((performance.now() - start) / 1000);
}
