import { defined } from '@holdfast/kernel';
import type { CheckpointedStateStore } from './checkpointed-state-store.js';
import type { Position } from './event.js';
import { type EventStoreError, stateDamaged } from './event-store.errors.js';
import type { StateMark } from './state-mark.js';
import type { CheckpointReport, CheckpointStep, ResolvedStateOptions } from './state-options.js';
import type { StateRecord } from './state-record.js';
import type { StateSource } from './state-source.js';
import type { StateThread } from './state-thread.js';

export interface CheckpointerParts {
  readonly store: CheckpointedStateStore;
  readonly log: StateSource;
  readonly thread: StateThread;
  readonly record: StateRecord;
  readonly options: ResolvedStateOptions;
  /** The database could not be written, and may be anything now. */
  readonly onFailure: (error: EventStoreError) => void;
}

/** What was frozen, and is not in the database yet. */
interface Frozen {
  readonly position: Position;
  readonly lastRecordedAtMillis: number;
}

/** A full disk is waited for; any other failure of a write leaves a database that nobody can vouch for. */
const FULL_DISK = /no space left|disk quota|ENOSPC|EDQUOT|MDB_MAP_FULL/i;

/**
 * Makes checkpoints, one at a time. Each costs what has changed since the one before, and never holds the event loop for long: values are
 * encoded in slices, a thread writes them.
 */
export class Checkpointer {
  made = 0;
  failed = 0;
  last: CheckpointReport | undefined;
  private frozen: Frozen | undefined;
  private running: Promise<CheckpointReport> | undefined;

  constructor(
    private readonly parts: CheckpointerParts,
    private mark: StateMark | undefined,
  ) {}

  get current(): StateMark | undefined {
    return this.mark;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Of everything that has been folded when it is called, at the least. Rejects when it could not be made. */
  async checkpoint(): Promise<CheckpointReport> {
    const wanted = this.parts.log.lastPosition;
    for (;;) {
      const report = await (this.running ?? this.begin());
      if (report.position >= wanted) return report;
    }
  }

  private begin(): Promise<CheckpointReport> {
    this.running = this.make().finally(() => (this.running = undefined));
    return this.running;
  }

  private async make(): Promise<CheckpointReport> {
    const startedAt = performance.now();
    const { store, log, thread, record, options } = this.parts;
    // What a failed attempt has frozen stays frozen until it is written.
    if (this.frozen === undefined && this.mark?.position === log.lastPosition)
      return reportOf(this.mark, 0, 0);
    const frozen = (this.frozen ??= this.freeze());
    const { position } = frozen;
    const changes = store.frozenEntries;
    const step = (name: CheckpointStep): void =>
      options.onEvent({ kind: 'checkpoint-step', step: name, position });
    try {
      step('frozen');
      // Log before data: a crash must never leave state of events that the log does not have.
      await log.flush();
      step('durable');
      const chunks = await store.encode();
      step('encoded');
      const answer = await thread.run(
        { kind: 'checkpoint', changes: chunks, mark: this.markOf(frozen) },
        chunks.map(({ buffer }) => buffer),
      );
      // Crash up to here: the database has the checkpoint before, or this one, whole; the log has everything that either lacks.
      const { mark, tree } = 'mark' in answer ? answer : {};
      step('written');
      this.mark = defined(mark, 'the mark of a checkpoint');
      store.retire(this.mark);
      this.frozen = undefined;
      step('retired');
      // Crash before this: the record names the checkpoint before, and the database is one ahead of it, which is allowed.
      const { logId, timeline } = this.mark;
      await record.change({ checkpoint: { logId, position, timeline }, tree });
      step('recorded');
      // Last: only now does nobody need the log below for this. Crash before it: the log keeps more than it must.
      log.moveFloor(position);
      step('floor-moved');
    } catch (error) {
      this.failed++;
      const reason = error instanceof Error ? error.message : String(error);
      options.onEvent({ kind: 'checkpoint-failed', reason });
      if (this.frozen !== undefined && isOfDatabase(error) && !FULL_DISK.test(reason))
        this.parts.onFailure(stateDamaged(`a checkpoint could not be written: ${reason}`, error));
      throw error;
    }
    this.made++;
    this.last = reportOf(this.mark, changes, performance.now() - startedAt);
    options.onEvent({ kind: 'checkpointed', report: this.last });
    return this.last;
  }

  private freeze(): Frozen {
    const { store, log } = this.parts;
    store.freeze();
    return { position: log.lastPosition, lastRecordedAtMillis: log.lastRecordedAtMillis };
  }

  private markOf({
    position,
    lastRecordedAtMillis,
  }: Frozen): Omit<StateMark, 'entries' | 'digest'> {
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

function isOfDatabase(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'StateJobFailed' || error.message.includes("state's thread"))
  );
}

function reportOf(mark: StateMark, changes: number, millis: number): CheckpointReport {
  const { position, entries, digest } = mark;
  return { position: position as Position, changes, entries, digest, millis };
}
