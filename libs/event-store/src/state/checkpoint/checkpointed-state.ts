import { errorMessage } from '@holdfast/kernel';
import type { Position } from '../../event.js';
import { EventStoreError, logClosed, stateDamaged } from '../../event-store.errors.js';
import type { ReplayOptions } from '../../fold/replay.js';
import { HeldPages } from '../database/held-pages.js';
import { databaseFile } from '../database/state-database.js';
import { type OpenedState, openStateDirectory } from '../directory/state-directory.js';
import type { StateMark } from '../model/state-mark.js';
import type {
  CheckpointReport,
  ResolvedStateOptions,
  SnapshotEntry,
  SnapshotReport,
  StateStatus,
} from '../model/state-options.js';
import type { StateSource } from '../model/state-source.js';
import type { SnapshotOptions } from '../snapshot/shared-snapshot.js';
import { removeEndedDrafts } from '../snapshot/snapshot-draft.js';
import { CheckpointedStateStore } from '../store/checkpointed-state-store.js';
import type { SnapshotProofOptions } from '../thread/snapshot-proof.js';
import { StateThread } from '../thread/state-thread.js';
import { Checkpointer } from './checkpointer.js';
import { StateSnapshots } from './state-snapshots.js';
import { StateVerifier } from './state-verifier.js';

/** Pieces of the size of a checkpoint that a replay makes before it waits for them. */
const REPLAYED_PIECES_MAX = 4;
/** How often to look whether it is time for a checkpoint or a snapshot. */
const TICK_MILLIS = 1_000;

/**
 * The state of one event log, from its opening to its close: the store that decisions read, its checkpoints, its snapshots, and the reading-through that finds
 * what damage has done to it.
 */
export class CheckpointedState {
  readonly store: CheckpointedStateStore;
  private readonly checkpointer: Checkpointer;
  private readonly writer: StateThread;
  private readonly reader: StateThread;
  private readonly snapshotter: StateSnapshots;
  private readonly verifier: StateVerifier;
  private bytes = 0;
  private checkpointedAt = performance.now();
  private ticking: NodeJS.Timeout | undefined;
  private failure: EventStoreError | undefined;
  private broken: Error | undefined;
  private closing = false;
  private released = false;
  private readonly stopping = new AbortController();

  private constructor(
    private readonly opened: OpenedState,
    log: StateSource,
    private readonly options: ResolvedStateOptions,
    private readonly onFailure: (error: EventStoreError) => void,
  ) {
    const { database, mark, record, directory } = opened;
    this.store = new CheckpointedStateStore(database, mark, {
      cacheEntries: options.cacheEntries,
      databaseFile: databaseFile(directory),
      onDamage: (error) => this.fail(error),
    });
    this.writer = new StateThread(directory);
    this.reader = new StateThread(directory);
    const pages = new HeldPages(database, directory, options.pinnedBytesMax);
    const closing = this.stopping.signal;
    this.checkpointer = new Checkpointer(
      {
        store: this.store,
        log,
        thread: this.writer,
        record,
        pages,
        closing,
        options,
        onFailure: (error) => this.fail(error),
      },
      mark,
    );
    const reading = { reader: this.reader, pages, closing, options };
    this.verifier = new StateVerifier({
      ...reading,
      onWhole: (found, millis) => this.believe(found, millis),
      onFailure: (error) => this.fail(error),
    });
    this.snapshotter = new StateSnapshots({
      ...reading,
      log,
      checkpoint: () => this.checkpoint(),
      onDamage: (reason, cause) => this.fail(stateDamaged(reason, cause)),
    });
    // Every page was, or will be, written by this process: as good as memory, and no absent key needs to be confirmed in its leaf.
    if (mark === undefined || opened.rebuilt !== undefined) this.store.trust();
  }

  /** Throws `EVENT_POSITION_GONE`, `WAL_BEHIND_STATE`. The log's writer lock is held by the caller. */
  static async open(
    options: ResolvedStateOptions,
    log: StateSource,
    onFailure: (error: EventStoreError) => void,
  ): Promise<CheckpointedState> {
    const opened = await openStateDirectory(options, log);
    let state: CheckpointedState | undefined;
    try {
      if (options.snapshotDirectory !== undefined) removeEndedDrafts(options.snapshotDirectory);
      state = new CheckpointedState(opened, log, options, onFailure);
      state.store.prepare();
      return state;
    } catch (error) {
      await state?.release();
      if (state === undefined) {
        await opened.database.close();
        await opened.release();
      }
      throw error;
    }
  }

