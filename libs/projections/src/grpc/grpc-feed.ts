import { assert } from '@holdfast/kernel';
import { Client } from '@grpc/grpc-js';
import type { EventFeed, FeedOptions, FeedSubscription } from '../event-feed.js';
import { PORTION_BYTES, WINDOW_BYTES, followMethod } from './feed-protocol.js';
import { CHANNEL_OPTIONS, type GrpcFeedTls, channelCredentials } from './grpc-channel.js';
import { tokenMetadata } from './feed-token.js';
import { GrpcSubscription } from './grpc-subscription.js';

export interface GrpcFeedOptions {
  /** `host:port` of the command service's feed. */
  readonly url: string;
  /** Plain text when left out. */
  readonly tls?: GrpcFeedTls | undefined;
  /** What the server wants to hear from whom it serves. */
  readonly token?: string | undefined;
  /** Most bytes of events that the server may have under way to this client. Default 4 MiB, at least 256 KiB. */
  readonly windowBytes?: number;
  /** After so long without a message, while one is waited for, the server counts as gone. Default 10,000. */
  readonly silenceMillis?: number;
}

const SILENCE_MILLIS = 10_000;

/** The feed of a command service, over gRPC. One stream a subscription; trying again is the caller's part. */
export class GrpcFeed implements EventFeed {
  private readonly client: Client;
  private readonly method = followMethod();
  private readonly closing = new AbortController();
  private readonly windowBytes: number;

  constructor(private readonly options: GrpcFeedOptions) {
    this.windowBytes = options.windowBytes ?? WINDOW_BYTES;
    assert(this.windowBytes >= 2 * PORTION_BYTES, 'the window has room for two portions');
    this.client = new Client(
      options.url,
      channelCredentials(options.tls),
      // What may be under way is bounded by the credit; HTTP/2's own window of 64 KiB would only cost round trips.
      { ...CHANNEL_OPTIONS, 'grpc-node.flow_control_window': this.windowBytes },
    );
  }

  open(options: FeedOptions): FeedSubscription {
    return new GrpcSubscription(options, {
      url: this.options.url,
      windowBytes: this.windowBytes,
      silenceMillis: this.options.silenceMillis ?? SILENCE_MILLIS,
      closing: this.closing.signal,
      call: () =>
        this.client.makeBidiStreamRequest(
          this.method.path,
          this.method.requestSerialize,
          this.method.responseDeserialize,
          tokenMetadata(this.options.token),
        ),
    });
  }

  /** Ends every subscription. */
  close(): Promise<void> {
    this.closing.abort();
    this.client.close();
    return Promise.resolve();
  }
}
