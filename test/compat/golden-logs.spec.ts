import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BEFORE_FIRST, type LogSource, Wal, WAL_FORMAT_VERSION, WalReader } from '@holdfast/wal';
import { GOLDEN_RECORDS, goldenPayload } from './golden-log.js';

const HERE = 'test/compat';
const versions = readdirSync(HERE).filter((name) => name.startsWith('format-'));

describe('logs of every released format version', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'compat-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const copyOf = (version: string): string => {
    const log = join(directory, 'log');
    cpSync(join(HERE, version), log, { recursive: true });
    return log;
  };

  const readAll = async (source: LogSource): Promise<void> => {
    let expected = 1;
    for await (const { sequence, payload } of source.read({ after: BEFORE_FIRST })) {
      expect(sequence).toBe(expected++);
      expect(Buffer.from(payload).equals(goldenPayload(sequence))).toBe(true);
    }
    expect(expected).toBeGreaterThan(GOLDEN_RECORDS);
  };

  it('include the current one', () => {
    expect(versions).toContain(`format-${WAL_FORMAT_VERSION}`);
  });

  it.each(versions)('%s is read without being written to', async (version) => {
    const reader = await WalReader.open(copyOf(version));
    await readAll(reader);
    expect((await reader.verify()).problems).toEqual([]);
    await reader.close();
  });

  it.each(versions)('%s is opened, read, and written on', async (version) => {
    const log = copyOf(version);
    const wal = await Wal.open(log);
    expect(wal.lastSequence).toBe(GOLDEN_RECORDS);
    expect([...wal.floors.all().keys()].sort()).toEqual([
      'golden-interval',
      'golden-none',
      'golden-sync',
    ]);
    await wal.append([goldenPayload(GOLDEN_RECORDS + 1)]).durable;
    await readAll(wal);
    await wal.close();
    expect((await Wal.open(log).then(closed)).lastSequence).toBe(GOLDEN_RECORDS + 1);
  });

  it.each([
    ['format version 99', 12, 99],
    ['incompatible feature bits 0x4', 16, 4],
  ])('a segment with %s is refused by that name', async (name, offset, value) => {
    const log = copyOf(`format-${WAL_FORMAT_VERSION}`);
    const file = join(
      log,
      readdirSync(log)
        .filter((entry) => entry.endsWith('.wal'))
        .at(-1) ?? '',
    );
    const bytes = readFileSync(file);
    for (const copy of [0, 4096]) {
      bytes.writeUInt32LE(value, copy + offset);
      bytes.writeUInt32LE(crc32(bytes.subarray(copy + 12, copy + 4096)), copy + 8);
    }
    writeFileSync(file, bytes);
    await expect(Wal.open(log)).rejects.toMatchObject({
      code: 'WAL_UNSUPPORTED_FORMAT',
      message: expect.stringContaining(name),
    });
    await expect(WalReader.open(log)).rejects.toMatchObject({ code: 'WAL_UNSUPPORTED_FORMAT' });
  });
});

async function closed(wal: Wal): Promise<Wal> {
  await wal.close();
  return wal;
}
