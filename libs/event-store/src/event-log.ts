import type { CodedError } from '@holdfast/kernel';
import type { JsonObject, NewEvent, Position, RecordedEvent, StreamVersion } from './event.js';

/** What the appender believes of the stream; checked before anything is assigned. */
export type ExpectedVersion = StreamVersion | 'any' | 'no-stream' | 'exists';

export interface StreamAppend {
  /** 1 to 512 bytes of well-formed Unicode. */
  readonly stream: string;
  readonly expectedVersion: ExpectedVersion;
  /** Empty: the stream is only guarded, its version checked. */
  readonly events: readonly NewEvent[];
}

/** An event matches when it has all of the tags, at least one, and one of the types where some are given. */
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
 * Everything one call appends: one batch of the log, all of it or nothing, in this order. Several appends to one stream see
 * one another. At least one event, at most 100,000.
 */
export interface Commit {
  readonly appends: readonly StreamAppend[];
  readonly condition?: AppendCondition;
  /** Metadata added to each event of the commit (an event's own wins). */
  readonly metadata?: JsonObject;
  /** Defaults to `now()`; throws if lower than the last recorded one. */
  readonly recordedAtMillis?: number;
}

export interface AppendedCommit {
  readonly events: readonly RecordedEvent[];
  /** The position of the last event: what the answer to a command carries. */
  readonly position: Position;
  /** Recognised as an earlier append: the events are the ones recorded then, and nothing was appended. */
  readonly repeated: boolean;
}

/** The newest event with a tag, as it was recorded, or that there was one: without `event` it has left the log for good, with all before it. */
export interface TaggedEvent {
  readonly position: Position;
  readonly event: RecordedEvent | undefined;
}

export type Direction = 'forward' | 'backward';

/** An event passes when it meets every condition given; within one list, any member. An empty list has none: nothing passes. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly streamPrefix?: string;
  readonly tags?: readonly string[];
}

/** Events in log order that end at a commit boundary, and how far the reader has come with them. */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  /** The last position examined: ≥ the last event's, also when the filter left everything out. */
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
  /** Names the history that `position` belongs to; undefined when it is not in the visible log, nor the one right before its first of which the log remembers it. `''` for position 0. */
  timelineAt(position: Position): string | undefined;
  /**
   * The history that the log goes on in; each opening by a writer begins another one. Who has seen more than is visible has seen it there, or has seen
   * something that is not of this log. Empty where that is not known.
   */
  readonly newestTimeline: string;
}

/**
 * The event log as the write side sees it. One writer, one order, no gaps. Engines share
 * `testing/event-log.contract.ts`.
 */
export interface EventLog extends EventSource {
  /** The last position given out; it may not be durable yet. */
  readonly lastPosition: Position;
  /** Why the log refuses all further work, once it does: storage that failed, or a state that could not follow. */
  readonly poisoned: CodedError | undefined;
  /** Resolves with that reason, if it ever comes to that: the process should then end, and recovery decides. */
  readonly failed: Promise<CodedError>;
  /** max(last recordedAt, clock), as far as the clock can be believed: what an append gets now. */
  now(): number;
  /**
   * Admits a commit: synchronously, so that the caller's state may follow at once. Nobody may be told of it before `whenDurable` its position. All errors but `EVENT_STATE_BROKEN` come before anything is
   * assigned; after admission the only failure is an unknown outcome.
   *
   * A commit that was appended before, whole, is recognised by its event ids at the place that an exact expected version names
   * (`no-stream` is one), or as the first that its own condition forbids, durable or not, and comes back as `repeated`. Without either it is a new commit.
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
   * The same, durable or not: what a decision may rest on, and nobody may be told yet.
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
   * The newest event with the tag, appended but perhaps not durable. One that compaction has dropped is passed over, so the answer is the same whether the
   * index has seen it or not. Undefined: there is none. Synchronous, so that a decision may rest on it.
   *
   * Unlike every other read it gives the event as it was recorded, never upcast: what was answered with it once is answered with it again, byte for byte.
   *
   * @throws `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`, `EVENT_LOG_CLOSED`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`, and what the engine throws when it reads.
   */
  lastTagged(tag: string): TaggedEvent | undefined;
  /**
   * Whether an event was ever appended with a tag that begins so; undefined where nobody can tell yet, because the state was not read
   * through since the start. Looks through all of the state that is in memory: for a question whose answer is kept.
   *
   * @throws `EVENT_LOG_CLOSED`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`.
   */
  hasTagBeginning(prefix: string): boolean | undefined;
  /** Waits for everything admitted, then releases the log. Whoever appends or reads from here on gets `EVENT_LOG_CLOSED`. */
  close(): Promise<void>;
}
