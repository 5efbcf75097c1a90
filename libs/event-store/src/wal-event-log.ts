// Long because the docstrings of its public methods list every error that they throw.
import { type CodedError, type MonotonicClock, defined, systemClock } from '@holdfast/kernel';
import { Wal, type WalOptions, type WalStats } from '@holdfast/wal';
import { CommitAppender } from './append/commit-appender.js';
import { type ClockBounds, type ClockStatus, LogClock, type Present } from './append/log-clock.js';
import type { Upcasters } from './codec/upcaster.js';
import {
  BEFORE_FIRST_POSITION,
  type Position,
  type RecordedEvent,
  type StreamVersion,
} from './event.js';
import type {
  AppendedCommit,
  Commit,
  EventBatch,
  EventLog,
  ReadAllOptions,
  ReadStreamOptions,
  ReadTagOptions,
  SubscribeOptions,
  TaggedEvent,
} from './event-log.js';
import { invalid, logClosed } from './event-store.errors.js';
import { type Evolve, FoldedState } from './fold/folded-state.js';
import { type ReplayProgress, type ReplayReport, replay } from './fold/replay.js';
import { IndexedEvents } from './index/indexed-events.js';
import { DurableEvents, positionOf, sequenceOf } from './log/durable-events.js';
import { CheckpointedState } from './state/checkpoint/checkpointed-state.js';
import { OwnFoldedLog } from './state/checkpoint/folded-log.js';
import { expectedPlace } from './state/directory/state-directory.js';
import {
  type CheckpointReport,
  type CheckpointedStateOptions,
  type ResolvedStateOptions,
  type SnapshotEntry,
  type SnapshotReport,
  type StateStatus,
  resolveStateOptions,
} from './state/model/state-options.js';
import type { SnapshotOptions } from './state/snapshot/shared-snapshot.js';
import { InMemoryStateStore } from './state/store/in-memory-state-store.js';
import type { SnapshotProofOptions } from './state/thread/snapshot-proof.js';
import type { StateStore } from './state-store.js';

export interface WalEventLogOptions {
  readonly wal?: WalOptions;
  /**
   * An empty store, which a replay of the whole log fills; or where to checkpoint the state, so that replay begins at the last checkpoint. Default: in
   * memory. Section names that start with `log/` are reserved.
   */
  readonly state?: StateStore | CheckpointedStateOptions;
  readonly evolve?: Evolve;
  readonly upcasters?: Upcasters;
  readonly clock?: MonotonicClock;
  /** Beyond these bounds nothing is appended (`EVENT_CLOCK_SKEW`). Default: every clock is believed. */
  readonly clockBounds?: ClockBounds | undefined;
  /** Called about ten times per second during replay, and once at its end. */
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
}

/** The part of the log that the owner of an event log may use. */
export type LogBelow = Omit<Wal, 'append' | 'close'>;

/**
 * The `EventLog` port on the write-ahead log of one directory.
 *
 * Invariant: state and index are the fold of every admitted event, in log order. An event is folded only after its admission, which only poison can
 * follow, so the state never holds an event that the log rejected. If folding itself fails, the invariant is lost for good: the log refuses all further
 * work (`EVENT_STATE_BROKEN`). The commit stands. A program that can fold it continues from there; this one fails again when it opens the log, at the
 * same position.
 */
