import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store';
import { type Clock, systemClock } from '@holdfast/kernel';
import type { FeedCursor } from './event-feed.js';

/** One consumer of the feed as its source knows it. */
export interface ConsumerStatus {
  /** The name it gave; several may share one. */
  readonly consumer: string;
  /** Where it called from; `local` within the process, and of one that reads the files itself whatever it calls itself. */
  readonly peer: string;
  readonly connectedAtMillis: number;
  /** The last position sent to it; of one that reads the files itself, where it stands. */
  readonly sentPosition: Position;
  /** How far its own state has come, as it last reported. */
  readonly appliedPosition: Position;
  /** What it would come back to after a power cut: the log must keep what follows. */
  readonly durablePosition: Position;
  /** Whether the log keeps what it needs while it is away. */
  readonly keepsFloor: boolean;
  /** Bytes of events sent to it that it has not yet paid back with credit; 0 within the process. */
  readonly outstandingBytes: number;
}

/** What a consumer that reads the log's files itself tells the owner of the log about itself. */
export interface ConsumerReport {
  readonly consumer: string;
  /** Tells apart those that share a name: another one for each time a consumer begins to read. */
  readonly reporter: string;
  /** Where it stands. */
  readonly applied: FeedCursor;
  /** What it would come back to after a power cut. */
  readonly durable: FeedCursor;
  /** It reads no more; its floor stays. */
  readonly ended: boolean;
}

/** A consumer reports at least this often, also when nothing moves … */
export const REPORT_MILLIS = 1_000;
/** … and one that has not been heard of for so long counts as away. */
export const REPORT_SILENCE_MILLIS = 15_000;
/** More that report at a time are a mistake, not a use; the one that was silent longest is forgotten. */
const REPORTERS_MAX = 1_000;

/** Who is reading the log just now, for metrics and for floors. */
export class FeedConsumers {
  private readonly connected = new Set<ConnectedConsumer>();
  private readonly reporting = new Map<string, ReportingConsumer>();

  constructor(private readonly clock: Clock = systemClock) {}

  /** In the order of their arrival. */
  list(): ConsumerStatus[] {
    this.forgetSilent();
    const reporting = Array.from(this.reporting.values(), ({ status }) => status);
    return [...this.connected, ...reporting].map((consumer) => ({ ...consumer }));
  }

  /** For the feed itself: lists a consumer, and whatever is changed in it, until it is removed. */
  add(consumer: ConnectedConsumer): void {
    this.connected.add(consumer);
  }

  remove(consumer: ConnectedConsumer): void {
    this.connected.delete(consumer);
  }

  /** From one that reads the files itself. Whoever calls has checked that the cursors are of this log's history. */
  report({ consumer, reporter, applied, durable, ended }: ConsumerReport): void {
    const key = `${consumer} ${reporter}`;
    const known = this.reporting.get(key);
    this.reporting.delete(key);
    if (ended) return;
    const heardAtMillis = this.clock.nowMillis();
    const status = known?.status ?? {
      ...newConsumer(consumer, reporter, this.clock),
      keepsFloor: true,
    };
    status.appliedPosition = status.sentPosition = applied.position;
    status.durablePosition = durable.position;
    // At the end of the map: the first one is always the one that was silent longest.
    this.reporting.set(key, { status, heardAtMillis });
    this.forgetSilent();
  }

  /**
   * The operator has given this consumer up: whoever reads under its name now keeps nothing any more. One that comes back later is a
   * consumer like any other.
   */
  giveUp(consumer: string): void {
    for (const status of [...this.connected, ...this.reportingStatus()])
      if (status.consumer === consumer) status.keepsFloor = false;
  }

  private reportingStatus(): ConnectedConsumer[] {
    return Array.from(this.reporting.values(), ({ status }) => status);
  }

  private forgetSilent(): void {
    const heardSince = this.clock.nowMillis() - REPORT_SILENCE_MILLIS;
    for (const [key, { heardAtMillis }] of this.reporting)
      if (heardAtMillis < heardSince || this.reporting.size > REPORTERS_MAX)
        this.reporting.delete(key);
  }
}

interface ReportingConsumer {
  readonly status: ConnectedConsumer;
  readonly heardAtMillis: number;
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
    durablePosition: BEFORE_FIRST_POSITION,
    keepsFloor: false,
    outstandingBytes: 0,
  };
}
