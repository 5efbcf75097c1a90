import type { Wal } from '@holdfast/wal';
import { positionOf, sequenceOf } from './durable-events.js';
import { BEFORE_FIRST_POSITION, type Position } from './event.js';
import { EventStoreError } from './event-store.errors.js';
import { EventView } from './event-view.js';
import type { FoldedState } from './folded-state.js';

export interface ReplayProgress {
  /** Everything up to here has been folded. */
  readonly position: Position;
  /** Where the replay ends. */
  readonly lastPosition: Position;
  readonly elapsedMillis: number;
}

const PROGRESS_MILLIS = 100;
/** How often to look at the clock. */
const PROGRESS_EVENTS = 4_096;

/** Folds the whole log. Throws `EVENT_POSITION_GONE` when its beginning is no longer there. */
export async function replay(
  wal: Wal,
  folded: FoldedState,
  onProgress: ((progress: ReplayProgress) => void) | undefined,
): Promise<void> {
  if (wal.firstSequence > 1)
    throw new EventStoreError(
      'EVENT_POSITION_GONE',
      `the log begins at position ${wal.firstSequence}, and there is no state to begin from`,
      { position: 0, firstPosition: wal.firstSequence },
    );
  const startedAt = performance.now();
  const lastPosition = positionOf(wal.durableSequence);
  const view = new EventView();
  let toldAt = startedAt;
  const tell = (position: Position): void => {
    toldAt = performance.now();
    onProgress?.({ position, lastPosition, elapsedMillis: toldAt - startedAt });
  };
  await wal.scan(sequenceOf(BEFORE_FIRST_POSITION), (sequence, buffer, start, end, endsBatch) => {
    const position = positionOf(sequence);
    folded.replay(view.moveTo(position, buffer, start, end, endsBatch));
    if (position % PROGRESS_EVENTS === 0 && performance.now() - toldAt >= PROGRESS_MILLIS)
      tell(position);
  });
  tell(lastPosition);
}
