import { Upcasters } from '@holdfast/event-store/following';
import { CodedError, defined, errorCode, errorMessage } from '@holdfast/kernel';
import { ledgerEventSchemas } from '@holdfast/ledger/following';
import { LedgerProjector } from '@holdfast/ledger-service/following';
import { createLogger } from '@holdfast/platform/following';
import { DirectoryFeed } from '@holdfast/projections/following';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ProjectionThreadData, ProjectionThreadMessage } from './projection-thread.js';

/** Reads the log's files as a process of its own would, and tells the main thread several times a second where it stands. Loads what that takes and no more. */

const STATUS_MILLIS = 200;

const { walDirectory, archiveDirectory, readModelDirectory, divergence, logLevel } =
  workerData as ProjectionThreadData;
const main: MessagePort = defined(parentPort, 'the main thread');

const projector = LedgerProjector.start({
  feed: new DirectoryFeed(walDirectory, {
    upcasters: new Upcasters(ledgerEventSchemas),
    archiveDirectory,
    report: (report) => tell({ kind: 'report', report }),
  }),
  readModelDirectory,
  divergence,
  logger: createLogger({ service: 'holdfast', level: logLevel }).child({ thread: 'projection' }),
  onFailure: (error) =>
    tell({
      kind: 'failed',
      code: errorCode(error) ?? 'PROJECTION_THREAD_ENDED',
      message: errorMessage(error),
      details: error instanceof CodedError ? error.details : {},
    }),
});

tellStatus();
const telling = setInterval(tellStatus, STATUS_MILLIS);
main.once('message', () => {
  clearInterval(telling);
  void projector.stop().then(() => main.close());
});

function tellStatus(): void {
  tell({ kind: 'status', status: projector.status });
}

function tell(message: ProjectionThreadMessage): void {
  main.postMessage(message);
}
