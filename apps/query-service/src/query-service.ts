import type { QueryServiceConfiguration } from '@holdfast/config';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerQueriesModule,
  ledgerProjection,
} from '@holdfast/ledger-service';
import {
  type ForwardedRoute,
  type HealthReport,
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  createHttpApplication,
  forwardRequests,
} from '@holdfast/platform';
import { SqliteReadModel } from '@holdfast/projections';

/** Whatever writes; and whether a command happened, which only the writer knows. */
const COMMANDS: readonly ForwardedRoute[] = [
  { path: '/v1/ledgers/*', methods: ['PUT', 'POST', 'PATCH'] },
  { path: '/v1/ledgers/:ledger/commands/:key', methods: ['GET'] },
];

/** Health is asked for often, and a command service that is away must not make it late. */
const HEALTH_MILLIS_MAX = 500;

/** The front door: queries answered from the read model, commands handed to the command service. */
export async function startQueryService(
  { http, service, storage, queries, commands }: QueryServiceConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<HttpApplication> {
  const readModel = SqliteReadModel.open({
    directory: storage.readModelDirectory,
    projection: ledgerProjection,
  });
  const { waitMillisMax } = queries;
  const application = await createHttpApplication(
    LedgerQueriesModule.forRoot({
      readModel,
      waitMillisMax,
      logPosition: () => positionOf(commands.url),
    }),
    {
      logger,
      lifecycle,
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
      bodyBytesMax: service.bodyBytesMax,
      openApi: LEDGER_OPEN_API,
    },
  );
  forwardRequests(application, { upstream: commands.url, routes: COMMANDS });
  const url = await application.listen(http.port, service.host);
  logger.info({ url, commands: commands.url }, 'serving queries, forwarding commands');
  return application;
}

/** Where the log stands, as the command service says in its health; undefined when it does not answer, which is no fault of queries. */
async function positionOf(commandUrl: string): Promise<number | undefined> {
  const signal = AbortSignal.timeout(HEALTH_MILLIS_MAX);
  const answer = await fetch(`${commandUrl}/health/ready`, { signal });
  const { facts } = (await answer.json()) as HealthReport;
  const position = facts?.['durablePosition'];
  return typeof position === 'number' ? position : undefined;
}
