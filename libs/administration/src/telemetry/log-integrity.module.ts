import type { WalEventLog } from '@holdfast/event-store';
import { Health, InjectLogger, type Logger, Metrics } from '@holdfast/platform';
import { type BeforeApplicationShutdown, type DynamicModule, Inject, Module } from '@nestjs/common';
import { observeScrubber, tellRecovery } from './log-integrity-telemetry.js';
import { LogScrubber } from '@holdfast/operations';

export interface LogIntegrityOptions {
  /** Open. Closed by somebody else, after this module has stopped. */
  readonly log: Pick<WalEventLog, 'wal'>;
  readonly scrub: { readonly bytesPerSecond: number; readonly pauseSeconds: number };
}

const OPTIONS = Symbol('the integrity of the log');
const MILLIS_A_SECOND = 1_000;

/** Tells what recovery did when the log was opened, and reads the log over and over in search of damage. */
@Module({})
export class LogIntegrityModule implements BeforeApplicationShutdown {
  private readonly scrubber: LogScrubber;

  constructor(
    @Inject(OPTIONS) { log: { wal }, scrub }: LogIntegrityOptions,
    @InjectLogger() logger: Logger,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
  ) {
    tellRecovery(wal.recovered, logger, metrics);
    this.scrubber = new LogScrubber(wal.maintenance, {
      bytesPerSecond: scrub.bytesPerSecond,
      pauseMillis: scrub.pauseSeconds * MILLIS_A_SECOND,
      logger,
    });
    observeScrubber(this.scrubber, health, metrics);
    this.scrubber.start();
  }

  static forRoot(options: LogIntegrityOptions): DynamicModule {
    return { module: LogIntegrityModule, providers: [{ provide: OPTIONS, useValue: options }] };
  }

  /** Before the log is closed, which gives up the segment that is being read. */
  beforeApplicationShutdown(): void {
    this.scrubber.stop();
  }
}
