import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BEFORE_FIRST, Wal, WalReader } from '@holdfast/wal';
import { open } from 'lmdb';
import { interleaved, type BenchContext, type Measurement, type ScenarioResult } from './suite.js';

const RECORD_BYTES = 256;
const SCANNED_RECORDS = 4_000_000;
const BATCH_RECORDS = 1000;

/** Reading the whole log back, as a projection's rebuild does, against `cat` of the same files and lmdb's range scan. */
export async function scanScenarios(context: BenchContext): Promise<ScenarioResult[]> {
  const log = join(context.directory, 'scan-log');
  const lmdb = join(context.directory, 'scan-lmdb');
  context.progress('filling a log to scan');
  await fillLog(log);
  await fillLmdb(lmdb);
  try {
    const contenders = { wal: () => scanLog(log), cat: () => cat(log), lmdb: () => scanLmdb(lmdb) };
    const scenarios = [await interleaved(context, 'scan, warm', 'records/s', 'wal', contenders)];
    if (canDropCaches()) {
      scenarios.push(
        await interleaved(
          context,
          'scan, cold',
          'records/s',
          'wal',
          afterDroppingCaches(contenders),
        ),
      );
    }
    return scenarios;
  } finally {
    rmSync(log, { recursive: true });
    rmSync(lmdb, { recursive: true });
  }
}

async function fillLog(directory: string): Promise<void> {
  const wal = await Wal.open(directory, { create: true });
  const batch = Array.from({ length: BATCH_RECORDS }, () => Buffer.alloc(RECORD_BYTES, 0x5a));
  for (let records = 0; records < SCANNED_RECORDS; records += BATCH_RECORDS)
    await wal.append(batch).durable;
  await wal.close();
}

async function fillLmdb(directory: string): Promise<void> {
  mkdirSync(directory);
  const database = openLmdb(directory);
  const payload = Buffer.alloc(RECORD_BYTES, 0x5a);
  for (let key = 0; key < SCANNED_RECORDS; key += BATCH_RECORDS) {
    await database.transaction(() => {
      for (let at = 0; at < BATCH_RECORDS; at++) void database.put(key + at, payload);
    });
  }
  await database.close();
}

async function scanLog(directory: string): Promise<number> {
  const reader = await WalReader.open(directory);
  const start = performance.now();
  let bytes = 0;
  const last = await reader.scan(BEFORE_FIRST, (_sequence, _buffer, from, to) => {
    bytes += to - from;
  });
  const seconds = (performance.now() - start) / 1000;
  await reader.close();
  if (last !== SCANNED_RECORDS || bytes !== SCANNED_RECORDS * RECORD_BYTES)
    throw new Error('the scan missed records');
  return SCANNED_RECORDS / seconds;
}

/** The same bytes through the kernel, no look at them: as if each byte belonged to a record. */
function cat(directory: string): Promise<number> {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.wal'))
    .map((file) => join(directory, file));
  const start = performance.now();
  execFileSync('sh', ['-c', 'cat "$@" > /dev/null', 'cat', ...files]);
  const seconds = (performance.now() - start) / 1000;
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const bytesPerRecord = 264;
  return Promise.resolve(bytes / bytesPerRecord / seconds);
}

async function scanLmdb(directory: string): Promise<number> {
  const database = openLmdb(directory);
  const start = performance.now();
  let records = 0;
  for (const { value } of database.getRange({})) if (value.length === RECORD_BYTES) records++;
  const seconds = (performance.now() - start) / 1000;
  await database.close();
  if (records !== SCANNED_RECORDS) throw new Error('the range scan missed records');
  return records / seconds;
}

function openLmdb(directory: string) {
  return open<Buffer, number>({
    path: directory,
    keyEncoding: 'uint32',
    encoding: 'binary',
    mapSize: 8 * 1024 ** 3,
  });
}

/** Needs root on Linux; without it there is no cold scan, and the table says so by its absence. */
function canDropCaches(): boolean {
  try {
    dropCaches();
    return true;
  } catch {
    return false;
  }
}

function dropCaches(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

function afterDroppingCaches(
  contenders: Readonly<Record<string, Measurement>>,
): Record<string, Measurement> {
  return Object.fromEntries(
    Object.entries(contenders).map(([name, measure]) => [
      name,
      (): Promise<number> => {
        dropCaches();
        return measure();
      },
    ]),
  );
}
