import type { JsonObject, RecordedEvent } from './event.js';

/** Data of one schema version made into data of the next. Pure: no clock, no random, no I/O. */
export type Upcast = (data: JsonObject, event: RecordedEvent) => JsonObject;

/** What this program knows of one event type. */
export interface EventSchema {
  readonly type: string;
  /** The version that this program writes and its consumers get. */
  readonly schemaVersion: number;
  /** One step for each older version: `steps[1]` makes version 2 of version 1. */
  readonly steps?: Readonly<Record<number, Upcast>>;
}

/** Brings events of older schema versions up to the present one when they are read; the log is never rewritten. */
export class Upcasters {
  constructor(readonly schemas: readonly EventSchema[]) {}
}
