import { Health, Metrics } from '@holdfast/platform';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { FollowedProjection } from '@holdfast/projections';
import { observeProjection } from './projection-telemetry.js';

export interface LedgerProjectionOptions {
  /** The module stops it when the application is closed. */
  readonly projection: FollowedProjection;
}

const PROJECTION = Symbol('the followed projection');

/** Health and figures of a projection that runs in this process. */
@Module({})
export class LedgerProjectionModule implements OnApplicationShutdown {
  constructor(
    @Inject(PROJECTION) private readonly projection: FollowedProjection,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
  ) {
    observeProjection(projection, health, metrics);
  }

  static forRoot({ projection }: LedgerProjectionOptions): DynamicModule {
    return {
      module: LedgerProjectionModule,
      providers: [{ provide: PROJECTION, useValue: projection }],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.projection.stop();
  }
}
