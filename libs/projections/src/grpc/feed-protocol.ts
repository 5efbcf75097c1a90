import { defined } from '@holdfast/kernel';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { type Options, loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

/** What `event-feed.proto` describes, as the loader makes it with `PROTO_LOADER`. */
export interface FromConsumer {
  readonly open?: WireOpen | null;
  readonly credit?: { readonly upToBytes: number } | null;
  readonly applied?: { readonly position: number; readonly volatile?: boolean } | null;
}

export interface WireOpen {
  readonly consumer: string;
  readonly from?: WireCursor | null;
  readonly filter?: WireFilter | null;
  readonly batchEvents: number;
  readonly keepsFloor?: boolean;
  readonly whole?: boolean;
}

export interface WireReport {
  readonly consumer: string;
  readonly reporter: string;
  readonly applied?: WireCursor | null;
  readonly durable?: WireCursor | null;
  readonly ended: boolean;
}

export type WireReportAnswer = Readonly<Record<string, never>>;

export interface WireCursor {
  readonly logId: string;
  readonly position: number;
  readonly timeline: string;
}

export interface WireFilter {
  readonly types: readonly string[];
  readonly streamPrefix: string;
  readonly tags: readonly string[];
}

export interface FromSource {
  readonly portion?: WirePortion | null;
  readonly shortage?: { readonly upToBytes: number } | null;
}

export interface WirePortion {
  readonly events: readonly WireEvent[];
  readonly cursor?: WireCursor | null;
  readonly head: number;
  readonly sentBytes: number;
}

export interface WireEvent {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly recordedAtMillis: number;
  readonly tags: readonly string[];
  readonly metadataJson: string;
  readonly dataJson: string;
  readonly endsCommit: boolean;
}

/**
 * A portion is closed once it has so many bytes of events; only a single larger event makes a larger one. A commit travels in as
 * many portions as it needs, so its size is bounded by the log and not by the transport.
 */
export const PORTION_BYTES = 128 * 1024;
/** One event, as JSON of a record of at most 16 MiB with room for what an upcaster adds, and one portion beside it. */
export const MESSAGE_BYTES_MAX = 48 * 1024 * 1024;
/** What a client lets the server have under way to it, unless told otherwise. */
export const WINDOW_BYTES = 4 * 1024 * 1024;
/** The most events that a consumer may ask for in one batch. */
export const BATCH_EVENTS_MAX = 10_000;
/** What each event counts beside its texts, and each portion by itself: the most that numbers, lengths and framing take. */
export const OVERHEAD_BYTES = 64;
export const TAG_OVERHEAD_BYTES = 4;
/** Where the stable code of a failure travels, and its details as JSON. */
export const CODE_KEY = 'holdfast-code';
export const DETAILS_KEY = 'holdfast-details-bin';

export const FEED_PACKAGE = 'holdfast.feed.v1';
export const FEED_SERVICE = 'EventFeed';
export const PROTO_PATH = fileURLToPath(new URL('./event-feed.proto', import.meta.url));

/** Positions and byte counts are safe integers, which both ends check, so a number loses nothing here. */
export const PROTO_LOADER = { longs: Number, defaults: true, oneofs: true } satisfies Options;

/** The method as gRPC itself wants it: its path, and how to write and read its messages. */
export function followMethod(): MethodDefinition<FromConsumer, FromSource> {
  return method('Follow') as MethodDefinition<FromConsumer, FromSource>;
}

export function reportMethod(): MethodDefinition<WireReport, WireReportAnswer> {
  return method('Report') as MethodDefinition<WireReport, WireReportAnswer>;
}

function method(name: string): ServiceDefinition[string] {
  const loaded = loadSync(PROTO_PATH, PROTO_LOADER)[`${FEED_PACKAGE}.${FEED_SERVICE}`];
  const service = defined(loaded, 'the service in event-feed.proto') as ServiceDefinition;
  return defined(service[name], 'the method in event-feed.proto');
}
