import type { CommandServiceConfiguration } from '@holdfast/config';
import { assertAdminServable, startAdmin } from '@holdfast/administration';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  assertReadModelPlace,
  ledgerOperations,
  openLedgerWriter,
  readModelPlace,
} from '@holdfast/ledger-service/commands';
import { LogOperations } from '@holdfast/operations';
import {
  type Logger,
  type ServiceLifecycle,
  type StoppableService,
  assertPlacesFree,
  createHttpApplication,
  servicesTogether,
} from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import {
  EventFeedModule,
  eventFeedMicroservice,
  feedServerSecurity,
} from '@holdfast/projections/grpc';

/** The write side alone: commands over HTTP, the feed of what they made over gRPC, and the operator's API on a port of its own. */
export async function startCommandService(
  configuration: CommandServiceConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<StoppableService> {
  const {
    http,
    service,
    storage,
    wal,
    state,
    clock,
    scrub,
    floors,
    retention,
    admin,
    feedServer,
    events,
  } = configuration;
  const place = readModelPlace(storage, configuration.readModelPlace);
  // Before anything is made: what is wrong with the configuration leaves no directory behind.
  await assertReadModelPlace(place);
  assertAdminServable(admin);
  const { token, tls } = feedServerSecurity(feedServer.security);
  await assertPlacesFree(
    { port: http.port, host: service.host, variable: 'HOLDFAST_COMMAND_HTTP_PORT' },
    { port: feedServer.port, host: service.host, variable: 'HOLDFAST_FEED_PORT' },
    { port: admin.port, host: admin.host, variable: 'HOLDFAST_ADMIN_PORT' },
  );
  const archives = retention.policy === 'archive';
  const writer = await openLedgerWriter({
    ...{ storage, wal, state, clock, archives, logger, lifecycle },
  });
  const consumers = new FeedConsumers({ floorNames: feedServer.floorNames });
  const operations = new LogOperations({
    ...{ log: writer.log, consumers, logger, floors, retention },
  });
  const feed = EventFeedModule.register({ source: writer.log, consumers, token });
  const application = await createHttpApplication(
    LedgerCommandsModule.forRoot({
      ...{ writer, scrub, consumers, feed, operations },
      // Its clients are front doors, each of which bounds its own.
      streams: { streamsMax: events.streamsMax, streamsOfClientMax: events.streamsMax },
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
  const feedHost = service.host.includes(':') ? `[${service.host}]` : service.host;
  const feedUrl = `${feedHost}:${feedServer.port}`;
  application.nest.connectMicroservice(eventFeedMicroservice({ url: feedUrl, tls }));
  await application.nest.startAllMicroservices();
  const url = await application.listen(http.port, service.host, 'HOLDFAST_COMMAND_HTTP_PORT');
  logger.info({ url, feed: feedUrl }, 'serving commands and the feed');
  // Administration first: its work on the log ends before the log is closed.
  return servicesTogether(administration, application);
}
