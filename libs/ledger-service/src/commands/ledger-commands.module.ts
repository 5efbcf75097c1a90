import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { EventStreams } from '@holdfast/nestjs/events';
import type { StreamLimits } from '@holdfast/nestjs/http';
import { Metrics, ServiceLifecycle } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import { LogTelemetryModule, type ScrubSettings } from '@holdfast/administration';
import type { LogOperations } from '@holdfast/operations';
import { LedgerWriter } from '../write-side/ledger-writer.js';
import { BulkController } from './bulk/bulk.controller.js';
import { BulkEndpoint } from './bulk/bulk-endpoint.js';
import { ChangeAccountController } from './change-account/change-account.controller.js';
import { ChangeTransferMetadataController } from './change-transfer-metadata/change-transfer-metadata.controller.js';
import { FollowEventsController } from './follow-events/follow-events.controller.js';
import { FindCommandController } from './find-command/find-command.controller.js';
import { CommandEndpoint } from './http/command-endpoint.js';
import { OpenAccountController } from './open-account/open-account.controller.js';
import { OpenLedgerController } from './open-ledger/open-ledger.controller.js';
import { PostTransferController } from './post-transfer/post-transfer.controller.js';
import { RegisterAssetController } from './register-asset/register-asset.controller.js';
import { SetAccountStatusController } from './set-account-status/set-account-status.controller.js';

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
  FollowEventsController,
] as const;

export interface LedgerCommandsOptions {
  /** Open, and replayed. The module closes it when the application is closed. */
  readonly writer: LedgerWriter;
  /** How the log is read over and over in search of damage; not at all when left out. */
  readonly scrub?: ScrubSettings;
  /** Whoever reads the feed. One of its own when left out. */
  readonly consumers?: FeedConsumers;
  /** Serves the feed of the log, and ends its streams before this module closes the log. Not served when left out. */
  readonly feed?: DynamicModule;
  /** Observed here; whoever made it stops it before this module is closed. */
  readonly operations?: LogOperations;
  /** How many may read events at once. */
  readonly streams?: StreamLimits;
}

/** The write side over HTTP, its health and figures. */
@Module({})
export class LedgerCommandsModule implements OnApplicationShutdown {
  constructor(
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    @Inject(EventStreams) private readonly events: EventStreams,
    @Inject(Metrics) metrics: Metrics,
  ) {
    metrics.gaugeOf(
      'holdfast_event_streams',
      'Answers with events that are under way.',
      () => events.count,
    );
  }

  static forRoot({
    writer,
    scrub,
    consumers = new FeedConsumers(),
    feed,
    operations,
    streams,
  }: LedgerCommandsOptions): DynamicModule {
    return {
      module: LedgerCommandsModule,
      imports: [
        ...(feed ? [feed] : []),
        LogTelemetryModule.forRoot({ writer, consumers, scrub, operations }),
      ],
      controllers: [...COMMAND_CONTROLLERS],
      providers: [
        { provide: LedgerWriter, useValue: writer },
        {
          provide: EventStreams,
          inject: [ServiceLifecycle],
          useFactory: ({ stopping }: ServiceLifecycle) =>
            new EventStreams({ log: writer.log, stopping, ...streams }),
        },
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
      providers: [
        ...[LedgerWriter, EventStreams].map((provide) => ({ provide, useValue: undefined })),
        CommandEndpoint,
        BulkEndpoint,
      ],
    };
  }

  /** Everything admitted is made durable, and the log's lock is released. */
  async onApplicationShutdown(): Promise<void> {
    await this.events.close();
    await this.writer.close();
  }
}

@Module({})
class DescribedCommandsModule {}
