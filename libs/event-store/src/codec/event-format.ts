/**
 * The bytes of one event, which is the payload of one record of the log. `docs/event-format.md` is the authority and
 * changes in the same commit as this file. Integers are little-endian; a u48 is its low 32 bits and its high 16 bits
 * apart, because that is what JavaScript reads fast.
 */
export const EVENT_FORMAT_VERSION = 1;

export const FORMAT_VERSION_AT = 0;
/** Every bit is unknown to this version, and an unknown bit refuses the event. */
export const FLAGS_AT = 1;
export const SCHEMA_VERSION_AT = 2;
export const STREAM_VERSION_LOW_AT = 4;
export const STREAM_VERSION_HIGH_AT = 8;
export const RECORDED_AT_HIGH_AT = 10;
export const RECORDED_AT_LOW_AT = 12;
export const EVENT_ID_AT = 16;
export const TYPE_BYTES_AT = 32;
export const TAG_COUNT_AT = 33;
export const STREAM_BYTES_AT = 34;
export const METADATA_BYTES_AT = 36;
/** The variable part: type, stream, tags (each with its length as u16), metadata, data. */
export const EVENT_HEADER_BYTES = 40;
export const TAG_HEADER_BYTES = 2;

/** Largest event in encoded bytes: the largest record of the log. */
export const EVENT_BYTES_MAX = 16 * 1024 * 1024;
export const TYPE_BYTES_MAX = 255;
export const STREAM_BYTES_MAX = 512;
export const TAG_BYTES_MAX = 512;
export const TAGS_MAX = 255;
export const SCHEMA_VERSION_MAX = 0xffff;
/** Nesting of data and of metadata. A parser deeper than this would be at the mercy of the stack. */
export const JSON_DEPTH_MAX = 128;
/** Stream versions and times in milliseconds (until the year 10889) are u48. */
export const U48_MAX = 2 ** 48 - 1;
/** Most events in one commit. Whoever reads it holds all of them at once. */
export const COMMIT_EVENTS_MAX = 100_000;

export const TWO_TO_32 = 2 ** 32;
