import type { NewEvent, StreamVersion } from '../event.js';
import {
  EVENT_BYTES_MAX,
  EVENT_FORMAT_VERSION,
  EVENT_HEADER_BYTES,
  EVENT_ID_AT,
  FLAGS_AT,
  FORMAT_VERSION_AT,
  METADATA_BYTES_AT,
  RECORDED_AT_HIGH_AT,
  RECORDED_AT_LOW_AT,
  SCHEMA_VERSION_AT,
  SCHEMA_VERSION_MAX,
  STREAM_BYTES_AT,
  STREAM_BYTES_MAX,
  STREAM_VERSION_HIGH_AT,
  STREAM_VERSION_LOW_AT,
  TAGS_MAX,
  TAG_BYTES_MAX,
  TAG_COUNT_AT,
  TAG_HEADER_BYTES,
  TWO_TO_32,
  TYPE_BYTES_AT,
  TYPE_BYTES_MAX,
  U48_MAX,
} from './event-format.js';
import { writeEventId } from './event-id.js';
import { invalid, tooLarge } from '../event-store.errors.js';

/** An event with the place that the log is about to give it, its JSON already made. */
export interface PlacedEvent {
  readonly event: NewEvent;
  readonly stream: string;
  readonly version: StreamVersion;
  readonly recordedAtMillis: number;
  /** Without repetition. */
  readonly tags: readonly string[];
  /** Empty for no metadata. */
  readonly metadataJson: string;
  readonly dataJson: string;
}

/** Above this the buffer is given back once its commit is done: one large import must not pin it for ever. */
const RETAINED_BYTES_MAX = 1024 * 1024;
/** A character of UTF-16 becomes at most three bytes of UTF-8. */
const BYTES_PER_CHARACTER_MAX = 3;
/** Up to here the estimate above is cheaper than counting. */
const COUNTED_CHARACTERS_MIN = 4096;
const ASCII_END = 0x80;
/** Up to here a loop beats the call into C. */
const SHORT_CHARACTERS_MAX = 40;

/**
 * Encodes the events of one commit into one reused buffer. The records are views of it and die with the next `begin`: the
 * log copies what it admits.
 */
export class EventEncoder {
  private buffer = Buffer.allocUnsafeSlow(RETAINED_BYTES_MAX);
  private end = 0;
  /** Where each event of the commit ends. */
  private readonly ends: number[] = [];

  begin(): void {
    if (this.buffer.length > RETAINED_BYTES_MAX)
      this.buffer = Buffer.allocUnsafeSlow(RETAINED_BYTES_MAX);
    this.end = 0;
    this.ends.length = 0;
  }

  /** Throws `EVENT_INVALID` and `EVENT_TOO_LARGE`, naming what is wrong; the commit is then to be given up. */
  add(placed: PlacedEvent): void {
    const { event, tags } = placed;
    assertSchemaVersion(event);
    assertU48(placed.version, 'stream version');
    assertU48(placed.recordedAtMillis, 'time of recording');
    if (tags.length > TAGS_MAX)
      throw invalid(`an event has at most ${TAGS_MAX} tags, not ${tags.length}`);

    const start = this.end;
    this.makeRoom(bytesMax(placed));
    const { buffer } = this;
    buffer[start + FORMAT_VERSION_AT] = EVENT_FORMAT_VERSION;
    buffer[start + FLAGS_AT] = 0;
    buffer.writeUInt16LE(event.schemaVersion, start + SCHEMA_VERSION_AT);
    buffer.writeUInt32LE(placed.version % TWO_TO_32, start + STREAM_VERSION_LOW_AT);
    buffer.writeUInt16LE(Math.floor(placed.version / TWO_TO_32), start + STREAM_VERSION_HIGH_AT);
    buffer.writeUInt16LE(
      Math.floor(placed.recordedAtMillis / TWO_TO_32),
      start + RECORDED_AT_HIGH_AT,
    );
    buffer.writeUInt32LE(placed.recordedAtMillis % TWO_TO_32, start + RECORDED_AT_LOW_AT);
    if (typeof event.id !== 'string' || !writeEventId(buffer, start + EVENT_ID_AT, event.id))
      throw invalid(`the event id is not a UUID in lower case: ${event.id}`);

    const typeAt = start + EVENT_HEADER_BYTES;
    const streamAt = this.writeName(event.type, typeAt, TYPE_BYTES_MAX, 'event type');
    buffer[start + TYPE_BYTES_AT] = streamAt - typeAt;
    const tagsAt = this.writeName(placed.stream, streamAt, STREAM_BYTES_MAX, STREAM_NAME);
    buffer.writeUInt16LE(tagsAt - streamAt, start + STREAM_BYTES_AT);
    const metadataAt = this.writeTags(tags, tagsAt);
    buffer[start + TAG_COUNT_AT] = tags.length;
    const dataAt = metadataAt + writeText(buffer, placed.metadataJson, metadataAt);
    buffer.writeUInt32LE(dataAt - metadataAt, start + METADATA_BYTES_AT);
    const end = dataAt + writeText(buffer, placed.dataJson, dataAt);
    if (end - start > EVENT_BYTES_MAX) throw eventTooLarge(placed, end - start);
    this.end = end;
    this.ends.push(end);
  }

