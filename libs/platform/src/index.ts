/**
 * What every NestJS service has in common: problem+json, strict validation, bounded bodies, logs, metrics, health, OpenAPI, start and stop.
 *
 * @module
 */
export {
  type Degraded,
  Health,
  type HealthCheck,
  type HealthFact,
  type HealthReport,
  type HealthResult,
} from './health/health.js';
export {
  ApiBody,
  ApiExcludeController,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from './openapi/api-description.js';
export { problemResponses } from './openapi/problem-responses.js';
export { type CursorValue, decodeCursor, encodeCursor } from './http/cursor.js';
export {
  HttpApplication,
  type HttpApplicationOptions,
  createHttpApplication,
} from './http/http-application.js';
export { type ListeningPlace, assertPlacesFree } from './http/listening.js';
export { LargeBody } from './http/bodies-in-flight.js';
export { CORRELATION_ID_HEADER } from './http/correlation-id.js';
export type { OpenApiOptions } from './http/open-api.js';
export { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, PageQuery } from './http/page-query.dto.js';
export { configureOrExit } from './lifecycle/configure-or-exit.js';
export { ExitCode, type ExitCodes } from '@holdfast/nestjs/process';
export type { HostProcess } from './lifecycle/host-process.js';
export {
  type RunServiceOptions,
  type StoppableService,
  runService,
} from './lifecycle/run-service.js';
export { ServiceLifecycle } from './lifecycle/service-lifecycle.js';
export { servicesTogether } from './lifecycle/services-together.js';
export {
  LOG_LEVELS,
  type LogLevel,
  type Logger,
  type LoggerOptions,
  createLogger,
} from './logging/logger.js';
export { Metrics } from './metrics/metrics.js';
export { InjectLogger, PlatformModule, type PlatformParts } from './http/platform.module.js';
export {
  type CodedErrorProblem,
  type CodedErrorProblems,
  type Outcome,
  PLATFORM_PROBLEMS,
  PROBLEM_MEDIA_TYPE,
  ProblemCatalogue,
  type ProblemDetails,
  ProblemException,
  type ProblemExceptionOptions,
  type ProblemKind,
  type ProblemKinds,
  type ProblemOccurrence,
  type ProblemParameter,
  type ProblemParameters,
  problemType,
} from '@holdfast/nestjs/http';
export {
  type CompiledValidator,
  type FieldError,
  type Validated,
  compileValidator,
} from './validation/compile-validator.js';
export {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from './validation/class-validator.js';
export { type Accepts, defineConstraint } from './validation/constraint.js';
export { IsIntegerText, IsTextMap, type TextMapLimits } from './validation/constraints.js';
export { type DtoClass, IsNested, IsNestedList } from './validation/nested.js';
export {
  type RequestPart,
  StrictValidationPipe,
  invalidRequest,
} from './validation/strict-validation.pipe.js';
export { assertParametersValidated } from './validation/assert-parameters-validated.js';
export { AcceptsAnyQuery } from './validation/undeclared-query.guard.js';
export { MayBeAbsent, MayBeNull } from './validation/presence.js';
