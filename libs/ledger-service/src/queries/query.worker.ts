import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { CodedError, defined, errorCode, errorMessage } from '@holdfast/kernel';
import { SqliteReadModel } from '@holdfast/projections';
import { ledgerProjection } from '../projections/ledger.projection.js';
import { askNow } from './ledger-queries.js';
import type { FromQueryThread, QueryThreadData, ToQueryThread } from './query-threads.js';

/** Answers one query after the other from the tables, with a connection of its own. */

const { readModelDirectory } = workerData as QueryThreadData;
const main: MessagePort = defined(parentPort, 'the main thread');
const model = SqliteReadModel.open({ directory: readModelDirectory, projection: ledgerProjection });

main.on('message', (message: ToQueryThread) => {
  if (message.kind === 'ask') answer(message);
  else {
    model.close();
    main.close();
  }
});

function answer({ call }: ToQueryThread & { readonly kind: 'ask' }): void {
  try {
    const asked = askNow(model, call);
    const { finding } = asked;
    // Given away and not copied: an answer may be large.
    tell({ kind: 'asked', asked }, finding.kind === 'found' ? [finding.body.buffer] : []);
  } catch (error) {
    const details = error instanceof CodedError ? error.details : {};
    tell({ kind: 'failed', code: errorCode(error), message: errorMessage(error), details });
  }
}

function tell(message: FromQueryThread, given: ArrayBuffer[] = []): void {
  main.postMessage(message, given);
}
