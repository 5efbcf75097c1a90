import { Health, Metrics } from '@holdfast/platform';
import type { FollowedProjection } from '@holdfast/projections';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { observeOutlet } from './outlet-telemetry.js';

const OUTLET = Symbol('the followed outlet');

/** Health and figures of an outlet that runs in this process. */
@Module({})
export class LedgerOutletModule implements OnApplicationShutdown {
  constructor(
    @Inject(OUTLET) private readonly outlet: FollowedProjection,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
  ) {
    observeOutlet(outlet, health, metrics);
  }

  /** The module stops it when the application is closed. */
  static forRoot(outlet: FollowedProjection): DynamicModule {
    return { module: LedgerOutletModule, providers: [{ provide: OUTLET, useValue: outlet }] };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.outlet.stop();
  }
}
