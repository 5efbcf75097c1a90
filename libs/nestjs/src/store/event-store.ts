import type { AnyCommand, CommandWriter, CommandWriterOptions, Read } from '@holdfast/commands';
import type { StatesTakenOver } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { FeedFloors, type FloorKeeper } from '@holdfast/projections';
import { Logger } from '@nestjs/common';
import type { EventStreamsOptions } from '../events/event-streams.js';
import type { Feature } from '../feature/feature.js';
import type { Headers } from '../http/command-headers.js';
import { ServiceProblems } from './service-problems.js';

export interface EventStoreOptions extends Omit<CommandWriterOptions, 'state' | 'newId'> {
  /** Holds `wal/`, `state/`, `snapshots/` and `read-models/`; made when missing. On a local disk. */
  readonly directory: string;
  /** `false`: in memory, and made of the whole log at each start. */
  readonly state?:
    Omit<NonNullable<CommandWriterOptions['state']>, 'directory' | 'snapshotDirectory'> | false;
  /** As of `combined`. */
  readonly takesOver?: StatesTakenOver;
  /** Who asks: 1 to 128 visible ASCII characters without `/`. Keys of different actors never meet. `anonymous` when left out. */
  readonly actor?: (request: { readonly headers: Headers }) => string;
  /** What bounds answers of `@Follows`. */
  readonly streams?: Omit<EventStreamsOptions, 'log' | 'stopping' | 'problems' | 'types'>;
  /** The process must not go on. When left out, it ends with the code of the error, and recovery decides. */
  readonly onFatal?: (error: unknown) => void;
}

const nestLog: FloorKeeper['logger'] = {
  warn: (facts, message) => new Logger('Holdfast').warn(message, facts),
};

/** One fault that is worth telling: `undefined` when there is none. */
export type HealthCheck = () => string | undefined;

/** The open log with its features, and the order in which all that reads it is let go. */
export class EventStore {
  readonly problems: ServiceProblems;
  readonly healthChecks = new Map<string, HealthCheck>();
  private failed = false;
  private readonly stop = new AbortController();
  private readonly readers: (() => Promise<void>)[] = [];
  private readonly floors: FeedFloors;
  private readonly leaveFloors: () => void;

  constructor(
    readonly writer: CommandWriter<AnyCommand, object, Read>,
    readonly features: readonly Feature[],
    readonly options: EventStoreOptions,
    private readonly onFatal: (error: unknown) => void,
  ) {
    this.problems = new ServiceProblems(features.map(({ problems = {} }) => problems));
    this.healthChecks.set('log', () => this.writer.failure?.message ?? this.writer.fullBecause);
    this.healthChecks.set('clock', () => {
      const { fault } = this.writer.log.clockStatus();
      return fault && `nothing is recorded, because the clock is not believed: ${fault}`;
    });
    this.floors = FeedFloors.of(writer.log);
    this.leaveFloors = this.floors.keep({ logger: nestLog });
    void writer.failed.then((error) => this.fatal(error));
  }

  /** The process must not go on. Only the first call counts: later failures are its consequences. */
  fatal(error: unknown): void {
    if (this.failed) return;
    this.failed = true;
    this.beginStop();
    this.onFatal(error);
  }

  /** Fires once nothing should wait any more. */
  get stopping(): AbortSignal {
    return this.stop.signal;
  }

  beginStop(): void {
    this.stop.abort();
  }

  /** Reads the log until then. */
  closesBefore(close: () => Promise<void>): void {
    assert(!this.stop.signal.aborted, 'a store that stops takes no more readers');
    this.readers.push(close);
  }

  /** Everything admitted is made durable, and the log's lock is released, whatever becomes of those that read. What fails is told as `fatal`: Nest only logs it. */
  async close(): Promise<void> {
    this.beginStop();
    const closed = await Promise.allSettled(this.readers.map((close) => close()));
    // What they still need is kept, also of one that read for less than a move.
    if (this.writer.failure === undefined) this.floors.move();
    this.leaveFloors();
    closed.push(...(await Promise.allSettled([this.writer.close()])));
    const rejected = closed.filter((one) => one.status === 'rejected');
    const failure = (rejected[0]?.reason as Error | undefined) ?? this.writer.failure;
    if (failure === undefined) return;
    this.fatal(failure);
    throw failure;
  }
}
