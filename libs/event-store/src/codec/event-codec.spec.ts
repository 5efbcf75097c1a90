import { readFileSync } from 'node:fs';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventEncoder, type PlacedEvent } from './event-encoder.js';
import {
  EVENT_BYTES_MAX,
  EVENT_HEADER_BYTES,
  FLAGS_AT,
  FORMAT_VERSION_AT,
  JSON_DEPTH_MAX,
  METADATA_BYTES_AT,
  SCHEMA_VERSION_AT,
  STREAM_BYTES_AT,
  TAG_COUNT_AT,
  TYPE_BYTES_AT,
} from './event-format.js';
import { EventView } from './event-view.js';
import type { JsonObject, Position, RecordedEvent, StreamVersion } from '../event.js';
import { plainCopy } from './json-data.js';

const ID = '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10';

describe('an encoded event', () => {
  it('comes back as it was', () => {
    const event = anEvent({ data: { amount: '12.50', legs: [{ side: 'debit' }, null, true] } });
    expect(decode(encode(event))).toEqual(event);
  });

  it('comes back as it was, whatever its texts and its JSON hold', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decode(encode(event))).toEqual(event);
      }),
      { numRuns: runs({ short: 100, long: 500 }) },
    );
  });

  it('keeps long texts, and texts beyond ASCII, in names and data alike', () => {
    const event = anEvent({
      type: 'é'.repeat(127),
      stream: '𝄞'.repeat(128),
      tags: ['€'.repeat(170), 'a'.repeat(512)],
      metadata: { '': '\ud800 alone', '\udfff': 'key' },
      data: { text: 'ü'.repeat(100_000), zero: '\0', __proto__x: 1 },
    });
    expect(decode(encode(event))).toEqual(event);
  });

  it('is made of the bytes that the format document shows', () => {
    const bytes = encode(documentedEvent).toString('hex');
    expect(bytes).toBe(hexOfDocument());
  });

  it('encodes the events of a commit one after another, also when they outgrow the buffer', () => {
    const events = [300, 900_000, 900_000, 5].map((length, index) =>
      anEvent({ version: (index + 1) as StreamVersion, data: { text: 'x'.repeat(length) } }),
    );
    const encoder = new EventEncoder();
    encoder.begin();
    for (const event of events) encoder.add(placed(event));
    expect(encoder.records().map((record) => decode(Buffer.from(record)))).toEqual(events);

    encoder.begin();
    encoder.add(placed(events[3]!));
    expect(encoder.records().map((record) => decode(Buffer.from(record)))).toEqual([events[3]]);
  });
});

describe('the limit of an event', () => {
  /** An event of exactly so many encoded bytes, whose texts may take up to three times their characters. */
  function ofBytes(bytes: number): RecordedEvent {
    const event = anEvent({
      stream: 'cart-é',
      tags: ['ü'],
      metadata: { note: '€'.repeat(300), more: 'x'.repeat(3_000) },
      data: { text: 'x'.repeat(EVENT_BYTES_MAX - 20_000) },
    });
    const missing = bytes - encode(event).length;
    return { ...event, data: { text: 'x'.repeat(EVENT_BYTES_MAX - 20_000 + missing) } };
  }

  it('is on its encoded bytes, to the byte, and the refusal counts them', () => {
    expect(encode(ofBytes(EVENT_BYTES_MAX))).toHaveLength(EVENT_BYTES_MAX);
    for (const bytes of [EVENT_BYTES_MAX + 1, EVENT_BYTES_MAX + 100_000])
      expect(() => encode(ofBytes(bytes))).toThrow(
        expect.objectContaining({
          code: 'EVENT_TOO_LARGE',
          details: expect.objectContaining({ bytes, bytesMax: EVENT_BYTES_MAX }),
        }),
      );
  });
});

