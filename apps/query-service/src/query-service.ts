import type { QueryServiceConfiguration } from '@holdfast/config';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  LedgerQueriesModule,
  type QueryAsker,
  QueryThreads,
  assertUsableDirectory,
  commandRoutes,
  ledgerProjection,
} from '@holdfast/ledger-service';
import {
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  createHttpApplication,
  forwardRequests,
} from '@holdfast/platform';
import { SqliteReadModel } from '@holdfast/projections';
import { CommandLog } from './command-log.js';

function inThreads(_readModel: SqliteReadModel, readModelDirectory: string): QueryAsker {
  return new QueryThreads({ readModelDirectory });
}

/** The front door: queries answered from the read model, commands handed to the command service. */
export async function startQueryService(
  { http, service, storage, queries, commands }: QueryServiceConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
  askerOf: (readModel: SqliteReadModel, directory: string) => QueryAsker = inThreads,
): Promise<HttpApplication> {
  assertUsableDirectory(storage.readModelDirectory, 'read');
  const readModel = SqliteReadModel.open({
    directory: storage.readModelDirectory,
    projection: ledgerProjection,
  });
  const { waitMillisMax } = queries;
  const application = await createHttpApplication(
    LedgerQueriesModule.forRoot({
      readModel,
      asker: askerOf(readModel, storage.readModelDirectory),
      waitMillisMax,
      log: new CommandLog(commands.url),
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
  forwardRequests(application, { upstream: commands.url, routes: commandRoutes() });
  const url = await application.listen(http.port, service.host);
  logger.info({ url, commands: commands.url }, 'serving queries, forwarding commands');
  return application;
}
