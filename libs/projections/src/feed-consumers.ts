import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store';
import type { Clock } from '@holdfast/kernel';

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
  /** Bytes of events sent to it that it has not yet paid back with credit; 0 within the process. */
  readonly outstandingBytes: number;
}

/** Who is reading the feed just now, for metrics and, later, for floors. */
export class FeedConsumers {
  private readonly connected = new Set<ConnectedConsumer>();

  /** In the order of their arrival. */
  list(): ConsumerStatus[] {
    return Array.from(this.connected, (consumer) => ({ ...consumer }));
  }

  /** For the feed itself: lists a consumer, and whatever is changed in it, until it is removed. */
  add(consumer: ConnectedConsumer): void {
    this.connected.add(consumer);
  }

  remove(consumer: ConnectedConsumer): void {
    this.connected.delete(consumer);
  }
}

/** The same, for the feed to keep up to date. */
export type ConnectedConsumer = {
  -readonly [Field in keyof ConsumerStatus]: ConsumerStatus[Field];
};

export function newConsumer(
  consumer: string | undefined,
  peer: string,
  clock: Clock,
): ConnectedConsumer {
  return {
    consumer: consumer ?? 'unnamed',
    peer,
    connectedAtMillis: clock.nowMillis(),
    sentPosition: BEFORE_FIRST_POSITION,
    appliedPosition: BEFORE_FIRST_POSITION,
    outstandingBytes: 0,
  };
}
