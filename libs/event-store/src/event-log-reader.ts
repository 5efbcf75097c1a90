import type { ArchiveStore } from '@holdfast/wal/maintenance';
import { openArchiveOf, WalReader } from '@holdfast/wal/following';
import { DurableEvents } from './log/durable-events.js';
import type { EventBatch, EventSource, ReadAllOptions, SubscribeOptions } from './event-log.js';
import type { Position, RecordedEvent } from './event.js';
import type { Upcasters } from './codec/upcaster.js';

export interface EventLogReaderOptions {
  readonly upcasters?: Upcasters;
  /** The log's archive, from which events that have left the log's directory are read. Need not exist. */
  readonly archiveDirectory?: string;
}

/**
 * Reads the durable events of a log from another process: read-only, without a lock, also while the log is written. It has no index: filters find
 * streams and tags.
 *
 * `EventSource` lists what each member throws.
 */
export class EventLogReader implements EventSource {
  private readonly events: DurableEvents;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly reader: WalReader,
    private readonly archive: ArchiveStore | undefined,
    options: EventLogReaderOptions,
  ) {
    this.events = new DurableEvents(reader, options.upcasters);
  }

  /**
   * Opens the log for reading, without a lock.
   *
   * @throws what `WalReader.open` and `openArchiveOf` throw; `WAL_NOT_FOUND` while no writer has made the log.
   */
  static async open(
    directory: string,
    options: EventLogReaderOptions = {},
  ): Promise<EventLogReader> {
    const { archiveDirectory } = options;
    const archive =
      archiveDirectory === undefined ? undefined : openArchiveOf(directory, archiveDirectory);
    try {
      const reader = await WalReader.open(directory, { ...(archive && { archive }) });
      return new EventLogReader(reader, archive, options);
    } catch (error) {
      await archive?.close();
      throw error;
    }
  }

  get logId(): string {
    return this.events.logId;
  }

  get durablePosition(): Position {
    return this.events.durablePosition;
  }

  get firstPosition(): Position {
    return this.events.firstPosition;
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<EventBatch> {
    return this.events.readAll(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch> {
    return this.events.subscribe(options);
  }

  timelineAt(position: Position): string | undefined {
    return this.events.timelineAt(position);
  }

  get newestTimeline(): string {
    return this.events.newestTimeline;
  }

  /**
   * The durable event at a position, or undefined.
   *
   * @throws what `EventLog.eventAt` throws.
   */
  eventAt(position: Position): RecordedEvent | undefined {
    return this.events.eventAt(position);
  }

  /** Ends every subscription. */
  close(): Promise<void> {
    return (this.closed ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    this.events.close();
    await this.reader.close();
    await this.archive?.close();
  }
}
