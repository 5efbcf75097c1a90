import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Health, Metrics } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import {
  observeFloors,
  observeRetention,
  observeState,
  LogIntegrityModule,
  type LogIntegrityOptions,
  observeWriter,
} from '@holdfast/administration';
import type { LogOperations } from '@holdfast/operations';
import { LedgerWriter } from '../write-side/ledger-writer.js';
import { BulkController } from './bulk/bulk.controller.js';
import { BulkEndpoint } from './bulk/bulk-endpoint.js';
import { ChangeAccountController } from './change-account/change-account.controller.js';
import { ChangeTransferMetadataController } from './change-transfer-metadata/change-transfer-metadata.controller.js';
import { FindCommandController } from './find-command/find-command.controller.js';
import { CommandEndpoint } from './http/command-endpoint.js';
import { OpenAccountController } from './open-account/open-account.controller.js';
import { OpenLedgerController } from './open-ledger/open-ledger.controller.js';
import { PostTransferController } from './post-transfer/post-transfer.controller.js';
import { RegisterAssetController } from './register-asset/register-asset.controller.js';
import { SetAccountStatusController } from './set-account-status/set-account-status.controller.js';

const NO_SCRUBBING: LogIntegrityOptions['scrub'] = { bytesPerSecond: 0, pauseSeconds: 1 };
const OPERATIONS = Symbol('the operations of the log');

export const COMMAND_CONTROLLERS = [
  OpenLedgerController,
  RegisterAssetController,
  OpenAccountController,
  ChangeAccountController,
  SetAccountStatusController,
  PostTransferController,
  ChangeTransferMetadataController,
  BulkController,
  FindCommandController,
] as const;

export interface LedgerCommandsOptions {
  /** Open, and replayed. The module closes it when the application is closed. */
  readonly writer: LedgerWriter;
  /** How the log is read over and over in search of damage; not at all when left out. */
  readonly scrub?: LogIntegrityOptions['scrub'];
  /** Whoever reads the feed. One of its own when left out. */
  readonly consumers?: FeedConsumers;
  /** Serves the feed of the log, and ends its streams before this module closes the log. Not served when left out. */
  readonly feed?: DynamicModule;
  /** Observed here; whoever made it stops it before this module is closed. */
  readonly operations?: LogOperations;
}

/** The write side over HTTP, its health and figures. */
@Module({})
export class LedgerCommandsModule implements OnApplicationShutdown {
  constructor(
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    @Inject(FeedConsumers) consumers: FeedConsumers,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
    @Inject(OPERATIONS) operations: LogOperations | null,
  ) {
    observeWriter(writer, consumers, { health, metrics });
    observeState(writer.log, health, metrics);
    if (operations === null) return;
    observeFloors(operations.floors, health, metrics);
    observeRetention(operations.retention, metrics);
  }

  static forRoot({
    writer,
    scrub = NO_SCRUBBING,
    consumers = new FeedConsumers(),
    feed,
    operations,
  }: LedgerCommandsOptions): DynamicModule {
    return {
      module: LedgerCommandsModule,
      imports: [...(feed ? [feed] : []), LogIntegrityModule.forRoot({ log: writer.log, scrub })],
      controllers: [...COMMAND_CONTROLLERS],
      providers: [
        { provide: LedgerWriter, useValue: writer },
        { provide: FeedConsumers, useValue: consumers },
        { provide: OPERATIONS, useValue: operations ?? null },
        CommandEndpoint,
        BulkEndpoint,
      ],
      exports: [LedgerWriter],
    };
  }

  /** What a front door shows in its OpenAPI document: the controllers and what they are made of, without a log. */
  static described(): DynamicModule {
    return {
      module: DescribedCommandsModule,
      controllers: [...COMMAND_CONTROLLERS],
      providers: [{ provide: LedgerWriter, useValue: undefined }, CommandEndpoint, BulkEndpoint],
    };
  }

  /** Everything admitted is made durable, and the log's lock is released. */
  async onApplicationShutdown(): Promise<void> {
    await this.writer.close();
  }
}

@Module({})
class DescribedCommandsModule {}