export class WalEventLog implements EventLog {
  /** The fold of every event so far, durable or not. */
  readonly state: StateStore;
  readonly failed: Promise<CodedError>;
  private readonly folded: FoldedState;
  private readonly appender: CommitAppender;
  private readonly durableEvents: DurableEvents;
  private readonly indexedEvents: IndexedEvents;
  /** Known once the log was replayed: it begins with the time of the last event. */
  private logClock: LogClock | undefined;
  private readonly checkpointed: CheckpointedState | undefined;
  private replayed: ReplayReport | undefined;
  private reportBroken: (error: CodedError) => void = () => undefined;
  private broken: CodedError | undefined;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly ownWal: Wal,
    options: WalEventLogOptions,
    durableEvents: DurableEvents,
    folded: FoldedState,
    checkpointed: CheckpointedState | undefined,
  ) {
    this.state = folded.state;
    this.folded = folded;
    this.checkpointed = checkpointed;
    this.appender = new CommitAppender({
      ...{ wal: ownWal, durableEvents, folded },
      upcasters: options.upcasters,
      clock: () => this.time,
      checkpoints: checkpointed,
      onBroken: (error) => this.breakOff(error),
    });
    this.durableEvents = durableEvents;
    this.indexedEvents = new IndexedEvents(durableEvents, folded.index);
    this.failed = Promise.race([
      ownWal.failed,
      new Promise<CodedError>((report) => (this.reportBroken = report)),
    ]);
  }

  /**
   * Opens the log for writing and replays what its state has not seen.
   *
   * @throws what `Wal.open` throws; `WAL_BEHIND_STATE` when the log ends before its checkpointed state.
   * @throws `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`, `EVENT_UNKNOWN_SCHEMA`, `EVENT_UPCAST_FAILED`: of an event that is replayed.
   * @throws `EVENT_POSITION_GONE`: what must be replayed was removed.
   * @throws `EVENT_STATE_FOREIGN`: so it was, and what stands for it was made by another program.
   * @throws `EVENT_STATE_BROKEN`: `evolve` threw, at the position in the details.
   * @throws `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`, or the error of the disk: the state could not be opened or rebuilt.
   */
  static async open(directory: string, options: WalEventLogOptions = {}): Promise<WalEventLog> {
    const { state, onReplayProgress } = options;
    const checkpoints =
      state === undefined || 'section' in state ? undefined : resolveStateOptions(state);
    const wal = await Wal.open(directory, { ...expectationsOf(checkpoints), ...options.wal });
    const durableEvents = new DurableEvents(wal, options.upcasters);
    const opening: { log?: WalEventLog; checkpointed?: CheckpointedState } = {};
    try {
      const source = new OwnFoldedLog(wal);
      if (checkpoints !== undefined)
        opening.checkpointed = await CheckpointedState.open(checkpoints, source, (error) =>
          opening.log?.breakOff(error),
        );
      const { checkpointed } = opening;
      const store = checkpointed?.store ?? (state as StateStore | undefined);
      const folded = new FoldedState(
        store ?? new InMemoryStateStore(),
        options.evolve,
        options.upcasters,
      );
      source.folded = folded;
      const { position = BEFORE_FIRST_POSITION, lastRecordedAtMillis = 0 } =
        checkpointed?.mark ?? {};
      folded.startAt(position as Position, lastRecordedAtMillis);
      const log = new WalEventLog(wal, options, durableEvents, folded, checkpointed);
      opening.log = log;
      log.replayed = await replay(wal, folded, {
        after: position as Position,
        onProgress: onReplayProgress,
        ...checkpointed?.pacing(),
      });
      if (log.broken !== undefined) throw log.broken;
      log.logClock = new LogClock(
        options.clock ?? systemClock,
        options.clockBounds,
        () => folded.lastRecordedAtMillis,
      );
      checkpointed?.start();
      return log;
    } catch (error) {
      await opening.checkpointed?.release();
      await wal.close();
      throw error;
    }
  }

  /** The log below, for its floors, archive and backups. Appending and closing are left to this class. */
  get wal(): LogBelow {
    return this.ownWal;
  }

  get logId(): string {
    return this.ownWal.logId;
  }

  get durablePosition(): Position {
    return this.durableEvents.durablePosition;
  }

  /** The last acknowledged position. Above the durable one if acknowledgements do not wait for a sync. */
  get acknowledgedPosition(): Position {
    return positionOf(this.ownWal.acknowledgedSequence);
  }

  get firstPosition(): Position {
    return this.durableEvents.firstPosition;
  }

  get lastPosition(): Position {
    return positionOf(this.ownWal.lastSequence);
  }

  get poisoned(): CodedError | undefined {
    return this.broken ?? this.ownWal.poison;
  }

  /** Figures of the log below. */
  stats(): WalStats {
    return this.ownWal.stats();
  }

  /** What the opening replayed. */
  get replayReport(): ReplayReport {
    return defined(this.replayed, 'the report of a log that is open');
  }

  /**
   * Makes the present state durable, so that the next start replays only what follows.
   *
   * @throws `EVENT_INVALID`: the state of this log is not checkpointed.
   * @throws `EVENT_LOG_CLOSED`, and why nothing more is written (`EVENT_STATE_BROKEN`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`, `WAL_POISONED`,
   * `WAL_FENCED`, the errors of the disk).
   */
  checkpoint(): Promise<CheckpointReport> {
    return this.checkpoints().checkpoint();
  }

  /**
   * Checkpoints, then writes the whole state to one verified file.
   *
   * @throws `EVENT_INVALID`: the log was opened without checkpointed state or without a directory for snapshots.
   * @throws `EVENT_CANCELLED`: `signal` has fired, or the log closes meanwhile; nothing of the file is left.
   * @throws what `checkpoint` throws.
   */
  snapshot(options: SnapshotOptions = {}): Promise<SnapshotReport> {
    return this.checkpoints().snapshot(options);
  }

  /** The usable snapshots, newest first: this program can start from them on this log, and nothing is known against them. `stateStatus` lists the others. */
  snapshots(): readonly SnapshotEntry[] {
    return this.checkpointed?.snapshots() ?? [];
  }

  /**
   * Reads every snapshot again and returns the intact ones; `stateStatus` lists the others. Call it before removing what a snapshot replaces.
   *
   * @throws `EVENT_CANCELLED`, `EVENT_LOG_CLOSED`, and the errors of the system that say nothing of a snapshot.
   */
  async wholeSnapshots(options: SnapshotProofOptions): Promise<readonly SnapshotEntry[]> {
    return (await this.checkpointed?.wholeSnapshots(options)) ?? [];
  }

  /** Undefined if the state is not checkpointed. */
  stateStatus(): StateStatus | undefined {
    return this.checkpointed?.status();
  }

  now(): number {
    return this.present().logMillis;
  }

  /** The present, for a decision. */
  present(): Present {
    return this.time.present();
  }

  /** When the last event was recorded, also if compaction has dropped it. 0 before the first. */
  get lastRecordedAtMillis(): number {
    return this.folded.lastRecordedAtMillis;
  }

  clockStatus(): ClockStatus {
    return this.time.status();
  }

  /** Accepts the present clock on an operator's word. */
  acceptClock(): ClockStatus {
    return this.time.accept();
  }

  /**
   * For work that records nothing now but otherwise would, such as a dry run.
   *
   * @throws `EVENT_CLOCK_SKEW`.
   */
  assertClock(): void {
    this.time.assertTrusted();
  }

  append(commit: Commit): AppendedCommit {
    if (this.broken !== undefined) throw this.broken;
    this.assertOpen();
    return this.appender.append(commit);
  }

  async appendDurably(commit: Commit): Promise<AppendedCommit> {
    const appended = this.append(commit);
    await this.whenDurable(appended.position);
    return appended;
  }

  whenDurable(position: Position): Promise<void> {
    // The state may be wrong, and so may whatever was read from it.
    if (this.broken !== undefined) return Promise.reject(this.broken);
    return this.appender.whenDurable(position);
  }

  streamVersion(stream: string): StreamVersion {
    this.assertOpen();
    return this.folded.index.version(stream);
  }

  /**
   * The position of a stream's event by version, durable or not. If compaction has dropped it, that of the next remaining one. Undefined if there is
   * none.
   *
   * @throws `EVENT_LOG_CLOSED`, `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`.
   */
  positionOf(stream: string, version: StreamVersion): Position | undefined {
    this.assertOpen();
    return this.folded.index.positionOf(stream, version);
  }

  eventAt(position: Position): RecordedEvent | undefined {
    return this.durableEvents.eventAt(position);
  }

  /**
   * The first durable event at or above a position; skips what compaction has dropped.
   *
   * @throws what `eventAt` throws.
   */
  eventAtOrAbove(position: Position): RecordedEvent | undefined {
    return this.durableEvents.eventAtOrAbove(position);
  }

  admittedAt(position: Position): RecordedEvent | undefined {
    return this.appender.pendingAt(position) ?? this.eventAt(position);
  }

  readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    return this.indexedEvents.stream(stream, options);
  }

  readTag(tag: string, options: ReadTagOptions = {}): AsyncIterable<RecordedEvent> {
    return this.indexedEvents.tag(tag, options);
  }

  lastTagged(tag: string): TaggedEvent | undefined {
    return this.indexedEvents.lastTagged(
      tag,
      // What is pending, this program has just written.
      (position) => this.appender.pendingAt(position) ?? this.durableEvents.asRecordedAt(position),
    );
  }

  hasTagBeginning(prefix: string): boolean | undefined {
    return this.folded.index.tags.hasBeginning(prefix);
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<EventBatch> {
    return this.durableEvents.readAll(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch> {
    return this.durableEvents.subscribe(options);
  }

  timelineAt(position: Position): string | undefined {
    return this.durableEvents.timelineAt(position);
  }

  get newestTimeline(): string {
    return this.durableEvents.newestTimeline;
  }

  close(): Promise<void> {
    return (this.closed ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    this.durableEvents.close();
    try {
      await this.checkpointed?.close();
    } finally {
      await this.ownWal.close();
    }
  }

  private checkpoints(): CheckpointedState {
    if (this.checkpointed !== undefined) return this.checkpointed;
    throw invalid('the state of this log is not checkpointed');
  }

  /** What the state says can no longer be trusted. */
  private breakOff(error: CodedError): void {
    this.broken ??= error;
    // First: whoever hears of it may close the log, and a checkpoint of half a commit would be taken for all of it.
    this.checkpointed?.breakOff(error);
    this.reportBroken(error);
  }

  private assertOpen(): void {
    if (this.closed !== undefined) throw logClosed();
  }

  private get time(): LogClock {
    return defined(this.logClock, 'the clock of a log that is open');
  }
}

/**
 * What is about to be replayed must be whole before this open has left its mark on the disk: the whole log, or what follows the place that the
 * state has come to. And a log that ends before that place is not opened at all.
 */
function expectationsOf(checkpoints: ResolvedStateOptions | undefined): Partial<WalOptions> {
  const place = checkpoints && expectedPlace(checkpoints.directory);
  if (place === undefined) return { verifyOnOpen: true };
  const sequence = sequenceOf(place.position as Position);
  return { verifyOnOpen: { after: sequence }, expects: { ...place, sequence } };
}