describe('the copy that an event keeps of its data', () => {
  it('is what its JSON text is parsed to', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (data) => {
        const copy = plainCopy(data, 'data');
        expect(copy).toStrictEqual(JSON.parse(JSON.stringify(data)));
        expect(JSON.stringify(copy)).toBe(JSON.stringify(data));
      }),
      { numRuns: runs({ short: 100, long: 500 }) },
    );
  });

  it('has a key __proto__ for its own, as a parser makes it', () => {
    const data = JSON.parse('{"__proto__":{"a":1},"b":{"__proto__":2}}') as JsonObject;
    const copy = plainCopy(data, 'data');
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":1},"b":{"__proto__":2}}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  it('takes data without a prototype, and data of another realm', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(plainCopy({ bare, cloned: structuredClone({ a: 1 }) }, 'data')).toEqual({
      bare: { a: 1 },
      cloned: { a: 1 },
    });
  });
});

describe('encoding refuses', () => {
  it.each<[string, Partial<RecordedEvent>]>([
    ['an id that is not a UUID', { id: 'x' }],
    ['an id in upper case', { id: ID.toUpperCase() }],
    ['an empty type', { type: '' }],
    ['a type of 256 bytes', { type: 'é'.repeat(128) }],
    ['an empty stream', { stream: '' }],
    ['a stream of 513 bytes', { stream: 'x'.repeat(513) }],
    ['a lone surrogate in a stream', { stream: 'a\ud800' }],
    ['a lone surrogate in a type', { type: 'a\udc00' }],
    ['an empty tag', { tags: ['a', ''] }],
    ['a tag of 513 bytes', { tags: ['€'.repeat(171)] }],
    ['256 tags', { tags: Array.from({ length: 256 }, (_, index) => `tag:${index}`) }],
    ['schema version 0', { schemaVersion: 0 }],
    ['schema version 65,536', { schemaVersion: 65_536 }],
    ['a time before 1970', { recordedAtMillis: -1 }],
    ['a time with a fraction', { recordedAtMillis: 1.5 }],
  ])('%s', (_, fields) => {
    expect(() => encode(anEvent(fields))).toThrow(
      expect.objectContaining({ code: 'EVENT_INVALID' }),
    );
  });

  it.each<[string, unknown, string, object?]>([
    ['NaN', { a: [1, { b: Number.NaN }] }, 'data.a[1].b'],
    ['infinity', { a: -Infinity }, 'data.a'],
    ['a Date', { a: new Date(0) }, 'data.a'],
    ['a Map', { a: new Map() }, 'data.a'],
    ['a BigInt', { a: 1n }, 'data.a'],
    ['a function', { toJSON: () => 1 }, 'data.toJSON'],
    ['undefined within an array', { a: [undefined] }, 'data.a[0]'],
    ['an array in place of the object', [], 'data'],
    ['nothing in place of the object', null, 'data'],
    [
      'deep nesting',
      nested(JSON_DEPTH_MAX + 1),
      `data${'.a'.repeat(JSON_DEPTH_MAX)}`,
      { depthMax: JSON_DEPTH_MAX },
    ],
  ])('%s in data, naming the place', (_, data, place, more = {}) => {
    expect(() => encode(anEvent({ data: data as JsonObject }))).toThrow(
      expect.objectContaining({
        code: 'EVENT_INVALID',
        details: { place, ...more },
      }),
    );
  });

  it('more bytes than an event may have, by one', () => {
    const overhead = encode(anEvent({ data: { text: '' } })).length;
    const largest = anEvent({ data: { text: 'x'.repeat(EVENT_BYTES_MAX - overhead) } });
    expect(encode(largest)).toHaveLength(EVENT_BYTES_MAX);
    const larger = anEvent({ data: { text: 'x'.repeat(EVENT_BYTES_MAX - overhead + 1) } });
    expect(() => encode(larger)).toThrow(expect.objectContaining({ code: 'EVENT_TOO_LARGE' }));
  });

  it('nothing that JSON leaves out on purpose: undefined properties', () => {
    const event = anEvent({ data: { a: undefined, b: 1 } });
    expect(decode(encode(event)).data).toEqual({ b: 1 });
  });
});

