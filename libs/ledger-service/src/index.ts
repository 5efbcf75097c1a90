export {
  type DerivedStateProof,
  type VerifyDerivedStateOptions,
  verifyDerivedState,
} from './admin/state/verify-derived-state.js';
export { LEDGER_OPERATIONS } from './ledger-operations.js';
export type { WorkContext } from './admin/jobs/job.js';
export { snapshotPosition } from './admin/backup/backup-work.js';
export { type DataRestoreReport, restoreData } from './admin/backup/restore-work.js';
export { type AdminToken, adminToken } from './admin/access/admin-access.js';
export type { JobProgress, JobState } from './admin/jobs/job.js';
export type { JobDto } from './admin/jobs/jobs.dto.js';
export type { DtoShape } from './admin/dto-shape.js';
export { LogOperations, type LogOperationsOptions } from './admin/log-operations.js';
export { type StartAdminOptions, assertAdminServable, startAdmin } from './admin/start-admin.js';
export { commandRoutes } from './commands/command-routes.js';
export {
  LedgerCommandsModule,
  type LedgerCommandsOptions,
} from './commands/ledger-commands.module.js';
export {
  LedgerProjectionModule,
  type LedgerProjectionOptions,
} from './projections/ledger-projection.module.js';
export { LedgerProjector, type LedgerProjectorOptions } from './projections/ledger-projector.js';
export { ledgerProjection } from './projections/ledger.projection.js';
export { type QueryAsker, askedHere } from './queries/ledger-queries.js';
export { QueryThreads } from './queries/query-threads.js';
export { LedgerQueriesModule, type LedgerQueriesOptions } from './queries/ledger-queries.module.js';
export type { LogSight, SeenLog } from './queries/ledger-reader.js';
export { etagOf, versionOfEtag } from './shared/etag.js';
export { LEDGER_ERROR_GUIDE } from './shared/ledger-error-guide.js';
export { LEDGER_EXIT_CODES } from './shared/ledger-exit-codes.js';
export { LEDGER_OPEN_API } from './shared/ledger-open-api.js';
export { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from './shared/ledger-problems.js';
export { type DirectoryUse, assertUsableDirectory } from './shared/usable-directory.js';
export { timelinesOf } from './shared/log-timelines.js';
export { LedgerWriter } from './write-side/ledger-writer.js';
export {
  type LedgerStorage,
  type OpenLedgerWriterOptions,
  openLedgerWriter,
} from './write-side/open-ledger-writer.js';
