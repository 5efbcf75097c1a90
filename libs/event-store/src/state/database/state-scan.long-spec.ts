import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type StateDatabase, databaseFile, imageOf, openStateDatabase } from './state-database.js';
import { StateDigest } from '../model/state-entry.js';
import { type ScanOptions, type ScanResult, scanState } from './state-scan.js';
import { writeCheckpoint } from '../thread/state-writer.js';

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
    const slow = { bytesPerSecond: 1, stopped: () => false, hurried: () => false };
    return scanState(database, { ...slow, ...options });
  }

  it('rests no more when it is to hurry, and the file grows no more once it has ended', async () => {
    let isHurried = false;
    const result = scan({ hurried: () => isHurried });
    for (let made = 0; made < 5; made += 1) {
      checkpoint();
      await setImmediate();
    }
    isHurried = true;
    // Of the version that it began with, whole.
    expect(await result).toMatchObject({ kind: 'whole', mark: { position: 1, entries: ENTRIES } });
    const grown = fileBytes();
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
