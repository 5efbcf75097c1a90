import { describe, expect, it } from '@jest/globals';
import type { JsonObject, Position, RecordedEvent, StreamVersion } from '../event.js';
import { type EventSchema, Upcasters } from './upcaster.js';

describe('upcasters', () => {
  it('take an event through every step from its version on, and no other', () => {
    const log: string[] = [];
    const step = (version: number) => (data: JsonObject) => {
      log.push(`${version}`);
      return { ...data, [`from${version}`]: true };
    };
    const steps = { 1: step(1), 2: step(2), 3: step(3) };
    const upcasters = new Upcasters([{ type: 'A', schemaVersion: 4, steps }]);
    const event = anEvent('A', 2);
    expect(upcasters.upcast(event)).toEqual({
      ...event,
      schemaVersion: 4,
      data: { from2: true, from3: true },
    });
    expect(log).toEqual(['2', '3']);
    expect(event).toEqual(anEvent('A', 2));
  });

  it('hand on what is up to date or unknown to them', () => {
    const upcasters = new Upcasters([{ type: 'A', schemaVersion: 1 }]);
    const events = [anEvent('A', 1), anEvent('B', 7)];
    expect(events.map((event) => upcasters.upcast(event))).toEqual(events);
  });

  it('refuse what is newer than they know', () => {
    const upcasters = new Upcasters([{ type: 'A', schemaVersion: 1 }]);
    expect(() => upcasters.upcast(anEvent('A', 2))).toThrow(
      expect.objectContaining({ code: 'EVENT_UNKNOWN_SCHEMA' }),
    );
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['a map', new Map()],
    ['what JSON cannot hold', { at: new Date(0) }],
  ])('fail where a step gives %s', (_, data) => {
    const steps = { 1: () => data as JsonObject };
    const upcasters = new Upcasters([{ type: 'A', schemaVersion: 2, steps }]);
    expect(() => upcasters.upcast(anEvent('A', 1))).toThrow(
      expect.objectContaining({
        code: 'EVENT_UPCAST_FAILED',
        details: { position: 1, type: 'A', from: 1 },
      }),
    );
  });

  it('fail, with the reason, where a step throws', () => {
    const cause = new Error('no such field');
    const steps = {
      1: () => {
        throw cause;
      },
    };
    const upcasters = new Upcasters([{ type: 'A', schemaVersion: 2, steps }]);
    expect(() => upcasters.upcast(anEvent('A', 1))).toThrow(
      expect.objectContaining({ code: 'EVENT_UPCAST_FAILED', cause }),
    );
  });

  it.each<[string, EventSchema[]]>([
    ['without its first step', [{ type: 'A', schemaVersion: 3, steps: { 2: (data) => data } }]],
    ['without its last step', [{ type: 'A', schemaVersion: 3, steps: { 1: (data) => data } }]],
    ['without any step', [{ type: 'A', schemaVersion: 2 }]],
    [
      'given twice',
      [
        { type: 'A', schemaVersion: 1 },
        { type: 'A', schemaVersion: 1 },
      ],
    ],
  ])('cannot be made of a schema %s', (_, schemas) => {
    expect(() => new Upcasters(schemas)).toThrow(/of (version \d of )?A/);
  });
});

function anEvent(type: string, schemaVersion: number): RecordedEvent {
  return {
    position: 1 as Position,
    stream: 's',
    version: 1 as StreamVersion,
    id: '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10',
    type,
    schemaVersion,
    recordedAtMillis: 1,
    tags: [],
    metadata: {},
    data: {},
    endsCommit: true,
  };
}
