export { type AdminToken, adminToken } from './access/admin-access.js';
export type { DtoShape } from './dto-shape.js';
export type { JobDto } from './jobs/jobs.dto.js';
export type { ProjectionDto, ProjectionListDto } from './projections/projections.dto.js';
export type { QuarantineDto, QuarantinedCommitDto } from './projections/quarantine.dto.js';
export {
  type AsyncOperationsOptions,
  OperationsModule,
  type OperationsOptions,
} from './operations.module.js';
export { type StartAdminOptions, assertAdminServable, startAdmin } from './start-admin.js';
export { LogTelemetryModule, type LogTelemetryOptions } from './telemetry/log-telemetry.module.js';
export type { ObservedWriter } from './telemetry/observe-writer.js';
export type { ScrubSettings } from '@holdfast/operations';
