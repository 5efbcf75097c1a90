import { assert } from '@holdfast/kernel';
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js';
import type { EventFeed, FeedOptions, FeedSubscription } from './event-feed.js';
import { MESSAGE_BYTES_MAX, PORTION_BYTES, WINDOW_BYTES, followMethod } from './feed-protocol.js';
import { GrpcSubscription } from './grpc-subscription.js';

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
  /** Most bytes of events that the server may have under way to this client. Default 4 MiB, at least 256 KiB. */
  readonly windowBytes?: number;
  /** After so long without a message, while one is waited for, the server counts as gone. Default 10,000. */
  readonly silenceMillis?: number;
}

/** A dead peer is noticed by pings, and one that came back is tried again soon: the caller's back-off decides when. */
const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};
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
    const { rootCertificates, privateKey, certificateChain } = options.tls ?? {};
    this.client = new Client(
      options.url,
      options.tls === undefined
        ? credentials.createInsecure()
        : credentials.createSsl(rootCertificates, privateKey, certificateChain),
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
