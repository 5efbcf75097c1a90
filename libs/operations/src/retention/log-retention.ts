import {
  BEFORE_FIRST_POSITION,
  type ClockStatus,
  type DamagedSnapshot,
  type Position,
  type RetentionBound,
  type RetentionFacts,
  type RetentionOptions,
  type TimedEvents,
  firstPositionSince,
  retentionBound,
} from '@holdfast/event-store';
import { type Clock, systemClock } from '@holdfast/kernel';
import type { Sequence } from '@holdfast/wal';
import type { RemovalPlan, RemovalReport, WalMaintenance } from '@holdfast/wal/maintenance';
import type { WorkContext } from '../jobs/job.js';
import { NO_SNAPSHOTS, type RetentionSnapshots } from './retention-snapshots.js';

/** What retention must know of a log. */
export interface RetainedLog extends TimedEvents {
  readonly wal: { readonly maintenance: Pick<WalMaintenance, 'planRemoval' | 'removeSegments'> };
  /** When the last event was recorded, also where compaction has dropped it. */
  readonly lastRecordedAtMillis: number;
  clockStatus(): Pick<ClockStatus, 'fault'>;
}

/** The archive, where there is one. */
export interface RetentionArchive {
  /** Everything up to here is in it and was read back. */
  readonly archivedPosition: Position;
  /** Archives what is sealed and is not archived yet. */
  archiveSealed(context: WorkContext): Promise<object>;
}

export interface LogRetentionOptions {
  readonly log: RetainedLog;
  readonly options: RetentionOptions;
  readonly archive?: RetentionArchive | undefined;
  readonly snapshots?: RetentionSnapshots;
  readonly clock?: Clock;
  /** Of whoever reads just now, before it is said what may go: one who came a moment ago has a floor too. */
  readonly moveFloors?: () => void;
}

/** What the policy would do just now: a dry run. It reads no snapshot: `apply` does, and may find less to remove. */
export interface RetentionPlan extends RetentionBound, SnapshotDoubts {
  readonly policy: RetentionOptions['policy'];
  readonly removal: RemovalPlan;
}

/** Absent when there are none, or when the policy does not rest on snapshots. */
interface SnapshotDoubts {
  readonly damagedSnapshots?: readonly DamagedSnapshot[];
}

export interface RetentionReport extends RetentionBound, SnapshotDoubts {
  readonly policy: RetentionOptions['policy'];
  /** What was archived first; absent when the policy does not archive. */
  readonly archived?: object;
  readonly removal: RemovalReport;
}

/** The totals since the start, for metrics. */
export interface RetentionTotals {
  removedSegments: number;
  removedBytes: number;
  failures: number;
  /** Undefined before the first. */
  lastSuccessAtMillis: number | undefined;
}

/**
 * Applies a policy to a log: archives what is sealed, then removes whole segments that neither the policy nor any floor needs live. Each step may be
 * the last one that happens: what was archived stays in the live log until it is removed, and the next run goes on.
 */
export class LogRetention {
  readonly totals: RetentionTotals = {
    ...{ removedSegments: 0, removedBytes: 0, failures: 0 },
    lastSuccessAtMillis: undefined,
  };
  private readonly clock: Clock;

  constructor(private readonly parts: LogRetentionOptions) {
    this.clock = parts.clock ?? systemClock;
  }

  get policy(): RetentionOptions['policy'] {
    return this.parts.options.policy;
  }

  /** The wall clock cannot be believed: nothing goes unless somebody asks for it. */
  get isClockInDoubt(): boolean {
    return this.parts.log.clockStatus().fault !== undefined;
  }

  plan(): RetentionPlan {
    const bound = this.boundBy(this.snapshots.positions());
    return { policy: this.policy, ...bound, ...this.doubts(), removal: this.removalOf(bound) };
  }

  async apply(context: WorkContext): Promise<RetentionReport> {
    try {
      const report = await this.archiveAndRemove(context);
      this.totals.removedSegments += report.removal.segments.length;
      this.totals.removedBytes += report.removal.bytes;
      this.totals.lastSuccessAtMillis = this.clock.nowMillis();
      return report;
    } catch (error) {
      if (!context.signal.aborted) this.totals.failures += 1;
      throw error;
    }
  }

  private async archiveAndRemove(context: WorkContext): Promise<RetentionReport> {
    const { log, archive } = this.parts;
    const { policy } = this;
    const archived =
      policy === 'archive' && archive !== undefined
        ? await archive.archiveSealed(context)
        : undefined;
    context.signal.throwIfAborted();
    // Only now: what has just been archived may go.
    const bound = await this.provenBound(context);
    context.signal.throwIfAborted();
    this.parts.moveFloors?.();
    const removal = await log.wal.maintenance.removeSegments({ below: sequenceOf(bound.below) });
    return { policy, ...bound, ...this.doubts(), ...(archived && { archived }), removal };
  }

  /**
   * What goes under the policy `snapshots` is gone for good, so each removal has its own reading of the snapshots, and only what is whole counts. Nothing is read
   * when nothing would go: most runs, for this bound moves when a snapshot is made.
   *
   * A snapshot made between the reading and the removal takes the place of the older one; it was read back itself, and lies above what is removed.
   */
  private async provenBound(context: WorkContext): Promise<RetentionBound> {
    const bound = this.boundBy(this.snapshots.positions());
    if (this.policy !== 'snapshots' || this.removalOf(bound).segments.length === 0) return bound;
    return this.boundBy(await this.snapshots.provenPositions(context));
  }

  private boundBy(snapshotPositions: readonly Position[]): RetentionBound {
    return retentionBound(this.parts.options, this.facts(snapshotPositions));
  }

  private removalOf({ below }: RetentionBound): RemovalPlan {
    this.parts.moveFloors?.();
    return this.parts.log.wal.maintenance.planRemoval({ below: sequenceOf(below) });
  }

  private doubts(): SnapshotDoubts {
    const damagedSnapshots = this.policy === 'snapshots' ? this.snapshots.unusable() : [];
    return damagedSnapshots.length === 0 ? {} : { damagedSnapshots };
  }

  private get snapshots(): RetentionSnapshots {
    return this.parts.snapshots ?? NO_SNAPSHOTS;
  }

  private facts(snapshotPositions: readonly Position[]): RetentionFacts {
    const { log, archive } = this.parts;
    const { durablePosition } = log;
    return {
      durablePosition,
      // What goes is gone for good, so a wall clock that is ahead makes nothing old: age is told by the log's own time, which no event was recorded ahead of.
      nowMillis: Math.min(this.clock.nowMillis(), log.lastRecordedAtMillis),
      archivedPosition: archive?.archivedPosition ?? BEFORE_FIRST_POSITION,
      snapshotPositions,
      firstPositionSince: (millis) => firstPositionSince(log, millis),
    };
  }
}

/** An event's position is its record's sequence. */
function sequenceOf(position: Position): Sequence {
  return position as number as Sequence;
}
