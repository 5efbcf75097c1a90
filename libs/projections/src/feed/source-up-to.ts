import { once } from 'node:events';
import type {
  EventBatch,
  EventSource,
  Position,
  ReadAllOptions,
  SubscribeOptions,
} from '@holdfast/event-store';

/** A source as it was when the position became durable, which must be the end of a commit: what came later is not there. */
export class SourceUpTo implements EventSource {
  constructor(
    private readonly source: EventSource,
    readonly durablePosition: Position,
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
      if (position < this.durablePosition) {
        yield { events, position };
        continue;
      }
      const end = this.durablePosition;
      yield { events: events.filter((event) => event.position <= end), position: end };
      return;
    }
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<EventBatch, void> {
    yield* this.readAll(options);
    if (!options.signal.aborted) await once(options.signal, 'abort');
  }
}
