import { errorCode } from '@holdfast/kernel';
import { BEFORE_FIRST_POSITION, type Position, type RecordedEvent } from './event.js';
import { EventStoreError, corruptEvent } from './event-store.errors.js';
import type { EventView } from './event-view.js';
import type { StateStore } from './state-store.js';
import { StreamIndex } from './stream-index.js';
import type { Upcasters } from './upcaster.js';

/** Folds one event into the state. No clock, no random, no I/O, and no throwing: see `EVENT_STATE_BROKEN`. */
export type Evolve = (event: RecordedEvent, state: StateStore) => void;

/**
 * Everything that is a function of the log: where each stream's and tag's events are, the last time of recording, and the
 * caller's state. Replay and append fold through the same two steps.
 */
export class FoldedState {
  readonly index: StreamIndex;
  /** Folded so far. */
  lastPosition = BEFORE_FIRST_POSITION;
  lastRecordedAtMillis = 0;

  constructor(
    readonly state: StateStore,
    private readonly evolve: Evolve | undefined,
    private readonly upcasters: Upcasters | undefined,
  ) {
    this.index = new StreamIndex(state);
  }

  /** The state is that of a checkpoint: replay goes on behind it. */
  startAt(position: Position, lastRecordedAtMillis: number): void {
    this.lastPosition = position;
    this.lastRecordedAtMillis = lastRecordedAtMillis;
  }

  /**
   * An event that was just admitted, with the others of its commit. All of them are indexed before the first is folded, so
   * that reading stays right even when folding turns out to be broken.
   */
  add(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      this.index.add(event);
      this.lastRecordedAtMillis = event.recordedAtMillis;
      this.lastPosition = event.position;
    }
    if (this.evolve === undefined) return;
    for (const event of events) this.fold(event);
  }

  /**
   * An event out of the log. Throws `EVENT_CORRUPT` when it does not continue what came before it. Positions that compaction has emptied are passed over: as many
   * versions of streams, and no more, may be missing from there on.
   */
  replay(view: EventView): void {
    const { recordedAtMillis } = view;
    const dropped = view.position - this.lastPosition - 1;
    if (dropped > 0) this.index.pass(dropped);
    if (recordedAtMillis < this.lastRecordedAtMillis)
      throw corruptEvent(`it was recorded before the event in front of it`, view.position);
    this.lastRecordedAtMillis = recordedAtMillis;
    this.lastPosition = view.position;
    if (this.evolve === undefined) {
      this.index.add(view);
      return;
    }
    const event = view.toEvent();
    this.index.add(event);
    this.fold(this.upcasters?.upcast(event) ?? event);
  }

  private fold(event: RecordedEvent): void {
    try {
      this.evolve?.(event, this.state);
    } catch (cause) {
      // Not the program's fault: what it read was not what was written.
      if (errorCode(cause) === 'EVENT_STATE_DAMAGED') throw cause;
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
