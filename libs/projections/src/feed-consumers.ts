import type { Position } from '@holdfast/event-store';

/** One consumer of the feed as its source knows it. */
export interface ConsumerStatus {
  /** The name it gave; several may share one. */
  readonly consumer: string;
  /** Where it called from; `local` within the process. */
  readonly peer: string;
  readonly connectedAtMillis: number;
  /** The last position sent to it. */
  readonly sentPosition: Position;
  /** How far its own durable state has come, as it last reported. */
  readonly appliedPosition: Position;
  /** Bytes of events sent and not yet paid back with credit. */
  readonly outstandingBytes: number;
}

/** Who is reading the feed just now, for metrics and, later, for floors. */
export class FeedConsumers {
  /** In the order of their arrival. */
  list(): ConsumerStatus[] {
    return [];
  }
}
