import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '../logging/logger.js';
import type { CodedErrorProblems } from '../problems/coded-error-problems.js';
import type { ProblemKinds } from '../problems/problem-catalogue.js';
import { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';

export interface HttpApplicationOptions {
  readonly logger: Logger;
  /** Given by `runService`; one of its own in tests. */
  readonly lifecycle?: ServiceLifecycle;
  /** The service's problems, beside those of the platform. */
  readonly problems?: ProblemKinds;
  readonly codedErrors?: CodedErrorProblems;
  readonly bodyBytesMax?: number;
  /** Absent: no OpenAPI document and no `/docs`. */
  readonly openApi?: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
}

/** A running HTTP service: what `createHttpApplication` gives. */
export interface HttpApplication {
  readonly nest: NestFastifyApplication;
  readonly lifecycle: ServiceLifecycle;
  /** Starts serving; port 0 takes a free one. The answer is the address, `http://127.0.0.1:7400`. */
  listen(port: number, host?: string): Promise<string>;
  /** Waits until no request is being answered, at most so long. True if none is left. */
  drain(graceMillis: number): Promise<boolean>;
  /** Stops accepting, drains, then closes every module. */
  stop(graceMillis: number): Promise<void>;
}

/**
 * A Nest application on Fastify with everything a service of this house has: problem+json, strict validation, logs, metrics, health,
 * correlation ids and OpenAPI. Every handler's parameters are inspected: throws `AssertionFailed` if one would not be validated.
 */
export function createHttpApplication(
  root: Type | DynamicModule,
  options: HttpApplicationOptions,
): Promise<HttpApplication> {
  return Promise.reject(new Error(`not built yet: ${String(root)} ${String(options)}`));
}
