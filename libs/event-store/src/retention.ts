import { assert, unreachable } from '@holdfast/kernel';
import type { Position } from './event.js';

/**
 * What may leave the live log.
 *
 * - `keep-all`: nothing.
 * - `archive`: what is in the archive, read back.
 * - `snapshots`: what lies below the older of two verified snapshots of the state. These events are gone for good: the state can be rebuilt from the
 *   snapshot, but no projection can start from the beginning, and old events cannot be read any more.
 */
export type RetentionPolicy = 'keep-all' | 'archive' | 'snapshots';

export interface RetentionOptions {
  readonly policy: RetentionPolicy;
  /** The newest events that stay live in any case. */
  readonly livePositionsMin: number;
  /** Events that are younger than this stay live in any case. */
  readonly liveMillisMin: number;
}

/** What is true of a log just now. */
export interface RetentionFacts {
  readonly durablePosition: Position;
  readonly nowMillis: number;
  /** Everything up to here is in the archive and was read back; 0 when nothing is. */
  readonly archivedPosition: Position;
  /** Of the snapshots of the state that were read back and found whole, in any order. */
  readonly snapshotPositions: readonly Position[];
  /** The lowest position whose event was recorded at or after a time; one behind the last when none was. */
  firstPositionSince(millis: number): Position;
}

/** One reason why events stay live. */
export interface RetentionLimit {
  readonly reason: 'policy' | 'archive' | 'snapshots' | 'positions' | 'age';
  /** Events from this position on stay. */
  readonly below: Position;
}

export interface RetentionBound {
  /** Events below this position may leave the live log, as far as floors let them. 1 or less: none. */
  readonly below: Position;
  /** Each reason with what it alone would allow, lowest first: the first one decides. */
  readonly limits: readonly RetentionLimit[];
}

/** Two, because a single one may be the very file that turns out to be damaged when it is needed. */
const SNAPSHOTS_NEEDED = 2;

/** How far the live log may be shortened: a pure function of the policy and of what is true. Floors count beside it, and are the log's to know. */
export function retentionBound(options: RetentionOptions, facts: RetentionFacts): RetentionBound {
  assert(options.livePositionsMin >= 0, 'how many events stay is a number');
  assert(options.liveMillisMin >= 0, 'how long events stay is a number');
  const limits = [...limitsOf(options, facts)].sort((a, b) => a.below - b.below);
  return { below: limits[0]?.below ?? (0 as Position), limits };
}

function* limitsOf(
  { policy, livePositionsMin, liveMillisMin }: RetentionOptions,
  facts: RetentionFacts,
): Generator<RetentionLimit> {
  const { durablePosition } = facts;
  switch (policy) {
    case 'keep-all':
      yield limit('policy', 0);
      return;
    case 'archive':
      yield limit('archive', facts.archivedPosition + 1);
      break;
    case 'snapshots':
      yield limit('snapshots', olderOfTwo(facts.snapshotPositions));
      break;
    default:
      // Without this, what nobody knows would let everything go.
      unreachable(policy);
  }
  yield limit('positions', durablePosition - livePositionsMin + 1);
  if (liveMillisMin > 0)
    yield limit('age', facts.firstPositionSince(facts.nowMillis - liveMillisMin));
}

/** State at P is made of the events up to P; the event at P itself stays, so that a history can be told from another by it. */
function olderOfTwo(positions: readonly Position[]): number {
  const newestFirst = [...new Set(positions)].sort((a, b) => b - a);
  return newestFirst[SNAPSHOTS_NEEDED - 1] ?? 0;
}

function limit(reason: RetentionLimit['reason'], below: number): RetentionLimit {
  return { reason, below: Math.max(0, below) as Position };
}

/** What a search by time needs of a log. Recorded times never decrease along it. */
export interface TimedEvents {
  readonly firstPosition: Position;
  readonly durablePosition: Position;
  /** The first durable event from a position on: what compaction gave up is passed over as a whole. */
  eventAtOrAbove(
    position: Position,
  ): { readonly position: Position; readonly recordedAtMillis: number } | undefined;
}

/**
 * The lowest position recorded at or after a time, by halving: some thirty events are read, however long the log is.
 *
 * @throws what `eventAtOrAbove` throws.
 */
export function firstPositionSince(log: TimedEvents, millis: number): Position {
  let low: number = log.firstPosition;
  let high = log.durablePosition + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // A position without an event was given up by compaction; its neighbour above speaks for it.
    const event = log.eventAtOrAbove(middle as Position);
    if (event === undefined || event.recordedAtMillis >= millis) high = middle;
    else low = event.position + 1;
  }
  return low as Position;
}
