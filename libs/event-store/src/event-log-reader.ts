import { assert } from '@holdfast/kernel';
import type { EventBatch, EventSource, ReadAllOptions, SubscribeOptions } from './event-log.js';
import type { Position, RecordedEvent } from './event.js';
import type { Upcasters } from './upcaster.js';

export interface EventLogReaderOptions {
  readonly upcasters?: Upcasters;
}

/** The log's durable events as another process sees them: read-only, without a lock. */
export class EventLogReader implements EventSource {
  declare readonly logId: string;
  declare readonly durablePosition: Position;

  static open(directory: string, options?: EventLogReaderOptions): Promise<EventLogReader> {
    return notBuiltYet(directory, options);
  }

  readAll(options?: ReadAllOptions): AsyncIterable<EventBatch> {
    return notBuiltYet(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch> {
    return notBuiltYet(options);
  }

  timelineAt(position: Position): string | undefined {
    return notBuiltYet(position);
  }

  eventAt(position: Position): RecordedEvent | undefined {
    return notBuiltYet(position);
  }

  close(): Promise<void> {
    return notBuiltYet();
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
