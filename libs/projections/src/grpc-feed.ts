import { assert } from '@holdfast/kernel';
import type { EventFeed, FeedOptions, FeedSubscription } from './event-feed.js';

/** Paths are read by the caller: these are the PEM texts. */
export interface GrpcFeedTls {
  readonly rootCertificates?: Buffer;
  readonly privateKey?: Buffer;
  readonly certificateChain?: Buffer;
}

export interface GrpcFeedOptions {
  /** `host:port` of the command service's feed. */
  readonly url: string;
  /** Plain text when left out. */
  readonly tls?: GrpcFeedTls;
  /** Most bytes of events that the server may have under way to this client. Default 4 MiB. */
  readonly windowBytes?: number;
  /** After so long without a message the server counts as gone. Default 10,000. */
  readonly silenceMillis?: number;
}

/** The feed of a command service, over gRPC. One stream a subscription; trying again is the caller's part. */
export class GrpcFeed implements EventFeed {
  constructor(options: GrpcFeedOptions) {
    notBuiltYet(options);
  }

  open(options: FeedOptions): FeedSubscription {
    return notBuiltYet(options);
  }

  close(): Promise<void> {
    return notBuiltYet();
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