  /** Where the replay begins. */
  get mark(): StateMark | undefined {
    return this.checkpointer.current;
  }

  /** The replay is over: checkpoints by time, snapshots by schedule, and the reading-through begin. */
  start(): void {
    this.ticking = setInterval(() => this.tick(), TICK_MILLIS);
    this.ticking.unref();
    if (this.checkpointer.isBehind) this.checkpointInBackground();
    this.verifier.start();
  }

  /** Events were folded that took this many bytes of the log. */
  appended(bytes: number): void {
    this.bytes += bytes;
    if (!this.isDue) return;
    if (!this.checkpointer.isRunning) this.checkpointInBackground();
    else if (this.isFull) this.cut();
  }

  /** Throws `EVENT_STATE_OVERLOADED` when the checkpoints cannot keep up. */
  assertRoom(): void {
    const { overlayEntries } = this.store;
    if (overlayEntries <= this.options.overlayEntriesMax) return;
    // Nobody else may come to ask for one.
    this.checkpointInBackground();
    throw new EventStoreError(
      'EVENT_STATE_OVERLOADED',
      `${overlayEntries} entries of the state wait to be checkpointed; nothing was appended`,
      { overlayEntries, overlayEntriesMax: this.options.overlayEntriesMax },
    );
  }

  private get isDue(): boolean {
    return this.bytes >= this.options.checkpointBytes || this.isFull;
  }

  /** The checkpoint that is being made has left too little time: what has changed meanwhile is to be one of its own. */
  private cut(): void {
    this.bytes = 0;
    this.checkpointer.cut();
  }

  private get isFull(): boolean {
    return this.store.activeEntries >= this.options.checkpointEntries;
  }

  /**
   * For a replay: it waits for checkpoints now and then, so that memory stays bounded however long the log is. What is replayed after most crashes is less than
   * that, and is checkpointed only when the log serves again.
   */
  pacing(): Pick<ReplayOptions, 'isDue' | 'pause'> {
    return {
      isDue: (bytes) => {
        this.bytes += bytes;
        // By bytes too, where few entries change: a long replay that is killed goes on from its last checkpoint.
        const isDue =
          this.bytes >= this.options.checkpointBytes ||
          (this.isFull && this.checkpointer.waiting >= REPLAYED_PIECES_MAX);
        if (this.isFull) this.cut();
        return isDue;
      },
      pause: () => this.checkpoint(),
    };
  }

  /** The program failed to fold an event: what was checkpointed stays good, and nothing is added to it. A checkpoint that has begun is of whole commits, and ends. */
  breakOff(error: Error): void {
    this.broken ??= error;
  }

  /** Rejects with `EVENT_LOG_CLOSED`, and with why nothing more is written. */
  async checkpoint(): Promise<CheckpointReport> {
    if (this.closing) throw logClosed();
    return this.checkpointNow();
  }

  private async checkpointNow(): Promise<CheckpointReport> {
    if (this.stopped !== undefined) throw this.stopped;
    // What is appended while it runs belongs to the next.
    this.bytes = 0;
    this.checkpointedAt = performance.now();
    return this.checkpointer.checkpoint();
  }

  /**
   * Checkpoints, and writes the whole state to one file, verified by reading it back. The two newest are kept. Whoever asks while one is made shares it. Rejects
   * with `EVENT_CANCELLED`, and nothing of the file is left; a checkpoint that is under way ends by itself. With `EVENT_LOG_CLOSED` once the log closes.
   */
  async snapshot(options: SnapshotOptions = {}): Promise<SnapshotReport> {
    if (this.closing) throw logClosed();
    return this.snapshotter.take(options);
  }

  /** Newest first: those that this program can begin with on this log, and that nothing is known against. */
  snapshots(): readonly SnapshotEntry[] {
    return this.snapshotter.usable();
  }

