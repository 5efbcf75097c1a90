import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { CodedError, defined, errorCode, errorMessage } from '@holdfast/kernel';
import { SqliteReadModel } from '@holdfast/projections/reading';
import { askNow } from './ledger-queries.js';
import type { FromQueryThread, QueryThreadData, ToQueryThread } from './query-threads.js';

/** Answers one query after the other from the tables, with a connection of its own. Loads what queries need and no more: a service is ready when this is. */

const { readModelDirectory, projection } = workerData as QueryThreadData;
const main: MessagePort = defined(parentPort, 'the main thread');
const model = SqliteReadModel.open({ directory: readModelDirectory, projection });

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
