import { Health, Metrics, ServiceLifecycle } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import { SimulatedFileSystem } from '@holdfast/wal/simulation';
import { expect, it } from '@jest/globals';
import { SMALL_LOG, openNotes, writeNote } from '../testing/notes.js';
import { observeWriter } from './observe-writer.js';

it('a writer whose disk is full is not ready, until there is room again', async () => {
  const fileSystem = SimulatedFileSystem.on();
  const writer = await openNotes('/wal', { wal: { ...SMALL_LOG, fileSystem, roomRetryMillis: 1 } });
  const health = new Health(new ServiceLifecycle());
  observeWriter(writer, new FeedConsumers(), { health, metrics: new Metrics() });
  const log = async () => (await health.report()).checks['log'];
  expect(await log()).toBe('ok');
  const space = fileSystem.space.bind(fileSystem);
  fileSystem.space = () => ({ totalBytes: 1_000_000_000, freeBytes: 0 });
  const fill = async () => {
    for (let count = 0; count < 50; count++) await writeNote(writer, 'a', 'x'.repeat(8_000));
  };
  await expect(fill()).rejects.toMatchObject({ code: 'WAL_FULL' });
  expect(await log()).toMatch(/the disk is full: ENOSPC/);
  fileSystem.space = space;
  while ((await log()) !== 'ok');
  await writeNote(writer, 'a');
  await writer.close();
});