  /** What was added, in order, one record an event. */
  records(): Uint8Array[] {
    let start = 0;
    return this.ends.map((end) => {
      const record = this.buffer.subarray(start, end);
      start = end;
      return record;
    });
  }

  private makeRoom(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }

  private writeTags(tags: readonly string[], at: number): number {
    for (const tag of tags) {
      const end = this.writeName(tag, at + TAG_HEADER_BYTES, TAG_BYTES_MAX, 'tag');
      this.buffer.writeUInt16LE(end - at - TAG_HEADER_BYTES, at);
      at = end;
    }
    return at;
  }

  /** Returns where it ends. */
  private writeName(name: string, at: number, lengthMax: number, what: string): number {
    assertText(name, what);
    const length = name.length > lengthMax ? name.length : writeText(this.buffer, name, at);
    if (length > lengthMax) throw nameTooLong(lengthMax, what);
    return at + length;
  }
}

/** For a stream that is named and not written: the same rules. Throws `EVENT_INVALID`. */
export function assertStreamName(stream: string): void {
  assertText(stream, STREAM_NAME);
  if (Buffer.byteLength(stream) > STREAM_BYTES_MAX)
    throw nameTooLong(STREAM_BYTES_MAX, STREAM_NAME);
}

const STREAM_NAME = 'stream name';

function assertText(name: string, what: string): void {
  if (typeof name !== 'string' || name === '') throw invalid(`the ${what} is empty`);
  // Two names with lone surrogates would both be written as U+FFFD, and become one.
  if (!name.isWellFormed()) throw invalid(`the ${what} is not well-formed Unicode`);
}

function nameTooLong(bytesMax: number, what: string): Error {
  return invalid(`the ${what} is longer than ${bytesMax} bytes`);
}

function assertSchemaVersion({ schemaVersion }: NewEvent): void {
  if (Number.isInteger(schemaVersion) && schemaVersion >= 1 && schemaVersion <= SCHEMA_VERSION_MAX)
    return;
  throw invalid(`the schema version is from 1 to ${SCHEMA_VERSION_MAX}, not ${schemaVersion}`);
}

function assertU48(value: number, what: string): void {
  if (Number.isInteger(value) && value >= 0 && value <= U48_MAX) return;
  throw invalid(`the ${what} is a whole number up to ${U48_MAX}, not ${value}`);
}

/** Room enough for the event. Refuses early, and by what it takes, what is too large, before a buffer is made for it. */
function bytesMax(placed: PlacedEvent): number {
  const bodyBytes = textBytesMax(placed.metadataJson) + textBytesMax(placed.dataJson);
  if (bodyBytes > EVENT_BYTES_MAX) {
    const bytes = bytesOf(placed);
    if (bytes > EVENT_BYTES_MAX) throw eventTooLarge(placed, bytes);
  }
  const tagBytes =
    placed.tags.length * (TAG_HEADER_BYTES + TAG_BYTES_MAX * BYTES_PER_CHARACTER_MAX);
  const nameBytes = (TYPE_BYTES_MAX + STREAM_BYTES_MAX) * BYTES_PER_CHARACTER_MAX;
  return EVENT_HEADER_BYTES + nameBytes + tagBytes + bodyBytes;
}

/** Names that are none are refused later, by what is wrong with them. */
function bytesOf({ event, stream, tags, metadataJson, dataJson }: PlacedEvent): number {
  let bytes = EVENT_HEADER_BYTES + tags.length * TAG_HEADER_BYTES;
  for (const text of [event.type, stream, ...tags, metadataJson, dataJson])
    if (typeof text === 'string') bytes += Buffer.byteLength(text);
  return bytes;
}

function textBytesMax(text: string): number {
  return text.length < COUNTED_CHARACTERS_MIN
    ? text.length * BYTES_PER_CHARACTER_MAX
    : Buffer.byteLength(text);
}

/** Returns the bytes written. Nearly every name is short and ASCII. */
function writeText(target: Buffer, text: string, at: number): number {
  const { length } = text;
  if (length > SHORT_CHARACTERS_MAX) return target.write(text, at);
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code >= ASCII_END) return target.write(text, at);
    target[at + index] = code;
  }
  return length;
}

function eventTooLarge({ event, stream }: PlacedEvent, bytes: number): Error {
  return tooLarge(
    `an event has at most ${EVENT_BYTES_MAX} bytes; this ${event.type} for ${stream} has ${bytes}`,
    { bytes, bytesMax: EVENT_BYTES_MAX, type: event.type, stream },
  );
}
