import type {
  EventBatch,
  EventFilter,
  EventSource,
  JsonObject,
  Position,
  ReadAllOptions,
  RecordedEvent,
  StreamVersion,
  SubscribeOptions,
} from '@holdfast/event-store';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';

export interface MemoryEvent {
  readonly stream?: string;
  readonly type?: string;
  readonly data?: JsonObject;
}

/** A log without a disk: for what a feed does with any source. The contract suites use real logs. */
export class MemoryEventSource implements EventSource {
  readonly logId = randomUUID();
  private readonly events: RecordedEvent[] = [];
  private readonly versions = new Map<string, number>();
  private readonly timelines: { from: number; timeline: string }[] = [];
  private readonly appended = new EventEmitter();
  /** Events handed out by subscriptions so far: what back-pressure must keep small. */
  read = 0;

  constructor() {
    this.appended.setMaxListeners(0);
    this.restart();
  }

  get durablePosition(): Position {
    return this.events.length as Position;
  }

  restart(): void {
    this.timelines.push({
      from: this.events.length + 1,
      timeline: randomUUID().slice(0, 8).padEnd(16, '0'),
    });
  }

  commit(...commits: (readonly MemoryEvent[])[]): void {
    for (const events of commits) this.append(events);
    this.appended.emit('appended');
  }

  /** The events of a type of each commit that has any. */
  commits(type = 'counted'): RecordedEvent[][] {
    const commits: RecordedEvent[][] = [[]];
    for (const event of this.events) {
      if (event.type === type) commits.at(-1)!.push(event);
      if (event.endsCommit) commits.push([]);
    }
    return commits.filter(({ length }) => length > 0);
  }

  private append(events: readonly MemoryEvent[]): void {
    for (const [index, { stream = 's', type = 'happened', data = {} }] of events.entries()) {
      const version = (this.versions.get(stream) ?? 0) + 1;
      this.versions.set(stream, version);
      this.events.push({
        position: (this.events.length + 1) as Position,
        stream,
        version: version as StreamVersion,
        id: randomUUID(),
        type,
        schemaVersion: 1,
        recordedAtMillis: 1_000 + this.events.length,
        tags: [],
        metadata: {},
        data,
        endsCommit: index === events.length - 1,
      });
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<EventBatch> {
    let after: number = options.after ?? 0;
    while (after < this.events.length) {
      const batch = this.batchAfter(after, options.filter, options.batchEvents ?? 1_000);
      after = batch.position;
      this.read += batch.events.length;
      yield batch;
      await Promise.resolve();
    }
  }

  async *subscribe(options: SubscribeOptions): AsyncIterable<EventBatch> {
    let { after } = options;
    const ended = () => options.signal.aborted;
    while (!ended()) {
      for await (const batch of this.readAll({ ...options, after })) {
        if (ended()) return;
        after = batch.position;
        yield batch;
      }
      if (after < this.events.length) continue;
      await once(this.appended, 'appended', { signal: options.signal }).catch(() => undefined);
    }
  }

  timelineAt(position: Position): string | undefined {
    if (position === 0) return '';
    if (position > this.events.length) return undefined;
    return this.timelines.findLast(({ from }) => from <= position)?.timeline;
  }

  get newestTimeline(): string {
    return this.timelines.at(-1)!.timeline;
  }

  private batchAfter(after: number, filter: EventFilter | undefined, most: number): EventBatch {
    let end = Math.min(after + most, this.events.length);
    while (!this.events[end - 1]!.endsCommit) end += 1;
    const events = this.events
      .slice(after, end)
      .filter(({ type }) => filter?.types?.includes(type) ?? true);
    return { events, position: end as Position };
  }
}
