import {
  BEFORE_FIRST_POSITION,
  type Position,
  type RetentionBound,
  type RetentionFacts,
  type RetentionOptions,
  type TimedEvents,
  firstPositionSince,
  retentionBound,
} from '@holdfast/event-store';
import { type Clock, systemClock } from '@holdfast/kernel';
import type { RemovalPlan, RemovalReport, Sequence, Wal } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';

/** What retention must know of a log. */
export interface RetainedLog extends TimedEvents {
  readonly wal: Pick<Wal, 'planRemoval' | 'removeSegments'>;
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
  /** Of the snapshots that were read back and found whole. */
  readonly snapshotPositions?: () => readonly Position[];
  readonly clock?: Clock;
}

/** What the policy would do just now: a dry run. */
export interface RetentionPlan extends RetentionBound {
  readonly policy: RetentionOptions['policy'];
  readonly removal: RemovalPlan;
}

export interface RetentionReport extends RetentionBound {
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

  plan(): RetentionPlan {
    const { options, log } = this.parts;
    const bound = retentionBound(options, this.facts());
    const removal = log.wal.planRemoval({ below: sequenceOf(bound.below) });
    return { policy: options.policy, ...bound, removal };
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
    const { options, log, archive } = this.parts;
    const { policy } = options;
    const archived =
      policy === 'archive' && archive !== undefined
        ? await archive.archiveSealed(context)
        : undefined;
    context.signal.throwIfAborted();
    // Only now: what has just been archived may go.
    const bound = retentionBound(options, this.facts());
    const removal = await log.wal.removeSegments({ below: sequenceOf(bound.below) });
    return { policy, ...bound, ...(archived && { archived }), removal };
  }

  private facts(): RetentionFacts {
    const { log, archive, snapshotPositions = () => [] } = this.parts;
    return {
      durablePosition: log.durablePosition,
      nowMillis: this.clock.nowMillis(),
      archivedPosition: archive?.archivedPosition ?? BEFORE_FIRST_POSITION,
      snapshotPositions: snapshotPositions(),
      firstPositionSince: (millis) => firstPositionSince(log, millis),
    };
  }
}

/** An event's position is its record's sequence. */
function sequenceOf(position: Position): Sequence {
  return position as number as Sequence;
}
