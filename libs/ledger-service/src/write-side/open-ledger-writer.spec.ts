import { WalEventLog } from '@holdfast/event-store';
import { ServiceLifecycle, createLogger } from '@holdfast/platform';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
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

  it('leaves the log of another service as it is, and says what is in it', async () => {
    const at = (path: string): string => join(root, path);
    const directories = { directory: at('state'), snapshotDirectory: at('snapshots') };
    const log = await WalEventLog.open(at('wal'), { wal: { create: true }, state: directories });
    const events = ['CommandRejected', 'Received'].map((type) => ({
      ...{ id: randomUUID(), type, schemaVersion: 1, data: {} },
    }));
    log.append({
      appends: [{ stream: 'stock/s', expectedVersion: 'any', events }],
      recordedAtMillis: 1,
    });
    await log.checkpoint();
    await log.close();
    const before = readdirSync(root, { recursive: true });
    const storage = {
      ...{ walDirectory: at('wal'), stateDirectory: at('state') },
      ...{ snapshotDirectory: at('snapshots'), archiveDirectory: at('archive') },
    };
    const opened = openLedgerWriter({
      ...{ storage, archives: true, createArchive: true },
      clock: { skewSeconds: 10, gapDays: 7, accept: '' },
      state: {
        ...{ checkpointBytes: 1e6, checkpointSeconds: 60, snapshotHours: 0 },
        ...{ cacheEntries: 1_000, keyRetentionDays: 30 },
      },
      logger: createLogger({ service: 'test', level: 'silent' }),
      lifecycle: new ServiceLifecycle(),
    });
    await expect(opened).rejects.toMatchObject({
      code: 'LEDGER_EVENT_UNKNOWN',
      message: expect.stringMatching(/not one of a ledger.*Received, in the stream stock\/s/),
    });
    expect(readdirSync(root, { recursive: true })).toEqual(before);
    const again = await WalEventLog.open(at('wal'), { state: directories });
    expect(again.stateStatus()?.checkpoint).toMatchObject({ position: 2 });
    await again.close();
  });
});
