import {
  type LogOperations,
  LogScrubber,
  type ScrubSettings,
  assertScrub,
} from '@holdfast/operations';
import { Health, InjectLogger, type Logger, Metrics } from '@holdfast/platform';
import type { FeedConsumers } from '@holdfast/projections';
import { type BeforeApplicationShutdown, type DynamicModule, Inject, Module } from '@nestjs/common';
import { observeFloors } from './observe-floors.js';
import { observeScrubber, tellRecovery } from './observe-integrity.js';
import { observeRetention } from './observe-retention.js';
import { observeState } from './observe-state.js';
import { type ObservedWriter, observeWriter } from './observe-writer.js';

export interface LogTelemetryOptions {
  /** Open. Closed by somebody else, after this module has stopped. */
  readonly writer: ObservedWriter;
  /** Whoever reads the feed. */
  readonly consumers: FeedConsumers;
  /** How the log is read over and over in search of damage; not at all when left out. */
  readonly scrub?: ScrubSettings | undefined;
  /** Floors and retention are observed too. Stopped by whoever made it. */
  readonly operations?: LogOperations | undefined;
}

const OPTIONS = Symbol('the log to observe');
const NO_SCRUBBING: ScrubSettings = { bytesPerSecond: 0, pauseSeconds: 1 };
const MILLIS_A_SECOND = 1_000;

/** The health and the figures of a log, its writer and its care; and the scrubber, which reads the log in search of damage. */
@Module({})
export class LogTelemetryModule implements BeforeApplicationShutdown {
  private readonly scrubber: LogScrubber;

  constructor(
    @Inject(OPTIONS) { writer, consumers, scrub, operations }: LogTelemetryOptions,
    @InjectLogger() logger: Logger,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
  ) {
    const { log } = writer;
    const { bytesPerSecond, pauseSeconds } = scrub ?? NO_SCRUBBING;
    assertScrub({ bytesPerSecond, pauseSeconds });
    tellRecovery(log.wal.recovered, logger, metrics);
    this.scrubber = new LogScrubber(log.wal.maintenance, {
      ...{ bytesPerSecond, pauseMillis: pauseSeconds * MILLIS_A_SECOND, logger },
    });
    observeScrubber(this.scrubber, health, metrics);
    this.scrubber.start();
    observeWriter(writer, consumers, { health, metrics });
    observeState(log, health, metrics);
    if (operations === undefined) return;
    observeFloors(operations.floors, health, metrics);
    observeRetention(operations.retention, metrics);
  }

  static forRoot(options: LogTelemetryOptions): DynamicModule {
    return { module: LogTelemetryModule, providers: [{ provide: OPTIONS, useValue: options }] };
  }

  /** Before the log is closed, which gives up the segment that is being read. */
  beforeApplicationShutdown(): void {
    this.scrubber.stop();
  }
}
