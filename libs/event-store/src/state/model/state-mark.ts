/** Which events a state is of. */
export interface StatePlace {
  readonly logId: string;
  /** The state is the fold of every event up to here. */
  readonly position: number;
  /** Of the segment that held `position`; empty at 0. */
  readonly timeline: string;
}

/** What a checkpoint, and a snapshot of one, says of itself. */
export interface StateMark extends StatePlace {
  readonly lastRecordedAtMillis: number;
  /** Names the program's way of folding: another one makes another state of the same events. */
  readonly stateVersion: string;
  readonly atMillis: number;
  readonly entries: number;
  /** 32 hex digits: see `StateDigest`. */
  readonly digest: string;
}

export type UncountedMark = Omit<StateMark, 'entries' | 'digest'>;

/** The mark that a text describes, or undefined when it is none. */
export function parseMark(text: string): StateMark | undefined {
  const mark = parsed(text) as Partial<Record<keyof StateMark, unknown>> | undefined;
  const { logId, position, timeline, lastRecordedAtMillis, stateVersion, atMillis } = mark ?? {};
  const { entries, digest } = mark ?? {};
  const isMark =
    typeof logId === 'string' &&
    isCount(position) &&
    typeof timeline === 'string' &&
    isCount(lastRecordedAtMillis) &&
    typeof stateVersion === 'string' &&
    isCount(atMillis) &&
    isCount(entries) &&
    typeof digest === 'string' &&
    /^[0-9a-f]{32}$/.test(digest);
  return isMark ? (mark as StateMark) : undefined;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
