import { Upcasters } from '@holdfast/event-store/following';
import { ledgerEventSchemas } from '@holdfast/ledger/following';
import {
  LedgerProjector,
  type ReadModelPlace,
  openLedgerStore,
} from '@holdfast/ledger-service/following';
import { createLogger } from '@holdfast/platform/following';
import type { LogLevel } from '@holdfast/platform';
import type { BadEventPolicy, DivergencePolicy } from '@holdfast/projections';
import { DirectoryFeed, followForMain } from '@holdfast/projections/following';
import { workerData } from 'node:worker_threads';

/** Reads the log's files as a process of its own would. Loads what that takes and no more. */

export interface ProjectionThreadData {
  readonly walDirectory: string;
  readonly archiveDirectory: string;
  readonly readModel: ReadModelPlace;
  readonly divergence: DivergencePolicy;
  readonly badEvents: BadEventPolicy;
  readonly logLevel: LogLevel;
}

const { walDirectory, archiveDirectory, readModel, divergence, badEvents, logLevel } =
  workerData as ProjectionThreadData;
const store = await openLedgerStore(readModel);

followForMain(({ onFailure, report }) =>
  LedgerProjector.start({
    feed: new DirectoryFeed(walDirectory, {
      upcasters: new Upcasters(ledgerEventSchemas),
      archiveDirectory,
      report,
    }),
    store,
    divergence,
    badEvents,
    logger: createLogger({ service: 'holdfast', level: logLevel }).child({ thread: 'projection' }),
    onFailure,
  }),
);
