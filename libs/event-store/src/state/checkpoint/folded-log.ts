import { defined } from '@holdfast/kernel';
import type { LogSource, Wal } from '@holdfast/wal';
import type { Position } from '../../event.js';
import type { FoldedState } from '../../fold/folded-state.js';
import { positionOf, sequenceOf } from '../../log/durable-events.js';
import type { StateSource } from '../model/state-source.js';

/** The floor that the checkpointed state holds: events above it are needed to bring the state up to date. */
const CHECKPOINT_FLOOR = 'checkpoint';

/** A log that is only read, up to a position, and what has been folded of it so far: its state is thrown away in the end. */
export class FoldedLog implements StateSource {
  /** Known once the state is open. */
  folded: FoldedState | undefined;

  constructor(
    private readonly source: LogSource,
    private readonly upTo: Position,
  ) {}

  get logId(): string {
    return this.source.logId;
  }

  get firstPosition(): Position {
    return positionOf(this.source.firstSequence);
  }

  get durablePosition(): Position {
    return this.upTo;
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
    // Nothing is written.
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  timelineAt(position: Position): string | undefined {
    return this.source.timelineAt(sequenceOf(position));
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- for the log that is written
  endsIn(_timeline: string): boolean {
    // No state of an earlier time is compared with it.
    return false;
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- for the log that is written
  moveFloor(_position: Position): void {
    // Nothing depends on a state that is thrown away.
  }

  private get state(): FoldedState {
    return defined(this.folded, 'the folded state');
  }
}

/** A log that this process writes, and what has been folded of it so far. */
export class OwnFoldedLog extends FoldedLog {
  constructor(private readonly wal: Wal) {
    super(wal, positionOf(wal.durableSequence));
  }

  override get durablePosition(): Position {
    return positionOf(this.wal.durableSequence);
  }

  override assertUnfenced(): void {
    this.wal.assertUnfenced();
  }

  override endsIn(timeline: string): boolean {
    return this.wal.endsIn(timeline);
  }

  override async flush(): Promise<void> {
    if (this.lastPosition > this.durablePosition) await this.wal.flush();
  }

  override moveFloor(position: Position): void {
    this.wal.floors.set(CHECKPOINT_FLOOR, sequenceOf(position));
  }
}
