export { LEDGER_OPERATIONS, ledgerOperations } from './ledger-operations.js';
export { commandRoutes } from './commands/command-routes.js';
export {
  LedgerCommandsModule,
  type LedgerCommandsOptions,
} from './commands/ledger-commands.module.js';
export { LedgerOutletModule } from './outlets/ledger-outlet.module.js';
export {
  LedgerProjectionModule,
  type LedgerProjectionOptions,
} from './projections/ledger-projection.module.js';
export { type BadEventChoice, badEventPolicyOf } from './projections/bad-events.js';
export { LedgerProjector, type LedgerProjectorOptions } from './projections/ledger-projector.js';
export { ledgerProjection } from './projections/ledger.projection.js';
export {
  type ReadModelPlace,
  assertReadModelPlace,
  openLedgerStore,
  readModelPlace,
} from './projections/read-model-place.js';
export { type QueryAsker, askedHere } from './queries/ledger-queries.js';
export { queryAsker } from './queries/query-asker.js';
export { QueryThreads } from './queries/query-threads.js';
export { LedgerQueriesModule, type LedgerQueriesOptions } from './queries/ledger-queries.module.js';
export type { LogSight, SeenLog } from './queries/ledger-reader.js';
export { etagOf, versionOfEtag } from './shared/etag.js';
export { LEDGER_ERROR_GUIDE } from './shared/ledger-error-guide.js';
export { LEDGER_EXIT_CODES } from './shared/ledger-exit-codes.js';
export { LEDGER_OPEN_API } from './shared/ledger-open-api.js';
export { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from './shared/ledger-problems.js';
export { LedgerWriter } from './write-side/ledger-writer.js';
export {
  type LedgerStorage,
  type OpenLedgerWriterOptions,
  openLedgerWriter,
} from './write-side/open-ledger-writer.js';
