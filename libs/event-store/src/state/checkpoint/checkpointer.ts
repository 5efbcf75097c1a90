import { defined, errorMessage } from '@holdfast/kernel';
import type { CheckpointedStateStore, FrozenOverlay } from '../store/checkpointed-state-store.js';
import type { Position } from '../../event.js';
import {
  type EventStoreError,
  logClosed,
  stateDamaged,
  stateUnavailable,
} from '../../event-store.errors.js';
import type { HeldPages } from '../database/held-pages.js';
import type { StateMark, StatePlace, UncountedMark } from '../model/state-mark.js';
import type {
  CheckpointReport,
  CheckpointStep,
  ResolvedStateOptions,
} from '../model/state-options.js';
import type { StateFacts, StateRecord } from '../directory/state-record.js';
import type { StateSource } from '../model/state-source.js';
import { StateJobFailed, type StateThread } from '../thread/state-thread.js';
import { isPassing, provesDamage } from '../model/state-fault.js';

export interface CheckpointerParts {
  readonly store: CheckpointedStateStore;
  readonly log: StateSource;
  readonly thread: StateThread;
  readonly record: StateRecord;
  readonly pages: HeldPages;
  /** The log is being closed: nothing waits for others any more. */
  readonly closing: AbortSignal;
  readonly options: ResolvedStateOptions;
  /** The database is damaged, or cannot be written by this process any more. */
  readonly onFailure: (error: EventStoreError) => void;
}

/** What was frozen at a position, and is not in the database yet. */
interface Frozen {
  readonly overlay: FrozenOverlay;
  readonly position: Position;
  readonly lastRecordedAtMillis: number;
}

/** A checkpoint that the database has, while its record or the floor does not stand for it yet. */
interface Unsettled {
  readonly mark: StateMark;
  readonly facts: Pick<StateFacts, 'checkpoint' | 'tree'>;
  readonly changes: number;
}

/** Reads go through all that was frozen. Beyond this, what changes makes the next one larger. */
const FROZEN_MAX = 32;
/** Of the entries that may be in memory only: a checkpoint waits for a reading until so many are. */
const WAITING_PART = 1 / 2;

/**
 * Makes checkpoints, one at a time and in the order of their positions. Each costs what has changed since the one before, and never holds the event loop
 * for long: values are encoded in slices, a thread writes them.
 *
 * A checkpoint is one transaction of LMDB, whose memory is a page for each leaf that it changes and is kept for ever. So what changes while one is made
 * may be cut into several, which then wait for their turn.
 */
export class Checkpointer {
  made = 0;
  failed = 0;
  last: CheckpointReport | undefined;
  /** The newest that record and floor stand for. */
  settled: StateMark | undefined;
  /** Oldest first. What a failed attempt was about stays the first until it is written. */
  private readonly frozen: Frozen[] = [];
  private running: Promise<CheckpointReport> | undefined;
  private closed = false;
  private unsettled: Unsettled | undefined;

  constructor(
    private readonly parts: CheckpointerParts,
    private mark: StateMark | undefined,
  ) {
    // A process before this one may have ended between the two.
    const recorded = parts.record.facts.checkpoint?.position;
    if (mark !== undefined && mark.position !== recorded)
      this.unsettled = { mark, facts: { checkpoint: placeOf(mark) }, changes: 0 };
    else this.settled = mark;
  }

