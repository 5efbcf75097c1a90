import { Upcasters } from '@holdfast/event-store/following';
import { ledgerEventSchemas } from '@holdfast/ledger/following';
import { DirectoryFeed, rebuildForMain, rebuildProjection } from '@holdfast/projections/following';
import { workerData } from 'node:worker_threads';
import { type ReadModelPlace, openLedgerStore } from './read-model-place.js';

/** Rebuilds the ledger's read model from the log's files, beside the worker that keeps the live one up. Loads what that takes and no more. */

export interface RebuildThreadData {
  readonly walDirectory: string;
  readonly archiveDirectory: string;
  readonly readModel: ReadModelPlace;
}

const { walDirectory, archiveDirectory, readModel } = workerData as RebuildThreadData;

rebuildForMain(async ({ report, ...told }) => {
  const upcasters = new Upcasters(ledgerEventSchemas);
  const feed = new DirectoryFeed(walDirectory, { upcasters, archiveDirectory, report });
  const store = await openLedgerStore(readModel);
  try {
    return await rebuildProjection({ feed, store, ...told });
  } finally {
    await feed.close();
    await store.close();
  }
});
