/** The write side of the ledger: what a service of commands alone loads. */
export { LEDGER_OPERATIONS, ledgerOperations } from '../ledger-operations.js';
export { assertReadModelPlace, readModelPlace } from '../projections/read-model-place.js';
export { LEDGER_EXIT_CODES } from '../shared/ledger-exit-codes.js';
export { LEDGER_OPEN_API } from '../shared/ledger-open-api.js';
export { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from '../shared/ledger-problems.js';
export { openLedgerWriter } from '../write-side/open-ledger-writer.js';
export { LedgerCommandsModule } from './ledger-commands.module.js';
