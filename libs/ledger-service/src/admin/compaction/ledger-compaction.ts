import { EventView, type Position, type WalEventLog } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';
import { isDispensable } from '@holdfast/ledger';
import type { CompactionReport, Sequence } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';

/** What compaction would find, without a change. */
export interface CompactionPlan {
  /** Only whole segments that end below this position are looked at: below every floor, and below the older of two snapshots of the state. */
  readonly below: number;
  readonly examinedEvents: number;
  /** Refusals whose keys are no longer known. */
  readonly dispensableEvents: number;
  /** Of these events; what the disk gets back is known when a segment was rewritten. */
  readonly dispensableBytes: number;
}

export interface LedgerCompactionReport extends CompactionReport {
  readonly below: number;
}

const PROGRESS_EVENTS = 4_096;

type CompactableLog = Pick<WalEventLog, 'wal' | 'now' | 'snapshots'>;

/**
 * Rewrites sealed segments without what the books can do without: refusals whose keys have expired, and never money. Each step may be the last one that
 * happens: a segment is the old one or the new one, and the next run goes on.
 */
export async function compactLedger(
  log: CompactableLog,
  { signal, progress }: WorkContext,
): Promise<LedgerCompactionReport> {
  const below = boundOf(log);
  const dispensable = dispensableBy(log.now());
  const report = await log.wal.compact(
    { below, drop: dispensable },
    {
      signal,
      onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
    },
  );
  return { below, ...report };
}

/** The dry run. */
export async function planCompaction(
  log: CompactableLog,
  { signal, progress }: WorkContext,
): Promise<CompactionPlan> {
  const below = boundOf(log);
  const first = log.wal.segments()[0]?.name.firstSequence ?? 1;
  const dispensable = dispensableBy(log.now());
  let [examinedEvents, dispensableEvents, dispensableBytes] = [0, 0, 0];
  await log.wal.scan((first - 1) as Sequence, (sequence, buffer, start, end) => {
    if (sequence >= below || signal.aborted) return false;
    examinedEvents += 1;
    if (dispensable(sequence, buffer, start, end)) {
      dispensableEvents += 1;
      dispensableBytes += end - start;
    }
    if (examinedEvents % PROGRESS_EVENTS === 0)
      progress(sequence - first, below - first, 'positions');
    return true;
  });
  if (signal.aborted) throw new CodedError('WORK_CANCELLED', 'the dry run was cancelled');
  return { below, examinedEvents, dispensableEvents, dispensableBytes };
}

/**
 * A replay of what was compacted makes a state without keys that were long forgotten, and no two such states need be equal entry by entry. So what is
 * compacted lies below what any replay begins with; and nobody who keeps a floor finds a hole where he has not been.
 */
function boundOf(log: CompactableLog): Sequence {
  const olderSnapshot = log.snapshots()[1]?.position ?? 0;
  return Math.min(olderSnapshot, ...log.wal.floors.holding().values()) as Sequence;
}

function dispensableBy(nowMillis: number) {
  const view = new EventView();
  return (sequence: Sequence, buffer: Buffer, start: number, end: number): boolean => {
    // A position is its record's sequence. Where a commit ends makes no difference here.
    view.moveTo(sequence as number as Position, buffer, start, end, true);
    return isDispensable(view, nowMillis);
  };
}
