import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { HealthController } from '../health/health.controller.js';
import { Health } from '../health/health.js';
import { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';
import type { Logger } from '../logging/logger.js';
import { MetricsController } from '../metrics/metrics.controller.js';
import { Metrics } from '../metrics/metrics.js';
import { ProblemCatalogue } from '@holdfast/nestjs/http';
import { ProblemsController } from './problems.controller.js';

const LOGGER = Symbol('logger');

/** Injects the service's logger. */
export function InjectLogger(): ParameterDecorator {
  return Inject(LOGGER);
}

export interface PlatformParts {
  readonly logger: Logger;
  readonly lifecycle: ServiceLifecycle;
  readonly catalogue: ProblemCatalogue;
  readonly metrics: Metrics;
}

/**
 * What every module may inject: `Metrics`, `Health`, `ServiceLifecycle`, `ProblemCatalogue` and the logger (`@InjectLogger()`).
 * `createHttpApplication` imports it for the application.
 */
@Module({})
export class PlatformModule {
  static forRoot({ logger, lifecycle, catalogue, metrics }: PlatformParts): DynamicModule {
    return {
      module: PlatformModule,
      global: true,
      controllers: [HealthController, MetricsController, ProblemsController],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: ServiceLifecycle, useValue: lifecycle },
        { provide: ProblemCatalogue, useValue: catalogue },
        { provide: Health, useValue: new Health(lifecycle) },
        { provide: Metrics, useValue: metrics },
      ],
      exports: [LOGGER, ServiceLifecycle, ProblemCatalogue, Health, Metrics],
    };
  }
}
