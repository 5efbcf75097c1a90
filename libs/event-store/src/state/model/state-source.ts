import type { Position } from '../../event.js';
import type { StatePlace } from './state-mark.js';

/** What the state must know of the log that it is the fold of. */
export interface StateSource {
  readonly logId: string;
  /** The lowest position that can be read. */
  readonly firstPosition: Position;
  readonly durablePosition: Position;
  /** The end of the last commit that was folded, durable or not. */
  readonly lastPosition: Position;
  readonly lastRecordedAtMillis: number;
  /** Throws when the state holds a part of a commit: it must not be stored. */
  assertWhole(): void;
  /** Throws `WAL_FENCED` when another writer has the log by now. */
  assertUnfenced(): void;
  /** Resolves once everything appended so far is durable. */
  flush(): Promise<void>;
  timelineAt(position: Position): string | undefined;
  /** Whether the log ends in this history: then a place of it that the log does not come to was lost. */
  endsIn(timeline: string): boolean;
  /** Durable when it returns: positions above this one are still needed. */
  moveFloor(position: Position): void;
}

/** What a place is compared with. */
export type LogOfPlaces = Pick<
  StateSource,
  'logId' | 'firstPosition' | 'durablePosition' | 'timelineAt'
>;

/** Whether state at this place continues in the log: the same log, the same history, and nothing missing between. */
export function isOfLog(place: StatePlace, log: LogOfPlaces): boolean {
  const { position, timeline } = place;
  if (place.logId !== log.logId || position > log.durablePosition) return false;
  if (position + 1 < log.firstPosition) return false;
  // The event itself may have been removed with all before it; the log remembers of which history the last of them was. One that does not, because an older release has moved its beginning, has no
  // state from there: the place may be of a history that was taken back, and what keeps a state or a snapshot in use keeps its own event in the log too.
  return log.timelineAt(position as Position) === timeline;
}
