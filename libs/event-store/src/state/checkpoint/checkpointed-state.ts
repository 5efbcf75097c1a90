import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { CheckpointedStateStore } from '../store/checkpointed-state-store.js';
import { Checkpointer } from './checkpointer.js';
import { makeDurableDirectory } from '../../durable-directory.js';
import type { Position } from '../../event.js';
import {
  EventStoreError,
  logClosed,
  snapshotCancelled,
  stateDamaged,
  stateUnavailable,
} from '../../event-store.errors.js';
import { HeldPages } from '../database/held-pages.js';
import type { ReplayOptions } from '../../fold/replay.js';
import { SharedSnapshot, type SnapshotOptions } from '../snapshot/shared-snapshot.js';
import { SnapshotDraft, removeEndedDrafts } from '../snapshot/snapshot-draft.js';
import { STOPPED, type WrittenSnapshot } from '../snapshot/snapshot-work.js';
import { SnapshotProof, type SnapshotProofOptions } from '../thread/snapshot-proof.js';
import {
  SNAPSHOTS_KEPT,
  faultOfUse,
  listSnapshots,
  pruneSnapshots,
} from '../snapshot/snapshots.js';
import { databaseFile } from '../database/state-database.js';
import { isPassing, provesDamage } from '../model/state-fault.js';
import type { ScanResult } from '../database/state-scan.js';
import { type OpenedState, openStateDirectory } from '../directory/state-directory.js';
import type { StateMark } from '../model/state-mark.js';
import type {
  CheckpointReport,
  DamagedSnapshot,
  ResolvedStateOptions,
  SnapshotEntry,
  SnapshotReport,
  StateStatus,
} from '../model/state-options.js';
import type { StateSource } from '../model/state-source.js';
import { type StateJobOptions, StateThread } from '../thread/state-thread.js';

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
  private readonly pages: HeldPages;
  private bytes = 0;
  private checkpointedAt = performance.now();
  /** Or the start, before the first of this process. */
  private snapshottedAt = performance.now();
  /** After one was given up the schedule lets the load go on for a while; after one that failed it waits longer and longer. */
  private snapshotRestsUntil = 0;
  private snapshotBackOffMillis = TICK_MILLIS;
  private ticking: NodeJS.Timeout | undefined;
  private verifying: Promise<void> = Promise.resolve();
  private readonly proof: SnapshotProof;
  private readonly snapshotting = new SharedSnapshot((options) => this.takeSnapshot(options));
  private failure: EventStoreError | undefined;
  private broken: Error | undefined;
  private closing = false;
  private released = false;
  private readonly stopping = new AbortController();
  private verified: Omit<StateStatus['verification'], 'givenUp'> = {
    state: 'pending',
    scans: 0,
    lastFullScanAtMillis: undefined,
    lastFullScanMillis: undefined,
  };
  /** Usable or not. */
  private listedSnapshots: readonly SnapshotEntry[] = [];
  /** As they were listed; those of the list above may be found damaged later. */
  private damagedFiles: readonly DamagedSnapshot[] = [];

  private constructor(
    private readonly opened: OpenedState,
    private readonly log: StateSource,
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
    this.proof = new SnapshotProof({
      thread: this.reader,
      bytesPerSecond: options.firstVerifyBytesPerSecond,
      onDamage: (snapshot) => options.onEvent({ kind: 'snapshot-damaged', snapshot }),
    });
    this.pages = new HeldPages(database, directory, options.pinnedBytesMax);
    this.checkpointer = new Checkpointer(
      {
        store: this.store,
        log,
        thread: this.writer,
        record,
        pages: this.pages,
        closing: this.stopping.signal,
        options,
        onFailure: (error) => this.fail(error),
      },
      mark,
    );
    this.findSnapshots();
    for (const { path, reason } of this.unusableSnapshots())
      options.onEvent({ kind: 'snapshot-refused', path, reason });
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

  /** Why the state is being made anew, if it is. */
  get rebuilt(): string | undefined {
    return this.opened.rebuilt;
  }

  /** The replay is over: checkpoints by time, snapshots by schedule, and the reading-through begin. */
  start(): void {
    this.ticking = setInterval(() => this.tick(), TICK_MILLIS);
    this.ticking.unref();
    if (this.checkpointer.isBehind) this.checkpointInBackground();
    this.verifying = this.verify();
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
    return this.snapshotting.join(options);
  }

  /** Newest first: those that this program can begin with on this log, and that nothing is known against. */
  snapshots(): readonly SnapshotEntry[] {
    return this.listedSnapshots.filter((snapshot) => this.faultOf(snapshot) === undefined);
  }

  private unusableSnapshots(): readonly DamagedSnapshot[] {
    const unusable = this.listedSnapshots.flatMap((snapshot) => this.faultOf(snapshot) ?? []);
    return [...unusable, ...this.damagedFiles];
  }

  private faultOf(snapshot: SnapshotEntry): DamagedSnapshot | undefined {
    const { position, path } = snapshot;
    const reason = faultOfUse(snapshot, this.options, this.log);
    return reason === undefined ? this.damageOf(snapshot) : { position, path, reason };
  }

  private damageOf(snapshot: SnapshotEntry): DamagedSnapshot | undefined {
    const { position, path } = snapshot;
    if (existsSync(path)) return this.proof.damaged([snapshot])[0];
    // By hand, say: a backup would take it along, and nothing may be removed on its strength.
    return { position, path, reason: 'its file is not there any more' };
  }

  /** Reads the usable snapshots through again, in the thread that reads, and gives those that are whole. Rejects with `EVENT_CANCELLED`, `EVENT_LOG_CLOSED`. */
  async wholeSnapshots(options: SnapshotProofOptions): Promise<readonly SnapshotEntry[]> {
    if (this.closing) throw logClosed();
    const signal = AbortSignal.any([options.signal, this.stopping.signal]);
    return this.proof.whole(this.snapshots(), { ...options, signal });
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
      snapshots: this.snapshots(),
      unusableSnapshots: this.unusableSnapshots(),
      damagedSnapshots: [
        ...this.listedSnapshots.flatMap((snapshot) => this.damageOf(snapshot) ?? []),
        ...this.damagedFiles,
      ],
      verification: { ...this.verified, givenUp: this.pages.givenUp },
    };
  }

  /** A last checkpoint, if the log still works; then the database is released. */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.ticking);
    this.stopping.abort();
    await Promise.allSettled([this.verifying, this.snapshotting.settled()]);
    // Without it the next start replays what this one has seen since the last: nothing is lost.
    await this.checkpointNow().catch(() => undefined);
    if (this.verified.state === 'pending') {
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
    const { checkpointMillis, snapshotMillis, snapshotDirectory } = this.options;
    if (performance.now() - this.checkpointedAt >= checkpointMillis) this.checkpointInBackground();
    if (snapshotMillis === 0 || snapshotDirectory === undefined) return;
    const newest = this.snapshots()[0];
    // Nobody sets the clock that counts within this process, and the log's time counts over its starts: a wall clock that was wrong once would put the next one off until it has come there.
    const loggedMillis =
      newest === undefined ? 0 : this.log.lastRecordedAtMillis - newest.mark.lastRecordedAtMillis;
    const ageMillis = Math.max(performance.now() - this.snapshottedAt, loggedMillis);
    const isNewer = (this.mark?.position ?? 0) > (newest?.position ?? 0);
    const isDue = ageMillis >= snapshotMillis && performance.now() >= this.snapshotRestsUntil;
    if (isNewer && isDue && !this.snapshotting.isRunning) this.snapshot().catch(() => undefined);
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

  private async takeSnapshot(options: Required<SnapshotOptions>): Promise<SnapshotReport> {
    const { snapshotDirectory, onEvent } = this.options;
    const signal = AbortSignal.any([options.signal, this.stopping.signal]);
    if (snapshotDirectory === undefined)
      throw new EventStoreError(
        'EVENT_INVALID',
        'this log was opened without a directory for snapshots',
      );
    let outgrown: AbortSignal | undefined;
    try {
      await this.checkpoint();
      // Events and older snapshots go on the strength of what will be in it.
      makeDurableDirectory(snapshotDirectory);
      // The thread would notice too, but only after its first slice, and with a file in its hands.
      if (signal.aborted) throw snapshotCancelled();
      const { hurry, giveUp } = this.pages.signals;
      outgrown = giveUp;
      const { path, bytes, mark } = await this.writeSnapshot(snapshotDirectory, {
        ...options,
        signal: AbortSignal.any([signal, giveUp]),
        hurry,
      });
      this.snapshottedAt = performance.now();
      this.snapshotBackOffMillis = TICK_MILLIS;
      this.findSnapshots();
      await this.prune(path, signal);
      const { position, entries, digest, atMillis } = mark;
      const report = { position: position as Position, path, bytes, entries, digest, atMillis };
      onEvent({ kind: 'snapshot', report });
      return report;
    } catch (cause) {
      const isOutgrown = outgrown?.aborted === true && !signal.aborted;
      const error: unknown = isOutgrown && errorCode(cause) === STOPPED ? outgrown?.reason : cause;
      const code = errorCode(error);
      if (code === STOPPED || code === 'EVENT_CANCELLED') throw snapshotCancelled();
      const reason = error instanceof Error ? error.message : String(error);
      onEvent({ kind: 'snapshot-failed', reason });
      this.restFromSnapshots(isOutgrown);
      if (provesDamage(code)) this.fail(stateDamaged(reason, error));
      throw error;
    }
  }

  /**
   * In a file that only this process knows, which gets its name while the log is still this process's own. Stopped exactly between the question and the rename, and
   * fenced meanwhile, it names a snapshot that is whole, of a position that was durable before; where its successor has another history, a start does not use it.
   */
  private async writeSnapshot(
    directory: string,
    options: StateJobOptions,
  ): Promise<WrittenSnapshot & { readonly path: string }> {
    const draft = SnapshotDraft.begin(directory);
    try {
      const bytesPerSecond = this.options.firstVerifyBytesPerSecond;
      const job = { kind: 'snapshot', path: draft.path, bytesPerSecond } as const;
      const answer = await this.reader.run(job, [], options);
      if (!('snapshot' in answer)) throw new TypeError('a snapshot was asked for');
      const path = join(directory, `${answer.snapshot.mark.position}.snapshot`);
      this.log.assertUnfenced();
      await draft.publish(path);
      return { ...answer.snapshot, path };
    } finally {
      draft.end();
    }
  }

  /**
   * Keeps the snapshot that was just made and read back, and the newest other that is whole when it is read now: what is unusable takes no place of a usable one.
   * Without such another nothing goes. Cancelled, the next one does it.
   */
  private async prune(made: string, signal: AbortSignal): Promise<void> {
    const [newest, ...others] = this.snapshots();
    if (newest?.path !== made) return;
    const wanted = SNAPSHOTS_KEPT - 1;
    const whole = await this.proof.whole(others, { signal, wanted }).catch(ignoreCancelling);
    const oldestKept = [newest, ...whole][SNAPSHOTS_KEPT - 1];
    if (oldestKept === undefined) return;
    // Also after reading: what goes may be all that a successor has.
    this.log.assertUnfenced();
    pruneSnapshots(dirname(made), oldestKept.position);
    // The entries of those that stay know whether they are damaged.
    const isKept = ({ position }: { readonly position: Position }): boolean =>
      position >= oldestKept.position;
    this.listedSnapshots = this.listedSnapshots.filter(isKept);
    this.damagedFiles = this.damagedFiles.filter(isKept);
  }

  /** As `verify` rests: what a full disk refuses once a second costs a checkpoint and a reading each time. */
  private restFromSnapshots(isOutgrown: boolean): void {
    const { verifyPauseMillis } = this.options;
    this.snapshotBackOffMillis = Math.min(2 * this.snapshotBackOffMillis, verifyPauseMillis);
    const millis = isOutgrown ? verifyPauseMillis : this.snapshotBackOffMillis;
    this.snapshotRestsUntil = performance.now() + millis;
  }

  private findSnapshots(): void {
    const { snapshotDirectory } = this.options;
    if (snapshotDirectory === undefined) return;
    const { entries, damaged } = listSnapshots(snapshotDirectory);
    this.listedSnapshots = entries;
    this.damagedFiles = damaged;
  }

  /** Reads the whole database through, again and again, as long as the log is open. */
  private async verify(): Promise<void> {
    const { firstVerifyBytesPerSecond, verifyBytesPerSecond, verifyPauseMillis } = this.options;
    let bytesPerSecond = firstVerifyBytesPerSecond;
    let backOffMillis = TICK_MILLIS;
    // The first commands after a start have the machine for themselves.
    await this.rest(TICK_MILLIS);
    while (!this.isClosing()) {
      const startedAt = performance.now();
      const scan = await this.scan(bytesPerSecond);
      // Also while closing: the last checkpoint must not be written on top of damage.
      if (scan instanceof EventStoreError) {
        this.fail(scan);
        return;
      }
      if (this.isClosing()) return;
      if (scan === undefined) {
        await this.rest((backOffMillis = Math.min(2 * backOffMillis, verifyPauseMillis)));
        continue;
      }
      backOffMillis = TICK_MILLIS;
      if (scan.kind === 'whole') await this.isWhole(scan.mark, performance.now() - startedAt);
      if (scan.kind === 'whole') bytesPerSecond = verifyBytesPerSecond;
      // An empty database, or an interrupted scan, proves nothing yet.
      const restMillis =
        scan.kind === 'whole' ? verifyPauseMillis : Math.min(verifyPauseMillis, TICK_MILLIS);
      await this.rest(restMillis);
    }
  }

  /** Undefined where it could not be made just now, which was told: it is tried again, less and less often. An error is the end of this process. */
  private async scan(bytesPerSecond: number): Promise<ScanResult | EventStoreError | undefined> {
    const { hurry, giveUp } = this.pages.signals;
    const signal = AbortSignal.any([this.stopping.signal, giveUp]);
    try {
      const job = { kind: 'scan', bytesPerSecond } as const;
      const answer = await this.reader.run(job, [], { signal, hurry });
      if (!('scan' in answer)) throw new TypeError('a scan was asked for');
      if (giveUp.aborted && !this.isClosing() && answer.scan.kind === 'stopped') {
        this.options.onEvent({ kind: 'verify-failed', reason: errorMessage(giveUp.reason) });
        return undefined;
      }
      return answer.scan.kind === 'damaged' ? stateDamaged(answer.scan.reason) : answer.scan;
    } catch (error) {
      const reason = `it could not be read through: ${errorMessage(error)}`;
      const code = errorCode(error);
      if (provesDamage(code)) return stateDamaged(reason, error);
      if (this.isClosing()) return undefined;
      if (!isPassing(code)) return stateUnavailable(reason, error);
      this.options.onEvent({ kind: 'verify-failed', reason });
      return undefined;
    }
  }

  private async rest(millis: number): Promise<void> {
    const { signal } = this.stopping;
    await pause(millis, undefined, { signal, ref: false }).catch(() => undefined);
  }

  private isClosing(): boolean {
    return this.stopping.signal.aborted;
  }

  private async isWhole(mark: StateMark, millis: number): Promise<void> {
    this.verified = {
      state: 'good',
      scans: this.verified.scans + 1,
      lastFullScanAtMillis: Date.now(),
      lastFullScanMillis: millis,
    };
    this.store.trust();
    this.options.onEvent({ kind: 'verified', mark, millis });
    if (this.opened.record.facts.unverifiedStarts > 0)
      await this.opened.record.change({ unverifiedStarts: 0 }).catch(() => undefined);
  }

  /** This process can use the database no more. The next start makes it anew if it is damaged, and looks at it in any case. */
  private fail(error: EventStoreError): void {
    if (this.released) return;
    // Also where something else has stopped it before.
    if (error.code === 'EVENT_STATE_DAMAGED' && this.verified.state !== 'damaged')
      this.noteDamage(error);
    if (this.failure !== undefined) return;
    this.failure = error;
    this.onFailure(error);
  }

  private noteDamage(error: EventStoreError): void {
    const reason = String(error.details['reason'] ?? error.message);
    this.verified = { ...this.verified, state: 'damaged' };
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

function ignoreCancelling(error: unknown): readonly SnapshotEntry[] {
  if (errorCode(error) === 'EVENT_CANCELLED') return [];
  throw error;
}
