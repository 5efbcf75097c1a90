import type { QueryServiceConfiguration } from '@holdfast/config';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  LedgerQueriesModule,
  type QueryAsker,
  type ReadModelPlace,
  assertReadModelPlace,
  commandRoutes,
  queryAsker,
  readModelPlace,
} from '@holdfast/ledger-service';
import { assertUsableDirectory } from '@holdfast/event-store/reading';
import {
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  createHttpApplication,
} from '@holdfast/platform';
import { forwardRequests } from '@holdfast/platform/forwarding';
import { CommandLog } from './command-log.js';

/** The front door: queries answered from the read model, commands handed to the command service. */
export async function startQueryService(
  {
    http,
    service,
    storage,
    queries,
    commands,
    events,
    ...configuration
  }: QueryServiceConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
  askerOf: (place: ReadModelPlace) => QueryAsker | Promise<QueryAsker> = queryAsker,
): Promise<HttpApplication> {
  const place = readModelPlace(storage, configuration.readModelPlace);
  await assertReadModelPlace(place);
  if (place.postgres === undefined) assertUsableDirectory(storage.readModelDirectory, 'read');
  const { waitMillisMax } = queries;
  const log = new CommandLog(commands.url);
  const application = await createHttpApplication(
    LedgerQueriesModule.forRoot({
      asker: await askerOf(place),
      waitMillisMax,
      log,
    }),
    {
      logger,
      lifecycle,
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
      bodyBytesMax: service.bodyBytesMax,
      bodiesBytesMax: service.bodiesBytesMax,
      openApi: { ...LEDGER_OPEN_API, elsewhere: LedgerCommandsModule.described() },
    },
  );
  application.fastify.addHook('onClose', () => log.close());
  forwardRequests(application, {
    upstream: commands.url,
    routes: commandRoutes(),
    streamLimits: { streamsMax: events.streamsMax, streamsOfClientMax: http.streamsOfClientMax },
    // It may be a process that has just begun, on another log: whoever is answered 201 by it and asks next is not to be answered from the one that was seen before.
    onConnect: () => void log.ask(),
  });
  const url = await application.listen(http.port, service.host, 'HOLDFAST_HTTP_PORT');
  logger.info({ url, commands: commands.url }, 'serving queries, forwarding commands');
  return application;
}
