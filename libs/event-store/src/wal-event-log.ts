import {
  type CodedError,
  type MonotonicClock,
  assert,
  defined,
  errorCode,
  errorMessage,
  systemClock,
} from '@holdfast/kernel';
import { type Admission, Wal, type WalOptions, type WalStats } from '@holdfast/wal';
import { CheckpointedState } from './state/checkpoint/checkpointed-state.js';
import { CommitEncoder, eventCountOf } from './codec/commit-encoder.js';
import { DurableEvents, positionOf, sequenceOf } from './log/durable-events.js';
import {
  BEFORE_FIRST_POSITION,
  type Position,
  type RecordedEvent,
  type StreamVersion,
} from './event.js';
import { COMMIT_EVENTS_MAX } from './codec/event-format.js';
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
import { EventStoreError, invalid, logClosed, tooLarge } from './event-store.errors.js';
import { checkVersions, wrongVersion } from './append/expected-versions.js';
import { FoldedLog } from './state/checkpoint/folded-log.js';
import { type Evolve, FoldedState } from './fold/folded-state.js';
import { type ClockBounds, type ClockStatus, LogClock, type Present } from './append/log-clock.js';
import { InMemoryStateStore } from './state/store/in-memory-state-store.js';
import { IndexedEvents } from './index/indexed-events.js';
import { PendingCommits } from './append/pending-commits.js';
import { findRepeated } from './append/repeated-commit.js';
import { type ReplayProgress, type ReplayReport, replay } from './fold/replay.js';
import type { SnapshotOptions } from './state/snapshot/shared-snapshot.js';
import type { SnapshotProofOptions } from './state/thread/snapshot-proof.js';
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
import type { StateStore } from './state-store.js';
import type { Upcasters } from './codec/upcaster.js';

export interface WalEventLogOptions {
  readonly wal?: WalOptions;
  /**
   * An empty store, to be filled by replay of the whole log; or where the state is checkpointed, so that replay begins at the last checkpoint. In memory
   * when left out. Section names that start with `log/` are taken.
   */
  readonly state?: StateStore | CheckpointedStateOptions;
  readonly evolve?: Evolve;
  readonly upcasters?: Upcasters;
  readonly clock?: MonotonicClock;
  /** Beyond these nothing is appended (`EVENT_CLOCK_SKEW`). Every clock is believed when left out. */
  readonly clockBounds?: ClockBounds | undefined;
  /** Called about ten times a second while the log is replayed, and once at its end. */
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
}

/**
 * Most events that wait to become readable. In a `sync` log the log's own queue is the bound; where nobody asks for a sync,
 * this one does.
 */
const PENDING_EVENTS_MAX = 50_000;

/**
 * The `EventLog` port on the write-ahead log of one directory.
 *
 * Invariant: state and index are the fold of every admitted event, in order, as the log holds it. An event is folded only
 * after its admission, which poison alone can follow, so there are no ghosts. Should folding itself fail, the invariant is lost
 * for good: the log then refuses all further work (`EVENT_STATE_BROKEN`). The commit stands; a program that can fold it
 * carries on from there, and this one fails again when it opens the log, at the same position.
 */
export class WalEventLog implements EventLog {
  /** What `evolve` has made of every event so far, durable or not. */
  readonly state: StateStore;
  readonly failed: Promise<CodedError>;
  private readonly folded: FoldedState;
  private readonly encoder: CommitEncoder;
  private readonly durableEvents: DurableEvents;
  private readonly indexedEvents: IndexedEvents;
  private readonly pending = new PendingCommits();
  /** Known once the log was replayed: it begins with the time of the last event. */
  private logClock: LogClock | undefined;
  private readonly checkpointed: CheckpointedState | undefined;
  private replayed: ReplayReport | undefined;
  private reportBroken: (error: CodedError) => void = () => undefined;
  private broken: CodedError | undefined;
  private closed: Promise<void> | undefined;
  private folding = false;
  private releasing = false;
  private flushing = false;

  private constructor(
    /** The log below, for its floors, archive and backups. Nobody appends to it past this class. */
    readonly wal: Wal,
    options: WalEventLogOptions,
    durableEvents: DurableEvents,
    folded: FoldedState,
    checkpointed: CheckpointedState | undefined,
  ) {
    this.state = folded.state;
    this.folded = folded;
    this.checkpointed = checkpointed;
    this.encoder = new CommitEncoder(options.upcasters);
    this.durableEvents = durableEvents;
    this.indexedEvents = new IndexedEvents(durableEvents, folded.index);
    this.failed = Promise.race([
      wal.failed,
      new Promise<CodedError>((report) => (this.reportBroken = report)),
    ]);
  }

