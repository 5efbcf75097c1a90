import { isUtf8 } from 'node:buffer';
import type { JsonObject, Position, RecordedEvent, StreamVersion } from '../event.js';
import {
  EVENT_FORMAT_VERSION,
  EVENT_HEADER_BYTES,
  EVENT_ID_AT,
  FLAGS_AT,
  FORMAT_VERSION_AT,
  METADATA_BYTES_AT,
  RECORDED_AT_HIGH_AT,
  RECORDED_AT_LOW_AT,
  SCHEMA_VERSION_AT,
  STREAM_BYTES_AT,
  STREAM_BYTES_MAX,
  STREAM_VERSION_HIGH_AT,
  STREAM_VERSION_LOW_AT,
  TAG_BYTES_MAX,
  TAG_COUNT_AT,
  TAG_HEADER_BYTES,
  TWO_TO_32,
  TYPE_BYTES_AT,
} from './event-format.js';
import { readEventId } from './event-id.js';
import { EventStoreError, corruptEvent } from '../event-store.errors.js';

const REPLACEMENT_CHARACTER = '\ufffd';
const SMALLEST_JSON_BYTES = 2;

/**
 * An encoded event, read field by field: what nobody asks for is never decoded, so that a filter looks at millions of
 * events a second and parses the JSON of those that pass. One view is moved along a scan; every value it hands out is
 * a copy.
 */
export class EventView {
  position = 0 as Position;
  endsCommit = false;
  private buffer: Buffer = Buffer.alloc(0);
  private start = 0;
  private typeEnd = 0;
  private streamEnd = 0;
  private tagsEnd = 0;
  private metadataEnd = 0;
  private end = 0;

  /**
   * Moves the view to the event in `buffer` from `start` to `end`, after checking that its lengths add up. Texts are checked when they are read: every getter of one may throw `EVENT_CORRUPT`.
   *
   * @throws `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`.
   */
  moveTo(
    position: Position,
    buffer: Buffer,
    start: number,
    end: number,
    endsCommit: boolean,
  ): this {
    this.position = position;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.endsCommit = endsCommit;
    if (end - start < EVENT_HEADER_BYTES) throw this.corrupt('it is shorter than its header');
    this.checkFormat();
    this.measure();
    return this;
  }

  get type(): string {
    return this.text(this.start + EVENT_HEADER_BYTES, this.typeEnd);
  }

  get stream(): string {
    return this.text(this.typeEnd, this.streamEnd);
  }

  get version(): StreamVersion {
    const high = this.u16(STREAM_VERSION_HIGH_AT);
    return (high * TWO_TO_32 + this.u32(STREAM_VERSION_LOW_AT)) as StreamVersion;
  }

  get schemaVersion(): number {
    return this.u16(SCHEMA_VERSION_AT);
  }

  get recordedAtMillis(): number {
    return this.u16(RECORDED_AT_HIGH_AT) * TWO_TO_32 + this.u32(RECORDED_AT_LOW_AT);
  }

  get id(): string {
    return readEventId(this.buffer, this.start + EVENT_ID_AT);
  }

  get tags(): string[] {
    const tags: string[] = [];
    for (let at = this.streamEnd; at < this.tagsEnd; at = this.tagEnd(at))
      tags.push(this.text(at + TAG_HEADER_BYTES, this.tagEnd(at)));
    return tags;
  }

  get metadata(): JsonObject {
    return this.tagsEnd === this.metadataEnd ? {} : this.json(this.tagsEnd, this.metadataEnd);
  }

  get data(): JsonObject {
    return this.json(this.metadataEnd, this.end);
  }

  /**
   * The event as a value of its own.
   *
   * @throws `EVENT_CORRUPT`.
   */
  toEvent(): RecordedEvent {
    return {
      position: this.position,
      stream: this.stream,
      version: this.version,
      id: this.id,
      type: this.type,
      schemaVersion: this.schemaVersion,
      recordedAtMillis: this.recordedAtMillis,
      tags: this.tags,
      metadata: this.metadata,
      data: this.data,
      endsCommit: this.endsCommit,
    };
  }

  hasType(type: Uint8Array): boolean {
    const at = this.start + EVENT_HEADER_BYTES;
    return type.length === this.typeEnd - at && this.hasBytes(type, at);
  }

