import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenLedgerWriterOptions, openLedgerWriter } from './open-ledger-writer.js';

describe('a service that opens its log', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-open-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it.each(['wal', 'link', '..'])(
    'makes nothing where the archive is to be %s, with the log',
    async (name) => {
      const at = (path: string): string => join(root, 'data', path);
      mkdirSync(at('wal'), { recursive: true });
      symlinkSync(at('wal'), at('link'));
      const before = readdirSync(at('.'));
      const storage = {
        ...{ walDirectory: at('wal'), stateDirectory: at('state') },
        ...{ snapshotDirectory: at('snapshots'), archiveDirectory: at(name) },
      };
      const options = { storage, archives: true, wal: { create: true } };
      await expect(openLedgerWriter(options as OpenLedgerWriterOptions)).rejects.toMatchObject({
        code: 'DATA_DIRECTORY_UNUSABLE',
        message: expect.stringMatching(/HOLDFAST_ARCHIVE_DIRECTORY/),
        details: { path: at(name), other: expect.stringContaining(at('')) },
      });
      expect(readdirSync(at('.'))).toEqual(before);
    },
  );
});
