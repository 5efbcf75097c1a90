import {
  EventView,
  type Position,
  type StreamVersion,
  type WalEventLog,
} from '@holdfast/event-store';
import { AssertionFailed, CodedError } from '@holdfast/kernel';
import type { Sequence } from '@holdfast/wal';
import type { CompactionReport } from '@holdfast/wal/maintenance';
import type { WorkContext } from '../jobs/job.js';

/** What the owner of a log can do without, event by event. Whatever is dispensable once must be so for ever. */
export interface CompactionPolicy<Reason extends string = string> {
  /** What the dry run counts, in this order. An event that goes for another reason ends the dry run and the compaction. */
  readonly reasons: readonly Reason[];
  /** For the description of the operator's API. */
  readonly summary: string;
  readonly description: string;
  /** Why an event may go; undefined: it stays. The view is of this event only until the next call. */
  readonly dispensableAs: (event: EventView, present: CompactionPresent) => Reason | undefined;
}

/** What is true of the log for the whole of one compaction, and stays true after any crash. */
export interface CompactionPresent {
  /** A time that the log has come to: that of a durable event. */
  readonly nowMillis: number;
  /** Whether another event follows this version of the stream below the bound of the compaction. It may have been dropped before: then one behind it was not. */
  readonly isFollowed: (stream: string, version: number) => boolean;
}

/** What could go for one reason. */
export interface DispensableFigures {
  readonly events: number;
  /** Of these events; what the disk gets back is known when a segment was rewritten. */
  readonly bytes: number;
}

/** What compaction would find, without a change; and, under the name of each reason of the policy, its `DispensableFigures`. */
export interface CompactionPlan {
  /** Only whole segments that end below this position are looked at: below every floor, and below the older of two snapshots of the state. */
  readonly below: number;
  readonly examinedEvents: number;
  /** All that could go. */
  readonly dispensableEvents: number;
  readonly dispensableBytes: number;
}

export interface LogCompactionReport extends CompactionReport {
  readonly below: number;
}

const PROGRESS_EVENTS = 4_096;

export type CompactableLog = Pick<
  WalEventLog,
  'wal' | 'snapshots' | 'durablePosition' | 'eventAt' | 'positionOf'
>;

/**
 * Rewrites sealed segments without what the policy can do without. Each step may be the last one that happens: a segment is the old one or the new one, and the next run goes on.
 */
export async function compactLog(
  log: CompactableLog,
  policy: CompactionPolicy,
  { signal, progress }: WorkContext,
): Promise<LogCompactionReport> {
  const below = boundOf(log);
  const dispensable = dispensableIn(log, policy, below);
  const report = await log.wal.maintenance.compact(
    { below, drop: (...record) => dispensable(...record) !== undefined },
    {
      signal,
      onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
    },
  );
  return { below, ...report };
}

/** The dry run. */
export async function planCompaction<Reason extends string>(
  log: CompactableLog,
  policy: CompactionPolicy<Reason>,
  { signal, progress }: WorkContext,
): Promise<CompactionPlan & Readonly<Record<Reason, DispensableFigures>>> {
  const below = boundOf(log);
  const first = log.wal.segments()[0]?.name.firstSequence ?? 1;
  const dispensable = dispensableIn(log, policy, below);
  const counted = Object.fromEntries(
    policy.reasons.map((reason) => [reason, { events: 0, bytes: 0 }]),
  ) as Record<Reason, { events: number; bytes: number }>;
  let examinedEvents = 0;
  await log.wal.scan((first - 1) as Sequence, (sequence, buffer, start, end) => {
    if (sequence >= below || signal.aborted) return false;
    examinedEvents += 1;
    const reason = dispensable(sequence, buffer, start, end);
    if (reason !== undefined) {
      counted[reason].events += 1;
      counted[reason].bytes += end - start;
    }
    if (examinedEvents % PROGRESS_EVENTS === 0)
      progress(sequence - first, below - first, 'positions');
    return true;
  });
  if (signal.aborted) throw new CodedError('WORK_CANCELLED', 'the dry run was cancelled');
  const figures = Object.values<DispensableFigures>(counted);
  return {
    ...{ below, examinedEvents },
    dispensableEvents: figures.reduce((sum, { events }) => sum + events, 0),
    dispensableBytes: figures.reduce((sum, { bytes }) => sum + bytes, 0),
    ...counted,
  };
}

/**
 * A replay of what was compacted makes a state without keys that were long forgotten, and no two such states need be equal entry by entry. So what is
 * compacted lies below what any replay begins with; and nobody who keeps a floor finds a hole where he has not been.
 */
function boundOf(log: CompactableLog): Sequence {
  const olderSnapshot = log.snapshots()[1]?.position ?? 0;
  return Math.min(olderSnapshot, ...log.wal.floors.holding().values()) as Sequence;
}

function dispensableIn<Reason extends string>(
  log: CompactableLog,
  { reasons, dispensableAs }: CompactionPolicy<Reason>,
  below: Sequence,
) {
  const view = new EventView();
  const present = presentOf(log, below);
  const known = new Set<unknown>(reasons);
  return (sequence: Sequence, buffer: Buffer, start: number, end: number): Reason | undefined => {
    // A position is its record's sequence. Where a commit ends makes no difference here.
    view.moveTo(sequence as number as Position, buffer, start, end, true);
    const reason = dispensableAs(view, present);
    // Of the dry run too: what it cannot count is not dropped.
    if (reason !== undefined && !known.has(reason))
      throw new AssertionFailed(`the policy names its reason ${reason}`);
    return reason;
  };
}

/**
 * Fixed when the work begins, and of durable events only, so that neither what is written meanwhile nor a crash makes another answer of it:
 * - The time is the log's, not the clock's. A clock that is set back before the next event would bring back a key whose event has gone.
 * - What follows an event counts when it stands below the bound, where every event is in two snapshots, and so is durable. The index of the state says where it stands, without a pass over
 *   the log: its lists only grow. An entry that is damaged ends the work, and one that is not there keeps an event.
 */
function presentOf(log: CompactableLog, below: Sequence): CompactionPresent {
  return {
    nowMillis: log.eventAt(log.durablePosition)?.recordedAtMillis ?? 0,
    isFollowed: (stream, version) => {
      const next = log.positionOf(stream, (version + 1) as StreamVersion);
      return next !== undefined && next < below;
    },
  };
}
