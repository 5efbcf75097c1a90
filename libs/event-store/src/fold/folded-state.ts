import { assert, errorCode } from '@holdfast/kernel';
import { BEFORE_FIRST_POSITION, type Position, type RecordedEvent } from '../event.js';
import { EventStoreError, corruptEvent } from '../event-store.errors.js';
import type { EventView } from '../codec/event-view.js';
import type { StateStore } from '../state-store.js';
import { StreamIndex } from '../index/stream-index.js';
import type { Upcasters } from '../codec/upcaster.js';

/** Folds one event into the state. No clock, no random, no I/O, and no throwing: see `EVENT_STATE_BROKEN`. */
export type Evolve = (event: RecordedEvent, state: StateStore) => void;

/**
 * Everything that is a function of the log: where each stream's and tag's events are, the last time of recording, and the
 * caller's state. Replay and append fold through the same two steps.
 */
export class FoldedState {
  readonly index: StreamIndex;
  /** The end of the last commit that was folded as a whole. */
  lastPosition = BEFORE_FIRST_POSITION;
  lastRecordedAtMillis = 0;
  /** Beyond `lastPosition` while a commit is being folded, and for good when that has failed. */
  private foldedPosition = BEFORE_FIRST_POSITION;

  constructor(
    readonly state: StateStore,
    private readonly evolve: Evolve | undefined,
    private readonly upcasters: Upcasters | undefined,
  ) {
    this.index = new StreamIndex(state);
  }

  /** The state is that of a checkpoint: replay goes on behind it. */
  startAt(position: Position, lastRecordedAtMillis: number): void {
    this.lastPosition = this.foldedPosition = position;
    this.lastRecordedAtMillis = lastRecordedAtMillis;
  }

  /** For whoever is about to store the state: nothing of a commit that was folded in part is in it, for such a state is that of no position. */
  assertWhole(): void {
    assert(this.foldedPosition === this.lastPosition, 'the last commit is folded as a whole');
  }

  /**
   * An event that was just admitted, with the others of its commit. All of them are indexed before the first is folded, so
   * that reading stays right even when folding turns out to be broken.
   */
  add(events: readonly RecordedEvent[]): void {
    // As a replay counts them: a restore may have ended in front of what compaction had dropped, or in the middle of it.
    const dropped = (events[0]?.position ?? 0) - this.foldedPosition - 1;
    if (dropped > 0) this.index.pass(dropped);
    for (const event of events) {
      this.foldedPosition = event.position;
      this.index.add(event);
      this.lastRecordedAtMillis = event.recordedAtMillis;
    }
    if (this.evolve !== undefined) for (const event of events) this.fold(event);
    this.lastPosition = this.foldedPosition;
  }

  /**
   * An event out of the log. Throws `EVENT_CORRUPT` when it does not continue what came before it. Positions that compaction has emptied are passed over: as many
   * versions of streams, and no more, may be missing from there on.
   */
  replay(view: EventView): void {
    const { position, recordedAtMillis } = view;
    const dropped = position - this.foldedPosition - 1;
    this.foldedPosition = position;
    if (dropped > 0) this.index.pass(dropped);
    if (recordedAtMillis < this.lastRecordedAtMillis)
      throw corruptEvent(`it was recorded before the event in front of it`, position);
    this.lastRecordedAtMillis = recordedAtMillis;
    if (this.evolve === undefined) this.index.add(view);
    else {
      const event = view.toEvent();
      this.index.add(event);
      this.fold(this.upcasters?.upcast(event) ?? event);
    }
    if (view.endsCommit) this.lastPosition = position;
  }

  private fold(event: RecordedEvent): void {
    try {
      this.evolve?.(event, this.state);
    } catch (cause) {
      // Not the program's fault: what it read was not what was written, or could not be read.
      const code = errorCode(cause);
      if (code === 'EVENT_STATE_DAMAGED' || code === 'EVENT_STATE_UNAVAILABLE') throw cause;
      const { position, type } = event;
      throw new EventStoreError(
        'EVENT_STATE_BROKEN',
        `the program failed to fold the ${type} at position ${position} into its state, which therefore no longer follows from the log; nothing more is decided until a program that can fold it opens the log`,
        { position, type },
        { cause },
      );
    }
  }
}
