import type { CodedError } from '@holdfast/kernel';
import type { JsonObject, NewEvent, Position, RecordedEvent, StreamVersion } from './event.js';

/** What the appender expects of the stream; checked before anything is assigned. */
export type ExpectedVersion = StreamVersion | 'any' | 'no-stream' | 'exists';

export interface StreamAppend {
  /** 1 to 512 bytes of well-formed Unicode. */
  readonly stream: string;
  readonly expectedVersion: ExpectedVersion;
  /** Empty: the stream is only guarded, its version checked. */
  readonly events: readonly NewEvent[];
}

/** Matches an event that has all of the tags, at least one, and, if types are given, one of the types. */
export interface EventQuery {
  readonly tags: readonly string[];
  readonly types?: readonly string[];
}

/**
 * Refuses the commit when an event that matches one of the queries stands after this position: a decision that rests on several entities says so what it has
 * rested on, and needs no stream of its own (a dynamic consistency boundary, https://dcb.events/specification/). Checked against the index, in the turn that
 * admits the commit, so that nothing can come between.
 */
export interface AppendCondition {
  /** 1 to 100. */
  readonly failIfEventsMatch: readonly EventQuery[];
  /** Exclusive: up to where the decision has read. `durablePosition` from before the reading. */
  readonly after: Position;
}

/**
 * Everything that one call appends: one batch of the log, all of it or nothing, in this order. Several appends to one stream see each other. At least
 * one event, at most 100,000.
 */
export interface Commit {
  readonly appends: readonly StreamAppend[];
  readonly condition?: AppendCondition;
  /** Metadata added to each event of the commit (an event's own wins). */
  readonly metadata?: JsonObject;
  /** Default `now()`. Must not be lower than the last recorded one. */
  readonly recordedAtMillis?: number;
}

export interface AppendedCommit {
  readonly events: readonly RecordedEvent[];
  /** The position of the last event, which the answer to a command carries. */
  readonly position: Position;
  /** True if this commit was appended before: `events` are the ones recorded then, and nothing was appended now. */
  readonly repeated: boolean;
}

/** The newest event with a tag, as it was recorded. Without `event`, there was one, but it has left the log for good, with all before it. */
export interface TaggedEvent {
  readonly position: Position;
  readonly event: RecordedEvent | undefined;
}

export type Direction = 'forward' | 'backward';

/** An event passes if it meets every given condition; within one list, any member. Nothing passes an empty list. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly streamPrefix?: string;
  readonly tags?: readonly string[];
}

/** Events in log order that end at a commit boundary, and the reader's position after them. */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  /** The last position examined; at or above the last event's, even if the filter left everything out. */
  readonly position: Position;
}

export interface ReadStreamOptions {
  /** Inclusive; the first (forward) or the last (backward) when left out. */
  readonly from?: StreamVersion;
  readonly direction?: Direction;
  /** Most events that are delivered: what compaction has taken does not count. */
  readonly limit?: number;
}

export interface ReadTagOptions {
  /** Exclusive, in the direction of reading. */
  readonly after?: Position;
  readonly direction?: Direction;
  /** Most events that are delivered: what compaction has taken does not count. */
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** Exclusive, in the direction of reading; the start (forward) or the end (backward) when left out. */
  readonly after?: Position;
  readonly direction?: Direction;
  readonly filter?: EventFilter;
  /** Most events in a batch, unless one commit alone has more. Default 1,000. */
  readonly batchEvents?: number;
}

export interface SubscribeOptions {
  readonly after: Position;
  readonly filter?: EventFilter;
  readonly batchEvents?: number;
  readonly signal: AbortSignal;
}

/** The reading half of the port: what a feed needs. Only durable events are ever delivered. */
export interface EventSource {
  readonly logId: string;
  readonly durablePosition: Position;
  /** The lowest position that can still be read; above 1 once retention has removed what came before. Left out: 1. */
  readonly firstPosition?: Position;
  /**
   * Up to what is durable when the reading begins. The last batch ends there, also when its filter left everything out.
   *
   * @throws `EVENT_INVALID`: of `batchEvents`.
   * @throws `EVENT_POSITION_GONE`: what follows `after` has left the log, also while it is read.
   * @throws `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`, `EVENT_UNKNOWN_SCHEMA`, `EVENT_UPCAST_FAILED`: of an event.
   * @throws `EVENT_LOG_CLOSED`, and what the engine throws when it reads (`LogSource` of `@holdfast/wal`).
   */
  readAll(options?: ReadAllOptions): AsyncIterable<EventBatch>;
  /**
   * As `readAll` forward, then waits for more until the signal fires.
   *
   * @throws what `readAll` throws, and what the engine throws when nothing more becomes durable (`WAL_POISONED`, `WAL_FENCED`, `WAL_CLOSED`).
   */
  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch>;
  /**
   * Names the history that `position` belongs to. Undefined if the position is not in the visible log, unless it is the one right before the first and
   * the log remembers it. `''` for position 0.
   */
  timelineAt(position: Position): string | undefined;
  /**
   * The history in which the log continues; each opening by a writer begins another one. A reader that has seen more than is visible has seen it in this
   * history, or has seen another log. Empty if unknown.
   */
  readonly newestTimeline: string;
}

