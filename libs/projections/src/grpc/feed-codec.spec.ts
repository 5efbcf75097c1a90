import type { JsonObject, Position, RecordedEvent, StreamVersion } from '@holdfast/event-store';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromWire, positionOf, toWire, wireBytes } from './feed-codec.js';
import { OVERHEAD_BYTES, followMethod } from './feed-protocol.js';

const RUNS = { numRuns: runs({ short: 10, long: 100 }) };

const object = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
  // As JSON has it: no -0, which is written as 0.
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

const recorded: fc.Arbitrary<RecordedEvent> = fc.record({
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((value) => value as Position),
  stream: fc.string({ unit: 'binary' }),
  version: fc
    .integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    .map((value) => value as StreamVersion),
  id: fc.uuid(),
  type: fc.string({ unit: 'binary' }),
  schemaVersion: fc.integer({ min: 1, max: 65_535 }),
  recordedAtMillis: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
  tags: fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
  metadata: object,
  data: object,
  endsCommit: fc.boolean(),
});

describe('events on the wire', () => {
  const { responseSerialize, responseDeserialize } = followMethod();

  it('arrive as they were sent, through the bytes', () => {
    fc.assert(
      fc.property(fc.array(recorded, { maxLength: 5 }), (events) => {
        const portion = { events: events.map(toWire), head: 7, sentBytes: 9 };
        const message = responseDeserialize(responseSerialize({ portion }));
        expect(message.portion!.events.map(fromWire)).toEqual(events);
        expect(message.portion!.cursor ?? undefined).toBeUndefined();
      }),
      RUNS,
    );
  });

  it('count at least as many bytes as they take', () => {
    fc.assert(
      fc.property(fc.array(recorded, { minLength: 1, maxLength: 20 }), (events) => {
        const wire = events.map((event) => toWire(event));
        const bytes = responseSerialize({ portion: { events: wire, head: 7, sentBytes: 9 } });
        const counted = wire.reduce((sum, event) => sum + wireBytes(event), 0);
        expect(counted + OVERHEAD_BYTES).toBeGreaterThanOrEqual(bytes.length);
      }),
      RUNS,
    );
  });

  it.each([-1, 0.5, 2 ** 53, NaN])('refuses a position that cannot be: %d', (position) => {
    expect(() => positionOf(position)).toThrow(
      expect.objectContaining({ name: 'AssertionFailed' }),
    );
  });
});
