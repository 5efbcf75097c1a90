export { type AdminToken, adminToken } from './access/admin-access.js';
export type { DtoShape } from './dto-shape.js';
export type { JobDto } from './jobs/jobs.dto.js';
export { type StartAdminOptions, assertAdminServable, startAdmin } from './start-admin.js';
export { LogIntegrityModule, type LogIntegrityOptions } from './telemetry/log-integrity.module.js';
export { observeFloors } from './telemetry/observe-floors.js';
export { observeRetention } from './telemetry/observe-retention.js';
export { observeState } from './telemetry/observe-state.js';
export { type AnyWriter, observeWriter } from './telemetry/writer-telemetry.js';
