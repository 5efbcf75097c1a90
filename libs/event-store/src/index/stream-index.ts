import type { Position, StreamVersion } from '../event.js';
import { corruptEvent } from '../event-store.errors.js';
import { PositionIndex } from './position-index.js';
import type { StateSection, StateStore } from '../state-store.js';

const EVENTS = 'events';

/** What the index needs of an event; an `EventView` has it without decoding the rest. */
export interface IndexedEvent {
  readonly position: Position;
  readonly stream: string;
  readonly version: StreamVersion;
  readonly tags: readonly string[];
}

/**
 * Where each stream's and each tag's events are, so that reading them never scans the log. A stream's version n is the
 * n-th entry of its list. Covers everything admitted, durable or not: readers apply the durable bound.
 */
export class StreamIndex {
  readonly streams: PositionIndex;
  readonly tags: PositionIndex;
  /** Events that compaction has dropped, and whose place in a stream is not known yet. State: a checkpoint may come between. */
  private readonly dropped: StateSection<number>;

  constructor(state: StateStore) {
    this.streams = new PositionIndex(state, 'log/streams');
    this.tags = new PositionIndex(state, 'log/tags');
    this.dropped = state.section('log/dropped');
  }

  version(stream: string): StreamVersion {
    return this.streams.length(stream) as StreamVersion;
  }

  /** Where the stream's event of this version is. */
  positionOf(stream: string, version: StreamVersion): Position | undefined {
    if (version > this.version(stream)) return undefined;
    const { start, positions } = this.streams.page(stream, version - 1);
    return positions[version - 1 - start];
  }

  /** A replay has come across this many positions without events. */
  pass(positions: number): void {
    this.dropped.set(EVENTS, (this.dropped.get(EVENTS) ?? 0) + positions);
  }

  /**
   * Throws `EVENT_CORRUPT` when the stream's versions do not continue. In front of an event whose predecessors were dropped by compaction, its own position
   * stands for each of them: so lists stay ascending, and a reader finds a later version than it looks for.
   */
  add({ position, stream, version, tags }: IndexedEvent): void {
    let length = this.streams.append(stream, position);
    while (length < version && this.takeDropped()) {
      length = this.streams.append(stream, position);
    }
    if (version !== length)
      throw corruptEvent(`it is version ${version} of ${stream} after ${length - 1}`, position);
    for (const tag of tags) this.tags.append(tag, position);
  }

  private takeDropped(): boolean {
    const dropped = this.dropped.get(EVENTS) ?? 0;
    if (dropped === 0) return false;
    this.dropped.set(EVENTS, dropped - 1);
    return true;
  }
}
