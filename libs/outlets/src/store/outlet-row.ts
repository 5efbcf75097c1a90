import type { Position } from '@holdfast/event-store/reading';
import type { FeedCursor } from '@holdfast/projections';
import type { EndedHistory } from '../outlet.js';
import type { OutletHold, OutletRecord } from '../outlet-positions.js';

export interface OutletRow {
  readonly name: string;
  readonly log_id: string | null;
  readonly position: number;
  readonly timeline: string | null;
  readonly delivered: number | null;
  readonly furthest: string | null;
  readonly paused: number;
  readonly disabled: string | null;
  readonly diverged: string | null;
  readonly attempts: number;
  readonly failing_since: number | null;
  readonly error: string | null;
  readonly ended: string | null;
  readonly revision: number;
  readonly token: number;
  readonly owner: string | null;
  readonly lease_until: number;
}

export const ROW = 'SELECT * FROM outlet WHERE name = ?';

export function recordOf(row: OutletRow): OutletRecord {
  const { log_id: logId, timeline } = row;
  return {
    name: row.name,
    cursor:
      logId === null
        ? undefined
        : { logId, position: row.position as Position, timeline: timeline ?? '' },
    furthest: row.furthest === null ? undefined : (JSON.parse(row.furthest) as FeedCursor),
    delivered: row.delivered === null ? undefined : (row.delivered as Position),
    hold: holdOf(row),
    reason: row.diverged ?? row.disabled ?? undefined,
    attempts: row.attempts,
    failingSinceMillis: row.failing_since ?? undefined,
    error: row.error ?? undefined,
    owner: row.owner ?? undefined,
    ended: row.ended === null ? undefined : (JSON.parse(row.ended) as EndedHistory),
  };
}

function holdOf({ diverged, disabled, paused }: OutletRow): OutletHold | undefined {
  if (diverged !== null) return 'diverged';
  if (disabled !== null) return 'disabled';
  return paused === 0 ? undefined : 'paused';
}
