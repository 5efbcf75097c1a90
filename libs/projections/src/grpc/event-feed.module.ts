import type { EventSource } from '@holdfast/event-store';
import { ServerCredentials } from '@grpc/grpc-js';
import {
  type DynamicModule,
  Inject,
  type InjectionToken,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { EventFeedController } from './event-feed.controller.js';
import { FeedConsumers } from '../feed/feed-consumers.js';
import { FEED_PACKAGE, MESSAGE_BYTES_MAX, PROTO_LOADER, PROTO_PATH } from './feed-protocol.js';
import { FeedToken } from './feed-token.js';
import { SourceFeed } from '../feed/source-feed.js';

const MODULE_OPTIONS = Symbol('event feed module options');

export interface EventFeedModuleOptions {
  readonly source: EventSource;
  /** Filled with whoever connects, for metrics. */
  readonly consumers?: FeedConsumers;
  /** An idle feed says so this often. Default 1,000. */
  readonly heartbeatMillis?: number;
  /** Whoever does not send it is refused. Left out: everybody is served. */
  readonly token?: string | undefined;
}

export interface EventFeedModuleAsyncOptions extends Pick<DynamicModule, 'imports'> {
  readonly inject?: InjectionToken[];
  readonly useFactory: (
    ...injected: never[]
  ) => EventFeedModuleOptions | Promise<EventFeedModuleOptions>;
}

/**
 * Serves a log's feed to other processes: import it, and connect `eventFeedMicroservice` to the application. Exports
 * `FeedConsumers`, the list of who is connected.
 */
@Module({})
export class EventFeedModule implements OnApplicationShutdown {
  constructor(@Inject(SourceFeed) private readonly feed: SourceFeed) {}

  static register(options: EventFeedModuleOptions): DynamicModule {
    return EventFeedModule.registerAsync({ useFactory: () => options });
  }

  /** When the log is opened by another module's provider. */
  static registerAsync(options: EventFeedModuleAsyncOptions): DynamicModule {
    return {
      module: EventFeedModule,
      imports: options.imports ?? [],
      controllers: [EventFeedController],
      providers: [
        {
          provide: MODULE_OPTIONS,
          inject: options.inject ?? [],
          useFactory: options.useFactory,
        },
        {
          provide: SourceFeed,
          inject: [MODULE_OPTIONS],
          useFactory: ({ source, heartbeatMillis }: EventFeedModuleOptions) =>
            new SourceFeed(source, {
              ...(heartbeatMillis && { heartbeatMillis }),
              // A writer sees all that is durable: nothing beyond it becomes visible by waiting.
              visibilityMillisMax: 0,
            }),
        },
        {
          provide: FeedConsumers,
          inject: [MODULE_OPTIONS],
          useFactory: ({ consumers }: EventFeedModuleOptions) => consumers ?? new FeedConsumers(),
        },
        {
          provide: FeedToken,
          inject: [MODULE_OPTIONS],
          useFactory: ({ token }: EventFeedModuleOptions) => new FeedToken(token),
        },
      ],
      exports: [FeedConsumers],
    };
  }

  /** Ends the streams, so that nothing reads the log when its owner closes it. */
  onApplicationShutdown(): Promise<void> {
    return this.feed.close();
  }
}

export interface EventFeedServerOptions {
  /** `host:port` to listen on. */
  readonly url: string;
  /** Plain text when left out. PEM texts; with `rootCertificates` clients must present a certificate of theirs. */
  readonly tls?:
    | {
        readonly privateKey: Buffer;
        readonly certificateChain: Buffer;
        readonly rootCertificates?: Buffer;
      }
    | undefined;
}

/** What `app.connectMicroservice` takes to serve the feed. */
export function eventFeedMicroservice({ url, tls }: EventFeedServerOptions): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      url,
      package: FEED_PACKAGE,
      protoPath: PROTO_PATH,
      loader: PROTO_LOADER,
      maxSendMessageLength: MESSAGE_BYTES_MAX,
      keepalive: { keepaliveTimeMs: 10_000, keepaliveTimeoutMs: 5_000 },
      credentials: tls === undefined ? ServerCredentials.createInsecure() : secured(tls),
    },
  };
}

function secured(tls: NonNullable<EventFeedServerOptions['tls']>): ServerCredentials {
  const pair = { private_key: tls.privateKey, cert_chain: tls.certificateChain };
  const checkClients = tls.rootCertificates !== undefined;
  return ServerCredentials.createSsl(tls.rootCertificates ?? null, [pair], checkClients);
}
