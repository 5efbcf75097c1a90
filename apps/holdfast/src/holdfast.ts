import type { HoldfastConfiguration } from '@holdfast/config';
import {
  type FollowedProjection,
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  LedgerProjectionModule,
  LedgerQueriesModule,
  type LedgerWriter,
  ledgerProjection,
  openLedgerWriter,
} from '@holdfast/ledger-service';
import {
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  createHttpApplication,
} from '@holdfast/platform';
import { SqliteReadModel } from '@holdfast/projections';
import { type DynamicModule, Module } from '@nestjs/common';
import { ProjectionThread } from './projection-thread.js';

export interface StartedHoldfast {
  readonly application: HttpApplication;
  readonly url: string;
}

/** Commands, queries and, in a thread of its own, the projection between them: one process, one port, one data directory. */
export async function startHoldfast(
  configuration: HoldfastConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<StartedHoldfast> {
  const { http, service, storage, wal } = configuration;
  // First of all: whoever has the log has the data directory.
  const writer = await openLedgerWriter(storage.walDirectory, { wal, logger, lifecycle });
  const { walDirectory, readModelDirectory } = storage;
  const projection = await ProjectionThread.start(
    { walDirectory, readModelDirectory, logLevel: service.logLevel },
    (error) => lifecycle.fatal(error),
  );
  const application = await createHttpApplication(
    HoldfastModule.forRoot(configuration, writer, projection),
    {
      logger,
      lifecycle,
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
      bodyBytesMax: service.bodyBytesMax,
      openApi: LEDGER_OPEN_API,
    },
  );
  return { application, url: await application.listen(http.port, service.host) };
}

@Module({})
class HoldfastModule {
  static forRoot(
    { storage, scrub, queries }: HoldfastConfiguration,
    writer: LedgerWriter,
    projection: FollowedProjection,
  ): DynamicModule {
    const readModel = SqliteReadModel.open({
      directory: storage.readModelDirectory,
      projection: ledgerProjection,
    });
    return {
      module: HoldfastModule,
      imports: [
        LedgerCommandsModule.forRoot({ writer, scrub }),
        LedgerQueriesModule.forRoot({
          readModel,
          waitMillisMax: queries.waitMillisMax,
          durablePosition: () => writer.log.durablePosition,
        }),
        LedgerProjectionModule.forRoot({ projection }),
      ],
    };
  }
}