  /**
   * Opens the log for writing and replays what its state has not seen. Throws what `Wal.open` throws, `EVENT_CORRUPT`, `EVENT_UNSUPPORTED_FORMAT`,
   * `EVENT_UNKNOWN_SCHEMA`, `EVENT_STATE_BROKEN`, and `EVENT_POSITION_GONE` when what must be replayed was removed.
   */
  static async open(directory: string, options: WalEventLogOptions = {}): Promise<WalEventLog> {
    const { state, onReplayProgress } = options;
    const checkpoints =
      state === undefined || 'section' in state ? undefined : resolveStateOptions(state);
    const wal = await Wal.open(directory, { ...expectationsOf(checkpoints), ...options.wal });
    const durableEvents = new DurableEvents(wal, options.upcasters);
    const opening: { log?: WalEventLog; checkpointed?: CheckpointedState } = {};
    try {
      const source = new FoldedLog(wal, durableEvents);
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

  get logId(): string {
    return this.wal.logId;
  }

  get durablePosition(): Position {
    return this.durableEvents.durablePosition;
  }

  /** The last position whose append was acknowledged: above the durable one where answers do not wait for a sync. */
  get acknowledgedPosition(): Position {
    return positionOf(this.wal.acknowledgedSequence);
  }

  get firstPosition(): Position {
    return this.durableEvents.firstPosition;
  }

  get lastPosition(): Position {
    return positionOf(this.wal.lastSequence);
  }

  get poisoned(): CodedError | undefined {
    return this.broken ?? this.wal.poison;
  }

  /** Figures of the log below. */
  stats(): WalStats {
    return this.wal.stats();
  }

  /** What opening has replayed. */
  get replayReport(): ReplayReport {
    return defined(this.replayed, 'the report of a log that is open');
  }

  /** Makes the state durable as it is now, so that the next start replays what comes after. Only of a log with checkpointed state. */
  checkpoint(): Promise<CheckpointReport> {
    return this.checkpoints().checkpoint();
  }

  /**
   * Checkpoints, then writes the whole state to one verified file. Only of a log that was opened with a directory for snapshots. Rejects with
   * `EVENT_CANCELLED` once `signal` has fired.
   */
  snapshot(options: SnapshotOptions = {}): Promise<SnapshotReport> {
    return this.checkpoints().snapshot(options);
  }

  /** Newest first: those that this program can begin with on this log, and that nothing is known against; `stateStatus` tells of the others. */
  snapshots(): readonly SnapshotEntry[] {
    return this.checkpointed?.snapshots() ?? [];
  }

  /**
   * Reads every snapshot through again and gives those that are whole; `stateStatus` tells of the others. For whoever is about to remove what a
   * snapshot stands for. Rejects with `EVENT_CANCELLED`.
   */
  async wholeSnapshots(options: SnapshotProofOptions): Promise<readonly SnapshotEntry[]> {
    return (await this.checkpointed?.wholeSnapshots(options)) ?? [];
  }

  /** Undefined when the state is not checkpointed. */
  stateStatus(): StateStatus | undefined {
    return this.checkpointed?.status();
  }

  now(): number {
    return this.present().logMillis;
  }

  /** What a decision takes as the present. */
  present(): Present {
    return this.time.present();
  }

  /** When the last event was recorded, as far as the state knows: also where compaction has dropped it. 0 before the first. */
  get lastRecordedAtMillis(): number {
    return this.folded.lastRecordedAtMillis;
  }

  clockStatus(): ClockStatus {
    return this.time.status();
  }

  /** An operator says that the clock is right. */
  acceptClock(): ClockStatus {
    return this.time.accept();
  }

  /** For what records nothing and would be recorded otherwise. Throws `EVENT_CLOCK_SKEW`. */
  assertClock(): void {
    this.time.assertTrusted();
  }

  append(commit: Commit): AppendedCommit {
    this.assertWorking();
    assertSize(commit);
    const check = checkVersions(commit, (stream) => this.streamVersion(stream));
    if (check.conflict !== undefined) {
      const repeated = this.repeated(commit);
      if (repeated === undefined) throw wrongVersion(check.conflict);
      return repeated;
    }
    this.time.assertTrusted();
    this.checkpointed?.assertRoom();
    const records = this.encoder.encode(commit, check.bases, this.timeOf(commit));
    const admission = this.admit(records);
    const events = this.encoder.recordedFrom(positionOf(admission.first));
    const position = positionOf(admission.last);
    const { durable } = admission;
    this.pending.add({ first: positionOf(admission.first), last: position, events, durable });
    this.releaseWhen(durable);
    this.fold(events);
    this.checkpointed?.appended(bytesOf(records));
    return { events, position, repeated: false, durable };
  }

  whenDurable(position: Position): Promise<void> {
    // The state may be wrong, and so may whatever was read from it.
    if (this.broken !== undefined) return Promise.reject(this.broken);
    if (position <= this.durablePosition) return Promise.resolve();
    const commit = this.pending.holding(position);
    return commit?.durable ?? Promise.reject(unknownPosition(position, this.lastPosition));
  }

  streamVersion(stream: string): StreamVersion {
    this.assertOpen();
    return this.folded.index.version(stream);
  }

  /** Where the stream's event of this version is, durable or not: where compaction has dropped it, that of the next one which was not. Undefined when there is none. */
  positionOf(stream: string, version: StreamVersion): Position | undefined {
    this.assertOpen();
    return this.folded.index.positionOf(stream, version);
  }

  eventAt(position: Position): RecordedEvent | undefined {
    return this.durableEvents.eventAt(position);
  }

  /** The first durable event from a position on: what compaction dropped is passed over as a whole. */
  eventAtOrAbove(position: Position): RecordedEvent | undefined {
    return this.durableEvents.eventAtOrAbove(position);
  }

  admittedAt(position: Position): RecordedEvent | undefined {
    return this.pendingAt(position) ?? this.eventAt(position);
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
      (position) => this.pendingAt(position) ?? this.durableEvents.asRecordedAt(position),
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
      await this.wal.close();
    }
  }

  private pendingAt(position: Position): RecordedEvent | undefined {
    const pending = this.pending.holding(position);
    return pending?.events[position - pending.first];
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

  private assertWorking(): void {
    if (this.broken !== undefined) throw this.broken;
    // The events of an append within a fold would be folded before the rest of the ones that they follow in the log.
    assert(!this.folding, 'evolve does not append');
    this.assertOpen();
  }

  private assertOpen(): void {
    if (this.closed !== undefined) throw logClosed();
  }

  private get time(): LogClock {
    return defined(this.logClock, 'the clock of a log that is open');
  }

  private timeOf({ recordedAtMillis }: Commit): number {
    if (recordedAtMillis === undefined) return this.now();
    const { lastRecordedAtMillis } = this.folded;
    if (recordedAtMillis >= lastRecordedAtMillis) return recordedAtMillis;
    throw invalid(
      `an event recorded at ${recordedAtMillis} cannot follow one recorded at ${lastRecordedAtMillis}`,
      { recordedAtMillis, lastRecordedAtMillis },
    );
  }

  private repeated(commit: Commit): AppendedCommit | undefined {
    const events = findRepeated(commit, this.folded.index, (position) => this.admittedAt(position));
    const position = events?.at(-1)?.position;
    if (events === undefined || position === undefined) return undefined;
    return { events, position, repeated: true, durable: this.whenDurable(position) };
  }

  private admit(records: readonly Uint8Array[]): Admission {
    try {
      return this.wal.append(records);
    } catch (error) {
      if (errorCode(error) !== 'WAL_TOO_LARGE') throw error;
      throw tooLarge('the commit is larger than the log takes at once', {}, error);
    }
  }

  private fold(events: readonly RecordedEvent[]): void {
    try {
      this.folding = true;
      this.folded.add(events);
      this.folding = false;
    } catch (error) {
      this.breakOff(error as CodedError);
      if (errorCode(error) === 'EVENT_STATE_BROKEN') throw error;
      // The commit stands: whoever appended it must not take this for a refusal.
      throw unfolded(error);
    }
  }

  /** Forgets commits once they can be read from the log: one reaction a frame, not one a commit. */
  private releaseWhen(durable: Promise<void>): void {
    if (this.pending.eventCount > PENDING_EVENTS_MAX && !this.flushing) this.flush();
    if (this.releasing) return;
    this.releasing = true;
    const release = (): void => {
      this.releasing = false;
      this.pending.release(this.durablePosition);
      const next = this.pending.newest?.durable;
      if (next !== undefined && next !== durable) this.releaseWhen(next);
    };
    // A poisoned log keeps what it has; whoever waits hears of it.
    durable.then(release, () => undefined);
  }

  private flush(): void {
    this.flushing = true;
    const release = (): void => {
      this.flushing = false;
      this.pending.release(this.durablePosition);
    };
    this.wal.flush().then(release, () => undefined);
  }
}

function assertSize(commit: Commit): void {
  const count = eventCountOf(commit);
  if (count === 0) throw invalid('a commit has at least one event');
  if (count > COMMIT_EVENTS_MAX)
    throw tooLarge(`a commit has at most ${COMMIT_EVENTS_MAX} events, not ${count}`, { count });
}

function unfolded(cause: unknown): EventStoreError {
  return new EventStoreError(
    'EVENT_STATE_BROKEN',
    `what the fold of a commit needs of the state could not be read; the commit stands: ${errorMessage(cause)}`,
    {},
    { cause },
  );
}

function unknownPosition(position: Position, lastPosition: Position): EventStoreError {
  return new EventStoreError(
    'EVENT_POSITION_UNKNOWN',
    `position ${position} was never given out; the last is ${lastPosition}`,
    { position, lastPosition },
  );
}

function bytesOf(records: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.length;
  return bytes;
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
