import { BATCH_BYTES_MAX } from './batch-collector.js';
import type { Position, RecordedEvent } from '../event.js';
import type { EventBatch } from '../event-log.js';

interface WindowCommit {
  readonly first: Position;
  readonly events: RecordedEvent[];
  bytes: number;
}

/**
 * A stretch of the log, read forward to be delivered backward. It keeps whole commits only: the first of them is the first
 * that begins within the stretch. Of more bytes than one batch may have, it keeps the last.
 */
export class CommitWindow {
  private readonly commits: WindowCommit[] = [];
  private bytes = 0;
  private current: WindowCommit | undefined;

  /** `aligned`: the stretch is known to begin where a commit does. Otherwise it begins after the first end of one. */
  constructor(private aligned: boolean) {}

  add(
    position: Position,
    event: RecordedEvent | undefined,
    bytes: number,
    endsCommit: boolean,
  ): void {
    if (!this.aligned) {
      this.aligned = endsCommit;
      return;
    }
    this.current ??= this.begin(position);
    if (event !== undefined) {
      this.current.events.push(event);
      this.current.bytes += bytes;
      this.bytes += bytes;
    }
    if (!endsCommit) return;
    this.current = undefined;
    this.dropOldest();
  }

  /** The first position of which the window knows everything from there on; undefined when no commit begins in it. */
  get first(): Position | undefined {
    return this.commits[0]?.first;
  }

  get matches(): number {
    return this.commits.reduce((sum, { events }) => sum + events.length, 0);
  }

  /** Batches from the end to the beginning. */
  *backward(eventsMax: number): Generator<EventBatch> {
    let events: RecordedEvent[] = [];
    let position: Position | undefined;
    for (const commit of this.commits.toReversed()) {
      if (
        position !== undefined &&
        events.length > 0 &&
        events.length + commit.events.length > eventsMax
      ) {
        yield { events, position };
        events = [];
      }
      events.push(...commit.events.toReversed());
      position = commit.first;
    }
    if (position !== undefined) yield { events, position };
  }

  private begin(first: Position): WindowCommit {
    const commit = { first, events: [], bytes: 0 };
    this.commits.push(commit);
    return commit;
  }

  private dropOldest(): void {
    while (this.bytes > BATCH_BYTES_MAX && this.commits.length > 1)
      this.bytes -= this.commits.shift()?.bytes ?? 0;
  }
}
