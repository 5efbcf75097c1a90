import type { HoldfastConfiguration } from '@holdfast/config';
import { errorCode } from '@holdfast/kernel';
import { assertAdminServable, startAdmin } from '@holdfast/administration';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  LedgerOutletModule,
  LedgerProjectionModule,
  LedgerQueriesModule,
  type LedgerWriter,
  type QueryAsker,
  assertReadModelPlace,
  badEventPolicyOf,
  ledgerOperations,
  openLedgerWriter,
  queryAsker,
  readModelPlace,
} from '@holdfast/ledger-service';
import { LogOperations } from '@holdfast/operations';
import {
  type Logger,
  type ServiceLifecycle,
  type StoppableService,
  assertPlacesFree,
  createHttpApplication,
  servicesTogether,
} from '@holdfast/platform';
import { FeedConsumers, type FollowedProjection, ProjectionThread } from '@holdfast/projections';
import { type DynamicModule, Module } from '@nestjs/common';
import type { OutletsThreadData } from './outlets.worker.js';
import type { ProjectionThreadData } from './projection.worker.js';

export interface StartedHoldfast {
  readonly service: StoppableService;
  readonly url: string;
}

/**
 * Commands, queries and, in a thread of its own, the projection between them: one process, one data directory, one port, and one more for the
 * operator.
 */
export async function startHoldfast(
  configuration: HoldfastConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<StartedHoldfast> {
  const { http, service, storage, wal, state, clock, floors, retention, admin, readModel } =
    configuration;
  const place = readModelPlace(storage, configuration.readModelPlace);
  // Before anything is made: what is wrong with the configuration leaves no directory behind.
  assertAdminServable(admin);
  await assertReadModelPlace(place);
  await assertPlacesFree(
    { port: http.port, host: service.host, variable: 'HOLDFAST_HTTP_PORT' },
    { port: admin.port, host: admin.host, variable: 'HOLDFAST_ADMIN_PORT' },
  );
  // Then the log: whoever has it has the data directory.
  const archives = retention.policy === 'archive';
  const writer = await openLedgerWriter({
    ...{ storage, wal, state, clock, archives, logger, lifecycle },
  });
  const { walDirectory, archiveDirectory } = storage;
  const consumers = new FeedConsumers();
  const threadData: ProjectionThreadData = {
    ...{ walDirectory, archiveDirectory, readModel: place },
    divergence: readModel.diverged,
    badEvents: badEventPolicyOf(readModel),
    logLevel: service.logLevel,
  };
  const projection = await ProjectionThread.start(
    new URL('./projection.worker.js', import.meta.url),
    threadData,
    {
      onFailure: (error) => {
        if (concernsReadModelOnly(error))
          logger.error({ err: error }, 'the projection cannot go on; commands do');
        else lifecycle.fatal(error);
      },
      onReport: (report) => consumers.report(report),
    },
  );
  const outlet = await startOutlet(configuration, consumers, logger, lifecycle);
  const operations = new LogOperations({
    ...{ log: writer.log, consumers, logger, floors, retention },
  });
  const asker = await queryAsker(place);
  const application = await createHttpApplication(
    HoldfastModule.forRoot(configuration, {
      writer,
      consumers,
      operations,
      projection,
      outlet,
      asker,
    }),
    {
      logger,
      lifecycle,
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
      bodyBytesMax: service.bodyBytesMax,
      bodiesBytesMax: service.bodiesBytesMax,
      openApi: LEDGER_OPEN_API,
    },
  );
  const administration = await startAdmin({
    ...{ service: ledgerOperations(storage, place), operations, logger, lifecycle, admin },
    directories: storage,
    backupDirectory: admin.backupDirectory,
  });
  const url = await application.listen(http.port, service.host, 'HOLDFAST_HTTP_PORT');
  // Administration first: its work on the log ends before the log is closed.
  return { service: servicesTogether(administration, application), url };
}

/** Publishes in a thread of its own, because each sync of a position would hold up a command. Whatever the other system does, commands go on. */
async function startOutlet(
  { nats, storage, service }: HoldfastConfiguration,
  consumers: FeedConsumers,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<FollowedProjection | undefined> {
  if (nats.url === '') return undefined;
  const { walDirectory, archiveDirectory, outletsFile } = storage;
  const { url, stream, subject } = nats;
  const threadData: OutletsThreadData = {
    ...{ walDirectory, archiveDirectory, outletsFile, logLevel: service.logLevel },
    nats: { url, stream, subject },
  };
  return await ProjectionThread.start(new URL('./outlets.worker.js', import.meta.url), threadData, {
    onFailure: (error) => {
      if (errorCode(error) === 'PROJECTION_THREAD_ENDED') lifecycle.fatal(error);
      else logger.error({ err: error }, 'the outlet cannot go on; commands do');
    },
    onReport: (report) => consumers.report(report),
  });
}

/**
 * A read model is derived from the log: whatever is wrong with it, commands go on, and `/health/ready` says what is wrong. A log that is damaged, or a thread that
 * ended, concerns the whole process.
 */
function concernsReadModelOnly(error: unknown): boolean {
  return /^(READ_MODEL|FEED|PROJECTION_FAILED)/.test(errorCode(error) ?? '');
}

interface HoldfastParts {
  readonly writer: LedgerWriter;
  readonly consumers: FeedConsumers;
  readonly operations: LogOperations;
  readonly projection: FollowedProjection;
  readonly asker: QueryAsker;
  readonly outlet: FollowedProjection | undefined;
}

@Module({})
class HoldfastModule {
  static forRoot(
    { scrub, queries, events, http }: HoldfastConfiguration,
    { writer, consumers, operations, projection, outlet, asker }: HoldfastParts,
  ): DynamicModule {
    return {
      module: HoldfastModule,
      imports: [
        LedgerCommandsModule.forRoot({
          ...{ writer, scrub, consumers, operations },
          streams: { streamsMax: events.streamsMax, streamsOfClientMax: http.streamsOfClientMax },
        }),
        LedgerQueriesModule.forRoot({
          asker,
          waitMillisMax: queries.waitMillisMax,
          durablePosition: () => writer.log.durablePosition,
          log: { look: () => writer.log, ask: () => Promise.resolve(writer.log) },
        }),
        LedgerProjectionModule.forRoot({ projection }),
        ...(outlet === undefined ? [] : [LedgerOutletModule.forRoot(outlet)]),
      ],
    };
  }
}