/** The event log for the write side: one writer, one order, no gaps. Engines share `testing/event-log.contract.ts`. */
export interface EventLog extends EventSource {
  /** The last assigned position, which may not be durable yet. */
  readonly lastPosition: Position;
  /** Why the log refuses all further work, once it does: failed storage, or a state that could not follow. */
  readonly poisoned: CodedError | undefined;
  /** Resolves with that reason. The process should then end, and recovery decides. */
  readonly failed: Promise<CodedError>;
  /** The time that an append gets now: max(last recordedAt, clock), if the clock can be believed. */
  now(): number;
  /**
   * Admits a commit synchronously, so that the caller's state can follow at once. Tell nobody before `whenDurable` its position. All errors but
   * `EVENT_STATE_BROKEN` are thrown before anything is assigned; after admission the only failure is an unknown outcome.
   *
   * A commit that was appended before, as a whole, is recognised by its event ids and returned as `repeated`: at the place that an exact expected
   * version of an append with events names (`no-stream` is one), or where its condition forbids one of its own events, durable or not, whatever else the condition meets now. Without either it is a new commit. A guard (an append
   * without events) names no place: a commit of it and of appends for `any` version is not recognised, and is refused once the guarded stream has moved.
   *
   * @throws `EVENT_INVALID`, `EVENT_TOO_LARGE`: the commit can never be appended.
   * @throws `EVENT_WRONG_VERSION`, `EVENT_CONDITION_FAILED`: something else was appended meanwhile.
   * @throws `EVENT_STATE_OVERLOADED`, `EVENT_CLOCK_SKEW`, `WAL_OVERLOADED`, `WAL_FULL`: try again later.
   * @throws `EVENT_LOG_CLOSED`, `WAL_CLOSED`, `WAL_POISONED`, `WAL_FENCED`: the log takes no more commits.
   * @throws `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`: the index could not be read.
   * @throws `EVENT_STATE_BROKEN`: after admission. The commit stands, and this process does nothing more.
   */
  append(commit: Commit): AppendedCommit;
  /**
   * Appends in this turn, and resolves once the commit is durable.
   *
   * @throws what `append` and `whenDurable` throw.
   */
  appendDurably(commit: Commit): Promise<AppendedCommit>;
  /**
   * Resolves once the position is durable.
   *
   * @throws `WAL_POISONED`, `WAL_FENCED`: whether it is durable is unknown until the log is opened again.
   * @throws `EVENT_STATE_BROKEN`, `EVENT_STATE_DAMAGED`: nothing that was read from the state may be told.
   * @throws `EVENT_POSITION_UNKNOWN`: it was never given out.
   */
  whenDurable(position: Position): Promise<void>;
  /**
   * The stream's current version, appended but perhaps not durable; 0 when it does not exist.
   *
   * @throws `EVENT_LOG_CLOSED`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`.
   */
  streamVersion(stream: string): StreamVersion;
  /**
   * The durable event at a position, or undefined.
   *
   * @throws `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`, `EVENT_UNKNOWN_SCHEMA`, `EVENT_UPCAST_FAILED`.
   * @throws `EVENT_LOG_CLOSED`, and what the engine throws when it reads.
   */
  eventAt(position: Position): RecordedEvent | undefined;
  /**
   * The same, durable or not: a decision may rest on it, but no answer may reveal it yet.
   *
   * @throws what `eventAt` throws.
   */
  admittedAt(position: Position): RecordedEvent | undefined;
  /**
   * Through the index: never scans the log. Up to what is durable when the reading begins.
   *
   * @throws `EVENT_INVALID`: of an option.
   * @throws `EVENT_POSITION_GONE`: at the first event that retention has removed, also when it overtakes the reader.
   * @throws `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`, and what `readAll` throws.
   */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  /**
   * As `readStream`, by a tag.
   *
   * @throws what `readStream` throws.
   */
  readTag(tag: string, options?: ReadTagOptions): AsyncIterable<RecordedEvent>;
  /**
   * The newest event with the tag, appended but perhaps not durable; undefined if there is none. Skips events that compaction has dropped, so the answer
   * does not depend on whether the index has seen them. Synchronous, so a decision may rest on it.
   *
   * Unlike every other read it returns the event as it was recorded, never upcast: an answer made from it is the same again, byte for byte.
   *
   * @throws `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`, `EVENT_LOG_CLOSED`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`, and what the engine
   * throws when it reads.
   */
  lastTagged(tag: string): TaggedEvent | undefined;
  /**
   * Whether an event was ever appended with a tag that begins with `prefix`. Undefined if unknown, because the state has not been read through since the
   * start. Searches the whole state in memory: keep the answer.
   *
   * @throws `EVENT_LOG_CLOSED`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`.
   */
  hasTagBeginning(prefix: string): boolean | undefined;
  /** Waits for everything admitted, then releases the log. Later appends and reads get `EVENT_LOG_CLOSED`. */
  close(): Promise<void>;
}
