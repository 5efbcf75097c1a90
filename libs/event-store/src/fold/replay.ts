import type { LogSource } from '@holdfast/wal';
import { positionOf, sequenceOf } from '../log/durable-events.js';
import type { Position } from '../event.js';
import { EventStoreError } from '../event-store.errors.js';
import { EventView } from '../codec/event-view.js';
import type { FoldedState } from './folded-state.js';

export interface ReplayProgress {
  /** Everything up to here has been folded. */
  readonly position: Position;
  /** Where the replay ends. */
  readonly lastPosition: Position;
  readonly elapsedMillis: number;
}

export interface ReplayOptions {
  /** Already folded. */
  readonly after: Position;
  /** The end of a commit; what is durable when left out. */
  readonly upTo?: Position;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** Asked at the end of each commit, with the bytes of its events: whether to wait for `pause`. */
  readonly isDue?: (bytes: number) => boolean;
  readonly pause?: () => Promise<unknown>;
}

export interface ReplayReport {
  /** Folded before it began. */
  readonly after: Position;
  readonly lastPosition: Position;
  readonly events: number;
  /** Of events, without the frames around them. */
  readonly bytes: number;
  readonly millis: number;
}

const PROGRESS_MILLIS = 100;
/** How often to look at the clock. */
const PROGRESS_EVENTS = 4_096;

/** Folds the log behind a position. Throws `EVENT_POSITION_GONE` when what follows it is no longer there. */
export async function replay(
  source: LogSource,
  folded: FoldedState,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const { after, onProgress, isDue, pause } = options;
  if (source.firstSequence > after + 1) throw gone(after, positionOf(source.firstSequence));
  const startedAt = performance.now();
  const lastPosition = options.upTo ?? positionOf(source.durableSequence);
  const view = new EventView();
  const count = { events: 0, bytes: 0, commitBytes: 0 };
  let position = after;
  let toldAt = startedAt;
  const tell = (reached: Position): void => {
    toldAt = performance.now();
    onProgress?.({ position: reached, lastPosition, elapsedMillis: toldAt - startedAt });
  };
  let paused = true;
  // The end of the log may be a gap, so that no scan comes as far as its last position.
  const isPaused = (): boolean => paused;
  while (paused && position < lastPosition) {
    paused = false;
    await source.scan(
      sequenceOf(position),
      (sequence, buffer, start, end, endsBatch) => {
        position = positionOf(sequence);
        folded.replay(view.moveTo(position, buffer, start, end, endsBatch));
        count.events++;
        count.bytes += end - start;
        count.commitBytes += end - start;
        if (count.events % PROGRESS_EVENTS === 0 && performance.now() - toldAt >= PROGRESS_MILLIS)
          tell(position);
        if (!endsBatch) return true;
        paused = isDue?.(count.commitBytes) ?? false;
        count.commitBytes = 0;
        return !paused;
      },
      sequenceOf(lastPosition),
    );
    if (isPaused()) await pause?.();
  }
  tell(lastPosition);
  const { events, bytes } = count;
  return { after, lastPosition, events, bytes, millis: performance.now() - startedAt };
}

function gone(position: Position, firstPosition: Position): EventStoreError {
  return new EventStoreError(
    'EVENT_POSITION_GONE',
    `the log begins at position ${firstPosition}, and there is no state to begin from but that of position ${position}`,
    { position, firstPosition },
  );
}
