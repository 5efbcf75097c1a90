import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { SimulatedFileSystem } from '@holdfast/wal/simulation';
import { EventStore } from '../index.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { TestEventStore } from '../testing/test-event-store.js';

/*
 * A stop that fails is told: Nest only logs what its hooks throw, and a process that ends with 0 has kept what it answered.
 */
let store: TestEventStore;
let service: ParcelService;
beforeEach(() => {
  store = new TestEventStore();
});
afterEach(async () => {
  await service.application.close();
  store.remove();
});
const parcel = { key: '1', body: { town: 'Bern', grams: 1 } };

it('closes the log whatever becomes of those that read it, and tells why one failed', async () => {
  service = await startParcels(store.options);
  service.application
    .get(EventStore)
    .closesBefore(() => Promise.reject(new Error('the tables are busy')));
  await service.application.close();
  expect(store.failures).toMatchObject([{ message: 'the tables are busy' }]);
  // Its lock is free.
  service = await startParcels(store.options);
});

it('tells that the last sync failed, of what was answered before it', async () => {
  const { wal, ...options } = store.options;
  const disk = wal?.fileSystem as SimulatedFileSystem;
  service = await startParcels({ ...options, wal: { ...wal, durability: 'none' } });
  expect((await service.ask('POST', 'parcels/a', parcel)).status).toBe(201);
  disk.faults.plan({ operation: 'data-sync', effect: { kind: 'error', code: 'EIO' } });
  await service.application.close();
  expect(store.failures).toHaveLength(1);
});
