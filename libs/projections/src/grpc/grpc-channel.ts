import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { MESSAGE_BYTES_MAX } from './feed-protocol.js';

/** Paths are read by the caller: these are the PEM texts. */
export interface GrpcFeedTls {
  readonly rootCertificates?: Buffer;
  readonly privateKey?: Buffer;
  readonly certificateChain?: Buffer;
}

/** A dead peer is noticed by pings, and one that came back is tried again soon: the caller's back-off decides when. */
export const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};

/** Plain text when there is no TLS. */
export function channelCredentials(tls: GrpcFeedTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  return credentials.createSsl(tls.rootCertificates, tls.privateKey, tls.certificateChain);
}
