import { type Clock, type CodedError, assert } from '@holdfast/kernel';
import type {
  AppendedCommit,
  Commit,
  EventBatch,
  EventLog,
  ReadAllOptions,
  ReadStreamOptions,
  ReadTagOptions,
  SubscribeOptions,
} from './event-log.js';
import type { Position, RecordedEvent, StreamVersion } from './event.js';
import type { StateStore } from './state-store.js';
import type { Upcasters } from './upcaster.js';

/** Folds one event into the state. Pure but for `state`: no clock, no random, no I/O. It must not throw. */
export type Evolve = (event: RecordedEvent, state: StateStore) => void;

export interface ReplayProgress {
  readonly position: Position;
  readonly lastPosition: Position;
  readonly elapsedMillis: number;
}

export interface WalEventLogOptions {
  /** Handed to `Wal.open`. */
  readonly wal?: Readonly<Record<string, unknown>>;
  /** Empty, to be filled by replay; in memory when left out. Section names that start with `log/` are taken. */
  readonly state?: StateStore;
  readonly evolve?: Evolve;
  readonly upcasters?: Upcasters;
  readonly clock?: Clock;
  /** Called about ten times a second while the log is replayed, and once at its end. */
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
}

/** The `EventLog` port on the write-ahead log of one directory. */
export class WalEventLog implements EventLog {
  declare readonly logId: string;
  /** What `evolve` has made of every event so far, durable or not. */
  declare readonly state: StateStore;
  /** Why the log refuses all further work, once it does. */
  declare readonly poisoned: CodedError | undefined;
  declare readonly durablePosition: Position;
  declare readonly lastPosition: Position;

  static open(directory: string, options?: WalEventLogOptions): Promise<WalEventLog> {
    return notBuiltYet(directory, options);
  }

  now(): number {
    return notBuiltYet();
  }

  append(commit: Commit): AppendedCommit {
    return notBuiltYet(commit);
  }

  whenDurable(position: Position): Promise<void> {
    return notBuiltYet(position);
  }

  streamVersion(stream: string): StreamVersion {
    return notBuiltYet(stream);
  }

  eventAt(position: Position): RecordedEvent | undefined {
    return notBuiltYet(position);
  }

  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    return notBuiltYet(stream, options);
  }

  readTag(tag: string, options?: ReadTagOptions): AsyncIterable<RecordedEvent> {
    return notBuiltYet(tag, options);
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

  close(): Promise<void> {
    return notBuiltYet();
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}