describe('decoding', () => {
  it('takes arbitrary bytes for an event or refuses them with a code, and never fails otherwise', () => {
    const seedBytes = encode(anEvent({ tags: ['a', 'bc'], metadata: { key: 'k' } }));
    const damaged = fc
      .array(fc.tuple(fc.nat(seedBytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
      .map((changes) => {
        const bytes = Buffer.from(seedBytes);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (bytes) => {
        expect(['an event', 'EVENT_CORRUPT', 'EVENT_UNSUPPORTED_FORMAT']).toContain(
          outcomeOf(bytes),
        );
      }),
      { numRuns: runs({ short: 500, long: 3_000 }) },
    );
  });

  it('refuses an event cut off anywhere', () => {
    const bytes = encode(anEvent({ tags: ['a', 'bc'], metadata: { key: 'k' } }));
    const outcomes = Array.from({ length: bytes.length }, (_, length) =>
      outcomeOf(bytes.subarray(0, length)),
    );
    expect(new Set(outcomes)).toEqual(new Set(['EVENT_CORRUPT']));
  });

  it.each<[string, string, (bytes: Buffer) => void]>([
    ['EVENT_UNSUPPORTED_FORMAT', 'a newer format', (bytes) => (bytes[FORMAT_VERSION_AT] = 2)],
    ['EVENT_UNSUPPORTED_FORMAT', 'an unknown flag', (bytes) => (bytes[FLAGS_AT] = 128)],
    ['EVENT_CORRUPT', 'schema version 0', (bytes) => bytes.writeUInt16LE(0, SCHEMA_VERSION_AT)],
    ['EVENT_CORRUPT', 'an empty type', (bytes) => (bytes[TYPE_BYTES_AT] = 0)],
    ['EVENT_CORRUPT', 'a type beyond the end', (bytes) => (bytes[TYPE_BYTES_AT] = 255)],
    ['EVENT_CORRUPT', 'an empty stream', (bytes) => bytes.writeUInt16LE(0, STREAM_BYTES_AT)],
    ['EVENT_CORRUPT', 'a stream too long', (bytes) => bytes.writeUInt16LE(513, STREAM_BYTES_AT)],
    ['EVENT_CORRUPT', 'a stream beyond the end', (b) => b.writeUInt16LE(500, STREAM_BYTES_AT)],
    ['EVENT_CORRUPT', 'a tag beyond the end', (bytes) => (bytes[TAG_COUNT_AT] = 1)],
    ['EVENT_CORRUPT', 'too many tags', (bytes) => (bytes[TAG_COUNT_AT] = 200)],
    ['EVENT_CORRUPT', 'metadata beyond the end', (b) => b.writeUInt32LE(9e8, METADATA_BYTES_AT)],
    ['EVENT_CORRUPT', 'no room for data', (bytes) => bytes.writeUInt32LE(1, METADATA_BYTES_AT)],
  ])('refuses with %s, before anything is read: %s', (code, _, damage) => {
    const bytes = encode(anEvent({ data: {} }));
    damage(bytes);
    expect(() => viewOf(bytes)).toThrow(expect.objectContaining({ code, details: anyPosition }));
  });

  it.each<[string, (bytes: Buffer) => void]>([
    ['a type that is not UTF-8', (bytes) => (bytes[EVENT_HEADER_BYTES] = 0xff)],
    ['data that is an array', (bytes) => bytes.write('[]', bytes.length - 2)],
    ['data that is not JSON', (bytes) => bytes.write('{x', bytes.length - 2)],
  ])('refuses with EVENT_CORRUPT, when it is read: %s', (_, damage) => {
    const bytes = encode(anEvent({ data: {} }));
    damage(bytes);
    const view = viewOf(bytes);
    expect(() => view.toEvent()).toThrow(
      expect.objectContaining({ code: 'EVENT_CORRUPT', details: anyPosition }),
    );
  });

  it('tells a genuine U+FFFD from bytes that are not UTF-8', () => {
    const event = anEvent({ stream: 'a\ufffd', data: { text: '\ufffd' } });
    expect(decode(encode(event))).toEqual(event);
  });

  it('tests type, stream prefix and tags without decoding', () => {
    const bytes = encode(anEvent({ type: 'Opened', stream: 'cart-é1', tags: ['a', 'bé'] }));
    const view = viewOf(bytes);
    const matches = [
      view.hasType(Buffer.from('Opened')),
      view.hasType(Buffer.from('Open')),
      view.hasType(Buffer.from('Openex')),
      view.hasStreamPrefix(Buffer.from('cart-é')),
      view.hasStreamPrefix(Buffer.from('cart-é1')),
      view.hasStreamPrefix(Buffer.from('cart-é12')),
      view.hasStreamPrefix(Buffer.from('')),
      view.hasTag(Buffer.from('bé')),
      view.hasTag(Buffer.from('b')),
    ];
    expect(matches).toEqual([true, false, false, true, true, false, true, true, false]);
  });
});

const anyPosition = expect.objectContaining({ position: 7 });

function anEvent(fields: Partial<RecordedEvent> = {}): RecordedEvent {
  return {
    position: 7 as Position,
    stream: 'cart-1',
    version: 3 as StreamVersion,
    id: ID,
    type: 'Opened',
    schemaVersion: 1,
    recordedAtMillis: 1_790_000_000_000,
    tags: [],
    metadata: {},
    data: { by: 'alice' },
    endsCommit: true,
    ...fields,
  };
}

const documentedEvent = anEvent({
  version: 2 as StreamVersion,
  id: '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10',
  type: 'CartOpened',
  tags: ['shop:é'],
  metadata: { actor: 'bob' },
  data: { items: 0 },
});

const name = (bytesMax: number) =>
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter((text) => {
    return text.isWellFormed() && Buffer.byteLength(text) <= bytesMax;
  });

const anyJson = fc
  .dictionary(
    fc.string({ unit: fc.oneof(fc.constant('\ud800'), fc.string({ maxLength: 1 })) }),
    fc.jsonValue(),
  )
  // JSON knows no negative zero and no key `__proto__` that an assignment could copy.
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

const anyEvent: fc.Arbitrary<RecordedEvent> = fc.record({
  position: fc.constant(7 as Position),
  stream: name(512),
  version: fc.integer({ min: 1, max: 2 ** 48 - 1 }).map((version) => version as StreamVersion),
  id: fc.uuid(),
  type: name(255),
  schemaVersion: fc.integer({ min: 1, max: 65_535 }),
  recordedAtMillis: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  tags: fc.uniqueArray(name(512), { maxLength: 12 }),
  metadata: anyJson,
  data: anyJson,
  endsCommit: fc.boolean(),
});

function nested(depth: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < depth; level++) value = { a: value };
  return value;
}

function placed(event: RecordedEvent): PlacedEvent {
  const metadataJson = JSON.stringify(plainCopy(event.metadata, 'metadata'));
  return {
    event,
    stream: event.stream,
    version: event.version,
    recordedAtMillis: event.recordedAtMillis,
    tags: event.tags,
    metadataJson: metadataJson === '{}' ? '' : metadataJson,
    dataJson: JSON.stringify(plainCopy(event.data, 'data')),
  };
}

function encode(event: RecordedEvent): Buffer {
  const encoder = new EventEncoder();
  encoder.begin();
  encoder.add(placed(event));
  lastEndsCommit = event.endsCommit;
  return Buffer.from(encoder.records()[0]!);
}

/** The flag is the record's and not the event's: it travels beside the bytes. */
let lastEndsCommit = true;

function viewOf(bytes: Buffer): EventView {
  // Placed within other bytes, so that an offset left out shows.
  const around = Buffer.concat([Buffer.alloc(13, 0xee), bytes, Buffer.alloc(5, 0xee)]);
  return new EventView().moveTo(7 as Position, around, 13, 13 + bytes.length, lastEndsCommit);
}

function decode(bytes: Buffer): RecordedEvent {
  return viewOf(bytes).toEvent();
}

function outcomeOf(bytes: Buffer): unknown {
  try {
    decode(bytes);
    return 'an event';
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

/** The hex of the document's worked example: the first column of its only `hex` block. */
function hexOfDocument(): string {
  const document = readFileSync(
    new URL('../../../../docs/event-format.md', import.meta.url),
    'utf8',
  );
  const block = /```hex\n([\s\S]*?)```/.exec(document)?.[1] ?? '';
  return block
    .split('\n')
    .map((line) => line.split('|')[0]!.replaceAll(' ', ''))
    .join('');
}
