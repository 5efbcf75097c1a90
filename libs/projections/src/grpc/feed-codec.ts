import type { JsonObject, Position, RecordedEvent, StreamVersion } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { FeedCursor } from '../event-feed.js';
import {
  OVERHEAD_BYTES,
  TAG_OVERHEAD_BYTES,
  type WireCursor,
  type WireEvent,
} from './feed-protocol.js';

export function toWire(event: RecordedEvent): WireEvent {
  return {
    position: event.position,
    stream: event.stream,
    version: event.version,
    id: event.id,
    type: event.type,
    schemaVersion: event.schemaVersion,
    recordedAtMillis: event.recordedAtMillis,
    tags: event.tags,
    metadataJson: isEmpty(event.metadata) ? '' : JSON.stringify(event.metadata),
    dataJson: isEmpty(event.data) ? '' : JSON.stringify(event.data),
    endsCommit: event.endsCommit,
  };
}

/** What an event counts against the credit: no less than it takes. The source says the totals, so only the source counts. */
export function wireBytes(event: WireEvent): number {
  const { stream, id, type, tags, metadataJson, dataJson } = event;
  let bytes = OVERHEAD_BYTES;
  for (const text of [stream, id, type, metadataJson, dataJson]) bytes += Buffer.byteLength(text);
  for (const tag of tags) bytes += TAG_OVERHEAD_BYTES + Buffer.byteLength(tag);
  return bytes;
}

/** Throws `SyntaxError` for JSON that is none, `AssertionFailed` for numbers that cannot be: a broken source. */
export function fromWire(event: WireEvent): RecordedEvent {
  return {
    position: positionOf(event.position),
    stream: event.stream,
    version: positionOf(event.version) as number as StreamVersion,
    id: event.id,
    type: event.type,
    schemaVersion: event.schemaVersion,
    recordedAtMillis: event.recordedAtMillis,
    tags: event.tags,
    metadata: objectOf(event.metadataJson),
    data: objectOf(event.dataJson),
    endsCommit: event.endsCommit,
  };
}

export function cursorFromWire(cursor: WireCursor): FeedCursor {
  return {
    logId: cursor.logId,
    position: positionOf(cursor.position),
    timeline: cursor.timeline,
  };
}

export function positionOf(position: number): Position {
  assert(
    Number.isSafeInteger(position) && position >= 0,
    'a position on the wire is a safe integer',
  );
  return position as Position;
}

function isEmpty(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}

function objectOf(json: string): JsonObject {
  return json === '' ? {} : (JSON.parse(json) as JsonObject);
}
