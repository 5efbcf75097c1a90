import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type StateDatabase, databaseFile, imageOf, openStateDatabase } from './state-database.js';
import { StateDigest } from './state-entry.js';
import { type ScanOptions, type ScanResult, scanState } from './state-scan.js';
import { writeCheckpoint } from './state-writer.js';

const MEBIBYTE = 1024 * 1024;
/** Two slices. */
const ENTRIES = 1_500;
const MARK = {
  ...{ logId: 'log', timeline: 't', lastRecordedAtMillis: 0, stateVersion: '1', atMillis: 0 },
};
/** In front of each change: the length of its value. */
const LENGTH_BYTES = 4;

describe('reading a state through slowly', () => {
  let directory: string;
  let database: StateDatabase;
  let position: number;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'state-scan-'));
    database = openStateDatabase(directory);
    position = 0;
    checkpoint();
  });
  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const fileBytes = () => statSync(databaseFile(directory)).size;

  /** Changes every entry. */
  function checkpoint(): void {
    position += 1;
    const value = Buffer.from(JSON.stringify(`${position}`.padEnd(200, '.')));
    const changes = Array.from({ length: ENTRIES }, (_, entry) => {
      const image = imageOf(Buffer.from(`key-${entry}`), value);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32LE(value.length, 0);
      return Buffer.concat([length, image]);
    });
    writeCheckpoint(database, directory, changes, { ...MARK, position }, true);
  }

  function scan(options: Partial<ScanOptions> = {}): Promise<ScanResult> {
    const slow = { bytesPerSecond: 1, stopped: () => false, fileBytes };
    return scanState(database, { ...slow, pinnedBytesMax: 2 * MEBIBYTE, ...options });
  }

  it('ends when its pages have made the file grow by so much, and the file grows no more', async () => {
    const begunBytes = fileBytes();
    const result = scan();
    let ended: ScanResult | undefined;
    void result.then((is) => (ended = is));
    while (ended === undefined) {
      if (fileBytes() - begunBytes <= 4 * MEBIBYTE) checkpoint();
      await setImmediate();
    }
    // Of the version that it began with, whole.
    expect(ended).toMatchObject({ kind: 'whole', mark: { position: 1, entries: ENTRIES } });
    const grown = fileBytes();
    expect(grown - begunBytes).toBeGreaterThan(2 * MEBIBYTE);
    for (let more = 0; more < 20; more += 1) checkpoint();
    expect(fileBytes()).toBe(grown);
    expect(await scan({ bytesPerSecond: Infinity })).toMatchObject({ mark: { position } });
  });

  it('ends while it rests when it is asked to', async () => {
    let asked = 0;
    expect(await scan({ stopped: () => (asked += 1) > 3 })).toEqual({ kind: 'stopped' });
  });

  it('has the digest of what is there', async () => {
    const result = await scan({ bytesPerSecond: Infinity });
    expect(result).toMatchObject({ kind: 'whole', mark: { entries: ENTRIES } });
    expect(result.kind === 'whole' && StateDigest.of(result.mark).entries).toBe(ENTRIES);
  });
});
