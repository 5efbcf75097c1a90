import { assert, defined } from '@holdfast/kernel';
import type { JsonObject, NewEvent, RecordedEvent } from '../event.js';
import { EventStoreError, invalid } from '../event-store.errors.js';
import { plainCopy } from './json-data.js';

/**
 * Data of one schema version made into data of the next. Pure: no clock, no random, no I/O. `event` is the event as
 * recorded, for its tags, time and metadata.
 */
export type Upcast = (data: JsonObject, event: RecordedEvent) => JsonObject;

/** What this program knows of one event type. */
export interface EventSchema {
  readonly type: string;
  /** The version that this program writes and that its consumers get. */
  readonly schemaVersion: number;
  /** One step for each older version: `steps[1]` makes version 2 of version 1. */
  readonly steps?: Readonly<Record<number, Upcast>>;
}

/**
 * Brings events of older schema versions up to the present one while they are read; the log is never rewritten. Types
 * that are not listed pass as they are.
 */
export class Upcasters {
  private readonly schemas = new Map<string, EventSchema>();

  /** A type listed twice, or a chain with a gap, is a failed assertion: it cannot depend on what is in a log. */
  constructor(schemas: readonly EventSchema[]) {
    for (const schema of schemas) {
      assert(!this.schemas.has(schema.type), `the schema of ${schema.type} is given once`);
      for (let version = 1; version < schema.schemaVersion; version++)
        assert(
          schema.steps?.[version] !== undefined,
          `a step leads on from version ${version} of ${schema.type}`,
        );
      this.schemas.set(schema.type, schema);
    }
  }

  /**
   * The event in its present form.
   *
   * @throws `EVENT_UNKNOWN_SCHEMA`: it is newer than this program.
   * @throws `EVENT_UPCAST_FAILED`: a step throws, or does not give data.
   */
  upcast(event: RecordedEvent): RecordedEvent {
    const schema = this.schemas.get(event.type);
    if (schema === undefined || schema.schemaVersion === event.schemaVersion) return event;
    if (event.schemaVersion > schema.schemaVersion) throw unknownSchema(event, schema);
    let { data } = event;
    for (let version = event.schemaVersion; version < schema.schemaVersion; version++)
      data = stepped(data, event, version, schema.steps?.[version]);
    return { ...event, schemaVersion: schema.schemaVersion, data };
  }

  /**
   * Only the present version is written: an older one would be one thing to the state that sees it now and another
   * to the state that replays it.
   *
   * @throws `EVENT_INVALID`.
   */
  assertPresent({ type, schemaVersion }: NewEvent): void {
    const schema = this.schemas.get(type);
    if (schema === undefined || schema.schemaVersion === schemaVersion) return;
    throw invalid(
      `${type} is written in schema version ${schema.schemaVersion}, not ${schemaVersion}`,
      { type, schemaVersion, present: schema.schemaVersion },
    );
  }
}

/** What the step gives is checked as what is appended is: in this process and behind a feed, consumers get the same. */
function stepped(
  data: JsonObject,
  event: RecordedEvent,
  from: number,
  step: Upcast | undefined,
): JsonObject {
  try {
    return plainCopy(defined(step, 'a step of a chain without gaps')(data, event), 'data');
  } catch (cause) {
    const { position, type } = event;
    throw new EventStoreError(
      'EVENT_UPCAST_FAILED',
      `the step that leads on from version ${from} of ${type} failed for the event at position ${position}`,
      { position, type, from },
      { cause },
    );
  }
}

function unknownSchema(event: RecordedEvent, schema: EventSchema): EventStoreError {
  const { position, type, schemaVersion } = event;
  return new EventStoreError(
    'EVENT_UNKNOWN_SCHEMA',
    `the event at position ${position} is ${type} of schema version ${schemaVersion}; this program knows ${schema.schemaVersion} and older: it is behind the one that wrote the log`,
    { position, type, schemaVersion, known: schema.schemaVersion },
  );
}