  hasStreamPrefix(prefix: Uint8Array): boolean {
    return prefix.length <= this.streamEnd - this.typeEnd && this.hasBytes(prefix, this.typeEnd);
  }

  hasTag(tag: Uint8Array): boolean {
    for (let at = this.streamEnd; at < this.tagsEnd; at = this.tagEnd(at)) {
      const tagAt = at + TAG_HEADER_BYTES;
      if (tag.length === this.tagEnd(at) - tagAt && this.hasBytes(tag, tagAt)) return true;
    }
    return false;
  }

  private checkFormat(): void {
    const format = this.u8(FORMAT_VERSION_AT);
    const flags = this.u8(FLAGS_AT);
    if (format === EVENT_FORMAT_VERSION && flags === 0) return;
    throw new EventStoreError(
      'EVENT_UNSUPPORTED_FORMAT',
      `the event at position ${this.position} has format ${format} with flags ${flags}; this program reads format ${EVENT_FORMAT_VERSION} without flags`,
      { position: this.position, format, flags },
    );
  }

  private measure(): void {
    const typeBytes = this.u8(TYPE_BYTES_AT);
    const streamBytes = this.u16(STREAM_BYTES_AT);
    this.typeEnd = this.start + EVENT_HEADER_BYTES + typeBytes;
    this.streamEnd = this.typeEnd + streamBytes;
    if (typeBytes === 0 || streamBytes === 0 || streamBytes > STREAM_BYTES_MAX)
      throw this.corrupt('its type or its stream name has an impossible length');
    if (this.schemaVersion === 0 || this.version === 0)
      throw this.corrupt('its schema version or its stream version is 0');
    this.tagsEnd = this.measureTags(this.u8(TAG_COUNT_AT));
    this.metadataEnd = this.tagsEnd + this.u32(METADATA_BYTES_AT);
    // Every length is 0 or more, so that whatever went beyond the end before goes beyond it here.
    if (this.metadataEnd + SMALLEST_JSON_BYTES > this.end)
      throw this.corrupt('it ends before its data');
  }

  private measureTags(count: number): number {
    let at = this.streamEnd;
    for (let index = 0; index < count; index++) {
      if (at + TAG_HEADER_BYTES > this.end) throw this.corrupt('it ends within its tags');
      const tagEnd = this.tagEnd(at);
      const tagBytes = tagEnd - at - TAG_HEADER_BYTES;
      if (tagBytes === 0 || tagBytes > TAG_BYTES_MAX)
        throw this.corrupt('a tag has an impossible length');
      at = tagEnd;
    }
    return at;
  }

  /** Where the tag whose length stands at `at` ends. */
  private tagEnd(at: number): number {
    return at + TAG_HEADER_BYTES + this.u16(at - this.start);
  }

  private hasBytes(wanted: Uint8Array, at: number): boolean {
    const { buffer } = this;
    for (let index = 0; index < wanted.length; index++)
      if (buffer[at + index] !== wanted[index]) return false;
    return true;
  }

  private text(at: number, end: number): string {
    const text = this.buffer.toString('utf8', at, end);
    // Decoding replaces what is not UTF-8 by U+FFFD, so only a text with that character needs the second look.
    if (text.includes(REPLACEMENT_CHARACTER) && !isUtf8(this.buffer.subarray(at, end)))
      throw this.corrupt('a text is not UTF-8');
    return text;
  }

  private json(at: number, end: number): JsonObject {
    const value = this.parse(this.text(at, end));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.corrupt('its data or metadata is not a JSON object');
    return value as JsonObject;
  }

  private parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw corruptEvent('its data or metadata is not JSON', this.position, cause);
    }
  }

  private u8(at: number): number {
    return this.buffer[this.start + at] as number;
  }

  private u16(at: number): number {
    const { buffer } = this;
    const place = this.start + at;
    return (buffer[place] as number) | ((buffer[place + 1] as number) << 8);
  }

  private u32(at: number): number {
    return this.u16(at) + this.u16(at + 2) * 65_536;
  }

  private corrupt(reason: string): EventStoreError {
    return corruptEvent(reason, this.position);
  }
}
