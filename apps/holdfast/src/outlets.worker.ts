import { Upcasters } from '@holdfast/event-store/following';
import { ledgerEventSchemas } from '@holdfast/ledger/following';
import { LedgerNats, type LedgerNatsOptions } from '@holdfast/ledger-service/outlets';
import { createLogger } from '@holdfast/platform/following';
import type { LogLevel } from '@holdfast/platform';
import { DirectoryFeed, followForMain } from '@holdfast/projections/following';
import { workerData } from 'node:worker_threads';

/** Reads the log's files as a process of its own would, and syncs its positions without holding up a command. */

export interface OutletsThreadData extends Pick<LedgerNatsOptions, 'outletsFile' | 'nats'> {
  readonly walDirectory: string;
  readonly archiveDirectory: string;
  readonly logLevel: LogLevel;
}

const { walDirectory, archiveDirectory, outletsFile, nats, logLevel } =
  workerData as OutletsThreadData;

followForMain(({ onFailure, report }) =>
  LedgerNats.start({
    feed: new DirectoryFeed(walDirectory, {
      upcasters: new Upcasters(ledgerEventSchemas),
      archiveDirectory,
      report,
    }),
    ...{ outletsFile, nats, onFailure },
    logger: createLogger({ service: 'holdfast', level: logLevel }).child({ thread: 'outlets' }),
  }),
);
