import { once } from 'node:events';
import type {
  EventBatch,
  EventSource,
  Position,
  ReadAllOptions,
  RecordedEvent,
  SubscribeOptions,
} from '@holdfast/event-store';

/** A source as it was when the position became durable, which must be the end of a commit: what came later is not there, nor what is left out. */
export class SourceUpTo implements EventSource {
  constructor(
    private readonly source: EventSource,
    readonly durablePosition: Position,
    private readonly leftOut: ReadonlySet<Position> = new Set(),
  ) {}

  get logId(): string {
    return this.source.logId;
  }

  get firstPosition(): Position {
    return this.source.firstPosition ?? (1 as Position);
  }

  timelineAt(position: Position): string | undefined {
    return position > this.durablePosition ? undefined : this.source.timelineAt(position);
  }

  get newestTimeline(): string {
    return this.source.newestTimeline;
  }

  /** Forward only. */
  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<EventBatch, void> {
    if ((options.after ?? 0) >= this.durablePosition) return;
    for await (const { events, position } of this.source.readAll(options)) {
      const end = this.durablePosition;
      const isIn = (event: RecordedEvent): boolean =>
        event.position <= end && !this.leftOut.has(event.position);
      const isWhole = position < end && this.leftOut.size === 0;
      yield {
        events: isWhole ? events : events.filter(isIn),
        position: Math.min(position, end) as Position,
      };
      if (position >= end) return;
    }
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<EventBatch, void> {
    yield* this.readAll(options);
    if (!options.signal.aborted) await once(options.signal, 'abort');
  }
}
