import type { EventSource } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { type DynamicModule, type InjectionToken, Module } from '@nestjs/common';
import type { GrpcOptions } from '@nestjs/microservices';
import type { FeedConsumers } from './feed-consumers.js';

export interface EventFeedModuleOptions {
  readonly source: EventSource;
  /** Filled with whoever connects, for metrics. */
  readonly consumers?: FeedConsumers;
}

export interface EventFeedModuleAsyncOptions extends Pick<DynamicModule, 'imports'> {
  readonly inject?: InjectionToken[];
  readonly useFactory: (
    ...injected: never[]
  ) => EventFeedModuleOptions | Promise<EventFeedModuleOptions>;
}

/** Serves a log's feed to other processes: import it, and connect `eventFeedMicroservice` to the application. */
@Module({})
export class EventFeedModule {
  static register(options: EventFeedModuleOptions): DynamicModule {
    return notBuiltYet(options);
  }

  /** When the log is opened by another module's provider. */
  static registerAsync(options: EventFeedModuleAsyncOptions): DynamicModule {
    return notBuiltYet(options);
  }
}

export interface EventFeedServerOptions {
  /** `host:port` to listen on. */
  readonly url: string;
  /** Plain text when left out. PEM texts; `rootCertificates` given: clients must present a certificate. */
  readonly tls?: {
    readonly privateKey: Buffer;
    readonly certificateChain: Buffer;
    readonly rootCertificates?: Buffer;
  };
}

/** What `app.connectMicroservice` takes to serve the feed. */
export function eventFeedMicroservice(options: EventFeedServerOptions): GrpcOptions {
  return notBuiltYet(options);
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
