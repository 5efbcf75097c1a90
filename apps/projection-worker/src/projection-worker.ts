import type { ProjectionWorkerConfiguration } from '@holdfast/config';
import { Upcasters } from '@holdfast/event-store';
import { ledgerEventSchemas } from '@holdfast/ledger';
import { LedgerProjectionModule, LedgerProjector } from '@holdfast/ledger-service';
import {
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  createHttpApplication,
} from '@holdfast/platform';
import { DirectoryFeed, type EventFeed, GrpcFeed } from '@holdfast/projections';

/** Follows the log into the read model, and says over HTTP how it goes. */
export async function startProjectionWorker(
  configuration: ProjectionWorkerConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<HttpApplication> {
  const { http, service, storage } = configuration;
  const projection = LedgerProjector.start({
    feed: feedOf(configuration, logger),
    readModelDirectory: storage.readModelDirectory,
    logger,
    onFailure: (error) => lifecycle.fatal(error),
  });
  const application = await createHttpApplication(LedgerProjectionModule.forRoot({ projection }), {
    logger,
    lifecycle,
  });
  const url = await application.listen(http.port, service.host);
  logger.info({ url }, 'serving health and metrics');
  return application;
}

function feedOf({ feed, storage }: ProjectionWorkerConfiguration, logger: Logger): EventFeed {
  const from = feed.kind === 'directory' ? storage.walDirectory : feed.address;
  logger.info({ feed: feed.kind, from, into: storage.readModelDirectory }, 'following the log');
  return feed.kind === 'directory'
    ? new DirectoryFeed(storage.walDirectory, { upcasters: new Upcasters(ledgerEventSchemas) })
    : new GrpcFeed({ url: feed.address });
}
