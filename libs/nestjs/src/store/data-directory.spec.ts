import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';

describe('a service whose data directory cannot be used', () => {
  let root: string;
  let started: ParcelService | undefined;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-data-'));
    started = undefined;
  });
  afterEach(async () => {
    await started?.application.close();
    rmSync(root, { recursive: true });
  });

  it.each<[what: string, code: string, prepare: (directory: string) => void]>([
    ['holds a restore that was killed', 'RESTORE_UNFINISHED', makesIn('restoring')],
    [
      'is not there, and a killed restore is beside it',
      'RESTORE_UNFINISHED',
      (directory) => mkdirSync(`${directory}.restoring`),
    ],
    ['is a salvaged log', 'DATA_DIRECTORY_UNUSABLE', writesIn('MANIFEST')],
    ['is a file', 'DATA_DIRECTORY_UNUSABLE', (directory) => writeFileSync(directory, '')],
    [
      'is a link to nothing',
      'DATA_DIRECTORY_UNUSABLE',
      (directory) => symlinkSync(join(root, 'nothing'), directory),
    ],
    [
      'lies below a file',
      'DATA_DIRECTORY_UNUSABLE',
      (directory) => writeFileSync(dirname(directory), ''),
    ],
    ...['wal', 'state', 'snapshots'].map((name): [string, string, (directory: string) => void] => [
      `has a file called ${name}`,
      'DATA_DIRECTORY_UNUSABLE',
      writesIn(name),
    ]),
  ])('which %s, does not start, and makes nothing', async (what, code, prepare) => {
    const above = join(root, 'above');
    const directory = join(above, 'data');
    if (what !== 'lies below a file') mkdirSync(above);
    prepare(directory);
    const before = readdirSync(root, { recursive: true });
    const start = async () => (started = await startParcels({ directory }));
    await expect(start()).rejects.toMatchObject({ code });
    expect(readdirSync(root, { recursive: true })).toEqual(before);
  });

  it('starts though its read models are a file: commands do not depend on them', async () => {
    const directory = join(root, 'data');
    writesIn('read-models')(directory);
    started = await startParcels({ directory });
    const body = { town: 'Bern', grams: 1 };
    expect((await started.ask('POST', 'parcels/a', { key: '1', body })).status).toBe(201);
  });

  it('makes no directory where no log is to be made', async () => {
    const start = async () =>
      (started = await startParcels({ directory: join(root, 'data'), wal: { create: false } }));
    await expect(start()).rejects.toMatchObject({ code: 'WAL_NOT_FOUND' });
    expect(readdirSync(root)).toEqual([]);
  });
});

function makesIn(name: string): (directory: string) => void {
  return (directory) => mkdirSync(join(directory, name), { recursive: true });
}

function writesIn(name: string): (directory: string) => void {
  return (directory) => {
    mkdirSync(directory);
    writeFileSync(join(directory, name), '');
  };
}
