import type { Position, RecordedEvent } from '../event.js';
import type { EventBatch } from '../event-log.js';

/** Encoded bytes of one batch, but for a commit that alone has more. */
export const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Events looked at for one batch: what a filter leaves out still lets others run, and still reports progress. */
export const BATCH_EXAMINED_MAX = 50_000;

/**
 * Gathers one batch of a forward scan. A batch ends where a commit ends, so it is told of each commit's end and cuts there
 * when the next commit turns out not to fit.
 */
export class BatchCollector {
  /** Told to stop: there may be more to read. */
  full = false;
  private readonly events: RecordedEvent[] = [];
  private bytes = 0;
  private examined = 0;
  /** As they were at the end of the last whole commit. */
  private wholeEvents = 0;
  private wholePosition: Position;

  constructor(
    after: Position,
    private readonly eventsMax: number,
  ) {
    this.wholePosition = after;
  }

  /** One event that was looked at; undefined if the filter left it out. Returns whether to go on. */
  add(
    position: Position,
    event: RecordedEvent | undefined,
    bytes: number,
    endsCommit: boolean,
  ): boolean {
    this.examined++;
    if (event !== undefined) {
      this.events.push(event);
      this.bytes += bytes;
      if (this.wholeEvents > 0 && this.overflows()) {
        this.full = true;
        return false;
      }
    }
    if (!endsCommit) return true;
    this.wholeEvents = this.events.length;
    this.wholePosition = position;
    this.full =
      this.events.length >= this.eventsMax ||
      this.bytes >= BATCH_BYTES_MAX ||
      this.examined >= BATCH_EXAMINED_MAX;
    return !this.full;
  }

  /** `end` is where the scan was to end; it did, unless the batch is full. */
  batch(end: Position): EventBatch {
    if (!this.full) return { events: this.events, position: end };
    this.events.length = this.wholeEvents;
    return { events: this.events, position: this.wholePosition };
  }

  private overflows(): boolean {
    return this.events.length > this.eventsMax || this.bytes > BATCH_BYTES_MAX;
  }
}
