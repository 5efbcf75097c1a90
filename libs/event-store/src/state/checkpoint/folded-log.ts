import { defined } from '@holdfast/kernel';
import type { Wal } from '@holdfast/wal';
import { type DurableEvents, sequenceOf } from '../../log/durable-events.js';
import type { Position } from '../../event.js';
import type { FoldedState } from '../../fold/folded-state.js';
import type { StateSource } from '../model/state-source.js';

/** The floor that the checkpointed state holds: events above it are needed to bring the state up to date. */
export const CHECKPOINT_FLOOR = 'checkpoint';

/** A log and what has been folded of it so far, as the checkpoints see them. */
export class FoldedLog implements StateSource {
  /** Known once the state is open. */
  folded: FoldedState | undefined;

  constructor(
    private readonly wal: Wal,
    private readonly events: DurableEvents,
  ) {}

  get logId(): string {
    return this.wal.logId;
  }

  get firstPosition(): Position {
    return this.events.firstPosition;
  }

  get durablePosition(): Position {
    return this.events.durablePosition;
  }

  get lastPosition(): Position {
    return this.state.lastPosition;
  }

  get lastRecordedAtMillis(): number {
    return this.state.lastRecordedAtMillis;
  }

  assertWhole(): void {
    this.state.assertWhole();
  }

  assertUnfenced(): void {
    this.wal.assertUnfenced();
  }

  async flush(): Promise<void> {
    if (this.lastPosition > this.durablePosition) await this.wal.flush();
  }

  timelineAt(position: Position): string | undefined {
    return this.wal.timelineAt(sequenceOf(position));
  }

  moveFloor(position: Position): void {
    this.wal.floors.set(CHECKPOINT_FLOOR, sequenceOf(position));
  }

  private get state(): FoldedState {
    return defined(this.folded, 'the folded state');
  }
}