  get current(): StateMark | undefined {
    return this.mark;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** How many pieces that were cut wait for their turn, or are being made. */
  get waiting(): number {
    return this.frozen.length;
  }

  get isBehind(): boolean {
    return this.waiting > 0;
  }

  /**
   * Between two commits: what has changed up to now becomes a checkpoint of its own. Every checkpoint and every snapshot begins here, so a state that holds a part of a
   * commit is refused here: a start would take it for the whole of it.
   */
  cut(): void {
    const { store, log } = this.parts;
    log.assertWhole();
    if (this.frozen.length >= FROZEN_MAX) return;
    const { lastPosition: position, lastRecordedAtMillis } = log;
    this.frozen.push({ overlay: store.freeze(), position, lastRecordedAtMillis });
  }

  /** Of everything that has been folded when it is called, at the least. Rejects when it could not be made. */
  async checkpoint(): Promise<CheckpointReport> {
    const wanted = this.parts.log.lastPosition;
    for (;;) {
      const report = await this.next();
      if (report.position >= wanted) return report;
    }
  }

  /** The checkpoint that is being made, or whose turn it is. Rejects with `EVENT_LOG_CLOSED`, and as `checkpoint`. */
  next(): Promise<CheckpointReport> {
    if (this.closed) return Promise.reject(logClosed());
    this.running ??= this.make().finally(() => (this.running = undefined));
    return this.running;
  }

  /** The one that is being made ends first: when it resolves, nothing of this object writes any more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running?.catch(() => undefined);
  }

  private async make(): Promise<CheckpointReport> {
    const startedAt = performance.now();
    const { store, log, thread, pages, options } = this.parts;
    if (!this.isBehind) {
      if (this.mark?.position === log.lastPosition) {
        const report = await this.settleAgain(startedAt);
        return report ?? reportOf(this.mark, 0, 0);
      }
      this.cut();
    }
    const frozen = defined(this.frozen[0], 'what was frozen first');
    const { overlay, position } = frozen;
    let isWritten = false;
    const step = (name: CheckpointStep): void =>
      options.onEvent({ kind: 'checkpoint-step', step: name, position });
    try {
      step('frozen');
      // Log before data: a crash must never leave state of events that the log does not have.
      await log.flush();
      step('durable');
      log.assertUnfenced();
      await pages.released(() => this.mayWait());
      const chunks = await store.encode(overlay);
      step('encoded');
      // Again, after waiting: what another writer has decided since is not in it. Beyond this, the lock of the generation says that nobody else has this database.
      log.assertUnfenced();
      const answer = await thread.run(
        {
          kind: 'checkpoint',
          changes: chunks,
          mark: this.markOf(frozen),
          isTrusted: store.isTrusted,
        },
        chunks.map(({ buffer }) => buffer),
      );
      // Crash up to here: the database has the checkpoint before, or this one, whole; the log has everything that either lacks.
      const { mark, tree } = 'mark' in answer ? answer : {};
      step('written');
      this.mark = defined(mark, 'the mark of a checkpoint');
      const facts = { checkpoint: placeOf(this.mark), tree };
      this.unsettled = { mark: this.mark, facts, changes: overlay.entries };
      store.retire(this.mark);
      this.frozen.shift();
      isWritten = true;
      step('retired');
      return await this.settle(this.unsettled, startedAt);
    } catch (error) {
      this.tellFailed(error);
      if (!isWritten && error instanceof StateJobFailed) this.judge(error);
      throw error;
    }
  }

  /** Those who append must not be refused because somebody reads. */
  private mayWait(): boolean {
    const { store, closing, options } = this.parts;
    return !closing.aborted && store.overlayEntries <= options.overlayEntriesMax * WAITING_PART;
  }

  /** Record and floor of the checkpoint that the database has. Only then is it one, and told of. */
  private async settle(
    { mark, facts, changes }: Unsettled,
    startedAt: number,
  ): Promise<CheckpointReport> {
    const { log, record, options } = this.parts;
    const position = mark.position as Position;
    const step = (name: CheckpointStep): void =>
      options.onEvent({ kind: 'checkpoint-step', step: name, position });
    // Crash before this: the record names the checkpoint before, and the database is one ahead of it, which is allowed.
    await record.change(facts);
    step('recorded');
    // Last: only now does nobody need the log below for this. Crash before it: the log keeps more than it must.
    log.moveFloor(position);
    step('floor-moved');
    this.unsettled = undefined;
    this.settled = mark;
    this.made++;
    const report = reportOf(mark, changes, performance.now() - startedAt);
    this.last = report;
    options.onEvent({ kind: 'checkpointed', report });
    return report;
  }

  /** After an attempt that failed when the database had it: nothing is to be written again. Undefined when there is none. */
  private async settleAgain(startedAt: number): Promise<CheckpointReport | undefined> {
    if (this.unsettled === undefined) return undefined;
    try {
      return await this.settle(this.unsettled, startedAt);
    } catch (error) {
      this.tellFailed(error);
      throw error;
    }
  }

  private tellFailed(error: unknown): void {
    this.failed++;
    this.parts.options.onEvent({ kind: 'checkpoint-failed', reason: errorMessage(error) });
  }

  /**
   * A full disk, a lack of descriptors, a device that fails: the transaction was given up, the database is the checkpoint before, and the next attempt begins with the same
   * changes. Where this process can try no more, it ends, and the next start compares the database with its seal. Neither condemns it.
   */
  private judge(error: StateJobFailed): void {
    const { code, message } = error;
    const reason = `a checkpoint could not be written: ${message}`;
    if (provesDamage(code)) this.parts.onFailure(stateDamaged(reason, error));
    else if (!isPassing(code)) this.parts.onFailure(stateUnavailable(reason, error));
  }

  private markOf({ position, lastRecordedAtMillis }: Frozen): UncountedMark {
    const { log, options } = this.parts;
    return {
      logId: log.logId,
      position,
      timeline: defined(log.timelineAt(position), 'the timeline of a durable position'),
      lastRecordedAtMillis,
      stateVersion: options.stateVersion,
      atMillis: Date.now(),
    };
  }
}

function placeOf({ logId, position, timeline }: StateMark): StatePlace {
  return { logId, position, timeline };
}

function reportOf(mark: StateMark, changes: number, millis: number): CheckpointReport {
  const { position, entries, digest } = mark;
  return { position: position as Position, changes, entries, digest, millis };
}
