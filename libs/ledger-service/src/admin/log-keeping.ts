import type { Logger } from '@holdfast/platform';
import type { FeedConsumers } from '@holdfast/projections';
import type { LedgerWriter } from '../write-side/ledger-writer.js';
import { ConsumerFloors, type FloorLimits } from './floors/consumer-floors.js';
import { Jobs } from './jobs/jobs.js';

export interface LogKeepingOptions {
  readonly writer: LedgerWriter;
  readonly consumers: FeedConsumers;
  readonly logger: Logger;
  readonly floors: FloorLimits;
}

/** What the owner of a log does beside taking commands: floors, and long work on the log. */
export class LogKeeping {
  readonly floors: ConsumerFloors;
  readonly jobs: Jobs;

  constructor(options: LogKeepingOptions) {
    const { writer, consumers, logger, floors } = options;
    this.floors = new ConsumerFloors({ log: writer.log, consumers, logger, limits: floors });
    this.jobs = new Jobs({ logger });
  }

  /** Nothing touches the log any more once this resolves. */
  async stop(): Promise<void> {
    this.floors.stop();
    await this.jobs.close();
  }
}