  /** Reads the usable snapshots through again, in the thread that reads, and gives those that are whole. Rejects with `EVENT_CANCELLED`, `EVENT_LOG_CLOSED`. */
  async wholeSnapshots(options: SnapshotProofOptions): Promise<readonly SnapshotEntry[]> {
    if (this.closing) throw logClosed();
    return this.snapshotter.whole(options);
  }

  status(): StateStatus {
    const { checkpointer, store } = this;
    const mark = checkpointer.settled;
    return {
      checkpoint: mark && {
        position: mark.position as Position,
        atMillis: mark.atMillis,
        entries: mark.entries,
        digest: mark.digest,
      },
      lastCheckpointMillis: checkpointer.last?.millis,
      checkpoints: checkpointer.made,
      failedCheckpoints: checkpointer.failed,
      overlayEntries: store.overlayEntries,
      ...this.snapshotter.status(),
      verification: this.verifier.status(),
    };
  }

  /** A last checkpoint, if the log still works; then the database is released. */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.ticking);
    this.stopping.abort();
    await Promise.allSettled([this.verifier.settled(), this.snapshotter.settled()]);
    // Without it the next start replays what this one has seen since the last: nothing is lost.
    await this.checkpointNow().catch(() => undefined);
    if (this.verifier.status().state === 'pending') {
      const { unverifiedStarts } = this.opened;
      await this.opened.record.change({ unverifiedStarts }).catch(() => undefined);
    }
    await this.release();
  }

  /** For an opening that failed: nothing is written, but a checkpoint that has begun ends. */
  async release(): Promise<void> {
    this.closing = true;
    this.stopping.abort();
    await this.checkpointer.close();
    // From here on nobody reads from the database, nobody is told of damage, and the record is closed last: a successor may have the directory then.
    this.store.close();
    this.released = true;
    await this.writer.close();
    await this.reader.close();
    await this.opened.database.close();
    await this.opened.release();
  }

  /** Why nothing more is written. */
  private get stopped(): Error | undefined {
    return this.failure ?? this.broken;
  }

  private tick(): void {
    if (this.closing || this.stopped !== undefined) return;
    if (performance.now() - this.checkpointedAt >= this.options.checkpointMillis)
      this.checkpointInBackground();
    this.snapshotter.takeIfDue(this.mark?.position ?? 0);
  }

  private checkpointInBackground(): void {
    if (this.checkpointer.isRunning || this.closing || this.stopped !== undefined) return;
    // Told through `onEvent`; tried again when it is due again.
    this.catchUp().catch(() => undefined);
  }

  private async catchUp(): Promise<void> {
    await this.checkpoint();
    while (this.checkpointer.isBehind && !this.closing && this.stopped === undefined)
      await this.checkpointer.next();
  }

  /** It was read through, and every bit of it is what was written. */
  private async believe(mark: StateMark, millis: number): Promise<void> {
    this.store.trust();
    this.options.onEvent({ kind: 'verified', mark, millis });
    if (this.opened.record.facts.unverifiedStarts > 0)
      await this.opened.record.change({ unverifiedStarts: 0 }).catch(() => undefined);
  }

  /** This process can use the database no more. The next start makes it anew if it is damaged, and looks at it in any case. */
  private fail(error: EventStoreError): void {
    if (this.released) return;
    // Also where something else has stopped it before.
    if (error.code === 'EVENT_STATE_DAMAGED' && this.verifier.noteDamage()) this.tellDamage(error);
    if (this.failure !== undefined) return;
    this.failure = error;
    this.onFailure(error);
  }

  private tellDamage(error: EventStoreError): void {
    const reason = String(error.details['reason'] ?? error.message);
    this.condemn(reason);
    this.options.onEvent({ kind: 'damaged', reason });
  }

  /** On the disk before anybody hears of it: the process is about to end. */
  private condemn(reason: string): void {
    try {
      this.opened.record.changeNow({ rebuild: reason });
    } catch (error) {
      // A full disk, for one. The process ends in any case, and the next start believes the database no more than this one did: it checks its branches,
      // counts the start as unverified, and reads it through again.
      this.options.onEvent({ kind: 'checkpoint-failed', reason: errorMessage(error) });
    }
  }
}
