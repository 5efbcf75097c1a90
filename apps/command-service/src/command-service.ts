import type { CommandServiceConfiguration } from '@holdfast/config';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_OPEN_API,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  openLedgerWriter,
} from '@holdfast/ledger-service';
import {
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  createHttpApplication,
} from '@holdfast/platform';
import { eventFeedMicroservice } from '@holdfast/projections';

/** The write side alone: commands over HTTP, and the feed of what they made over gRPC. */
export async function startCommandService(
  { http, service, storage, wal, scrub, feedServer }: CommandServiceConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<HttpApplication> {
  const writer = await openLedgerWriter(storage.walDirectory, { wal, logger, lifecycle });
  const application = await createHttpApplication(LedgerCommandsModule.forRoot({ writer, scrub }), {
    logger,
    lifecycle,
    problems: LEDGER_PROBLEMS,
    codedErrors: LEDGER_CODED_ERRORS,
    bodyBytesMax: service.bodyBytesMax,
    openApi: LEDGER_OPEN_API,
  });
  const feedHost = service.host.includes(':') ? `[${service.host}]` : service.host;
  const feedUrl = `${feedHost}:${feedServer.port}`;
  application.nest.connectMicroservice(eventFeedMicroservice({ url: feedUrl }));
  await application.nest.startAllMicroservices();
  const url = await application.listen(http.port, service.host);
  logger.info({ url, feed: feedUrl }, 'serving commands and the feed');
  return application;
}
