import type { Brand } from '@holdfast/kernel';

/** An event's place in the log: its record's sequence. 1, 2, 3 … */
export type Position = Brand<number, 'Position'>;
/** An event's place in its stream: 1, 2, 3 … without a gap. 0 = the stream does not exist. */
export type StreamVersion = Brand<number, 'StreamVersion'>;

export const BEFORE_FIRST_POSITION = 0 as Position;

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** An event before the log assigns its position. */
export interface NewEvent<Type extends string = string, Data extends JsonObject = JsonObject> {
  /** UUID in canonical text form; what a repeated append is recognised by. */
  readonly id: string;
  readonly type: Type;
  /** 1, 2, 3 …; raised when `data` changes its shape, and upcast when read. */
  readonly schemaVersion: number;
  readonly data: Data;
  /** Further terms that find it, such as `account:main/cash`; at most 255, each up to 512 bytes. */
  readonly tags?: readonly string[];
  /** Who, why, under which key: JSON that is not part of the fact itself. */
  readonly metadata?: JsonObject;
}

/** An event in the log. Immutable, as everything read from the log. */
export interface RecordedEvent<Type extends string = string, Data extends JsonObject = JsonObject> {
  readonly position: Position;
  readonly stream: string;
  readonly version: StreamVersion;
  readonly id: string;
  readonly type: Type;
  readonly schemaVersion: number;
  /** Milliseconds since 1970 UTC; never decreases along the log. */
  readonly recordedAtMillis: number;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly data: Data;
  /** True for the last event of its commit. */
  readonly endsCommit: boolean;
}
