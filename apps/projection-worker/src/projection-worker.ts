import type { ProjectionWorkerConfiguration } from '@holdfast/config';
import { Upcasters, assertUsableDirectory } from '@holdfast/event-store';
import { ledgerEventSchemas } from '@holdfast/ledger';
import {
  LedgerOutletModule,
  LedgerProjectionModule,
  LedgerProjector,
  assertReadModelPlace,
  badEventPolicyOf,
  openLedgerStore,
  readModelPlace,
} from '@holdfast/ledger-service';
import {
  type HttpApplication,
  type Logger,
  type ServiceLifecycle,
  assertPlacesFree,
  createHttpApplication,
} from '@holdfast/platform';
import {
  DirectoryFeed,
  type EventFeed,
  type FollowedProjection,
  type ReportTarget,
} from '@holdfast/projections';
import {
  type FeedSecurityFiles,
  GrpcFeed,
  GrpcReports,
  feedClientSecurity,
} from '@holdfast/projections/grpc';
import { type DynamicModule, Module } from '@nestjs/common';

/** Follows the log into the read model, and says over HTTP how it goes. */
export async function startProjectionWorker(
  configuration: ProjectionWorkerConfiguration,
  logger: Logger,
  lifecycle: ServiceLifecycle,
): Promise<HttpApplication> {
  const { http, service, storage, feed, readModel } = configuration;
  const place = readModelPlace(storage, configuration.readModelPlace);
  const into = await assertReadModelPlace(place);
  // Before anything is made in it.
  if (place.postgres === undefined) assertUsableDirectory(storage.readModelDirectory, 'make');
  if (feed.kind === 'directory') assertUsableDirectory(storage.walDirectory, 'read');
  await assertPlacesFree({
    port: http.port,
    host: service.host,
    variable: 'HOLDFAST_PROJECTION_HTTP_PORT',
  });
  const projection = LedgerProjector.start({
    feed: feedOf(configuration, into, logger),
    store: await openLedgerStore(place),
    divergence: readModel.diverged,
    badEvents: badEventPolicyOf(readModel),
    logger,
    onFailure: (error) => lifecycle.fatal(error),
  });
  const outlet = await startOutlet(configuration, logger);
  const application = await createHttpApplication(
    ProjectionWorkerModule.forRoot(projection, outlet),
    { logger, lifecycle },
  );
  const url = await application.listen(http.port, service.host, 'HOLDFAST_PROJECTION_HTTP_PORT');
  logger.info({ url }, 'serving health and metrics');
  return application;
}

/** What is published goes on where it stood, so the read model waits for nothing of it. */
async function startOutlet(
  configuration: ProjectionWorkerConfiguration,
  logger: Logger,
): Promise<FollowedProjection | undefined> {
  const { nats, storage } = configuration;
  if (nats.url === '') return undefined;
  const { LedgerNats } = await import('./nats.js');
  return LedgerNats.start({
    ...{
      feed: feedOf(configuration, 'NATS JetStream', logger),
      outletsFile: storage.outletsFile,
      nats,
      logger,
    },
    onFailure: (error) => logger.error({ err: error }, 'the outlet cannot go on'),
  });
}

@Module({})
class ProjectionWorkerModule {
  static forRoot(
    projection: FollowedProjection,
    outlet: FollowedProjection | undefined,
  ): DynamicModule {
    return {
      module: ProjectionWorkerModule,
      imports: [
        LedgerProjectionModule.forRoot({ projection }),
        ...(outlet === undefined ? [] : [LedgerOutletModule.forRoot(outlet)]),
      ],
    };
  }
}

function feedOf(
  { feed, storage }: ProjectionWorkerConfiguration,
  into: string,
  logger: Logger,
): EventFeed {
  const { kind, address, reportAddress, security } = feed;
  const from = kind === 'directory' ? storage.walDirectory : address;
  logger.info({ feed: kind, from, into }, 'following the log');
  if (kind === 'grpc') return new GrpcFeed({ url: address, ...feedClientSecurity(security) });
  return new DirectoryFeed(storage.walDirectory, {
    upcasters: new Upcasters(ledgerEventSchemas),
    archiveDirectory: storage.archiveDirectory,
    ...(reportAddress !== '' && { report: reportsTo(reportAddress, security, logger) }),
  });
}

/** The owner of the log is told how far this worker has come. It may be away: then it keeps what it last heard of. */
function reportsTo(address: string, security: FeedSecurityFiles, logger: Logger): ReportTarget {
  const reports = new GrpcReports({
    url: address,
    ...feedClientSecurity(security),
    onReach: (failure) => {
      if (failure === undefined) logger.info({ address }, 'reports to the log arrive again');
      else logger.warn({ address, err: failure }, 'reports to the log do not arrive');
    },
  });
  return reports.report;
}
