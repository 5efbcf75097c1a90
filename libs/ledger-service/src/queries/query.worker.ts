import { constants, getPriority, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { CodedError, defined, errorCode, errorMessage } from '@holdfast/kernel';
import { SqliteReadModel } from '@holdfast/projections/reading';
import { askNow } from './ledger-queries.js';
import type { FromQueryThread, QueryThreadData, ToQueryThread } from './query-threads.js';

/** Answers one query after the other from the tables, with a connection of its own. Loads what queries need and no more: a service is ready when this is. */

/**
 * Where cores are short, the thread that commits comes first. Of a core that both want, a query gets a thirtieth at 15 more (sched(7)); at 10 more it gets a tenth, and eight clients that
 * read pages without pause still doubled the slowest of a hundred transfers. Linux gives each thread a niceness of its own, other systems the process.
 */
const QUERY_NICENESS = 15;

const { readModelDirectory, projection } = workerData as QueryThreadData;
if (process.platform === 'linux')
  setPriority(Math.min(getPriority() + QUERY_NICENESS, constants.priority.PRIORITY_LOW));
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
