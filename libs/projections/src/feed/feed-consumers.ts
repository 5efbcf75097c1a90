import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import { type Clock, type CodedError, type MonotonicClock, systemClock } from '@holdfast/kernel';
import type { FeedCursor } from '../event-feed.js';
import { feedRefused, feedUnavailable } from '../feed.errors.js';

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
/** More that report at a time are a mistake, not a use: one more is turned away, and those that are known are heard on. */
const REPORTERS_MAX = 1_000;
/** So many of them under one name … */
const REPORTERS_OF_NAME_MAX = 128;
/** … and so many from one machine, so that none of them can take the places of the others. */
export const REPORTERS_OF_PEER_MAX = 32;
/** The same for those that are connected to read. */
const FOLLOWERS_MAX = 256;
export const FOLLOWERS_OF_PEER_MAX = 32;
/** What a floor's name has room for. */
const CONSUMER_CHARACTERS_MAX = 112;
const REPORTER_CHARACTERS_MAX = 512;
/** Of whoever is in this process. */
const LOCAL = 'local';

export interface FeedConsumersOptions {
  readonly clock?: MonotonicClock;
  /**
   * The names under which a floor may be kept. A floor keeps the log from being removed until an operator drops it, so a feed that
   * others can reach should say who may have one. Left out: every name, where all who read are the program's own.
   */
  readonly floorNames?: ReadonlySet<string> | undefined;
}

/** By their log. */
const ofLogs = new WeakMap<object, FeedConsumers>();

/** Who is reading the log just now, for metrics and for floors. Whatever others can fill has a bound, for each of them and for all. */
export class FeedConsumers {
  private readonly connected = new Set<ConnectedConsumer>();
  private readonly reporting = new Map<string, ReportingConsumer>();
  private readonly left = new Map<string, ConnectedConsumer>();

  private readonly clock: MonotonicClock;
  private readonly floorNames: ReadonlySet<string> | undefined;

  constructor({ clock = systemClock, floorNames }: FeedConsumersOptions = {}) {
    this.clock = clock;
    this.floorNames = floorNames;
  }

  /** Those that read a log within this process and were told of no others: whoever removes events of it asks here. */
  static of(log: object): FeedConsumers {
    const known = ofLogs.get(log) ?? new FeedConsumers();
    ofLogs.set(log, known);
    return known;
  }

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
    if (this.connected.delete(consumer)) this.leave(consumer);
  }

  /** Those that kept a floor and read no more, each once: one that failed at once, and will come back, may never have been in the list when it was looked at. */
  takeLeft(): ConsumerStatus[] {
    this.forgetSilent();
    const left = [...this.left.values()];
    this.left.clear();
    return left;
  }

  /** Why one that wants to read is turned away: `FEED_REFUSED` for what it may not have, `FEED_UNAVAILABLE` when there are too many. */
  refusalOf({ consumer, peer }: ConnectedConsumer, keepsFloor: boolean): CodedError | undefined {
    const host = hostOf(peer);
    const near = count(this.connected, (other) => hostOf(other.peer) === host);
    if (near >= FOLLOWERS_OF_PEER_MAX || this.connected.size >= FOLLOWERS_MAX)
      return feedUnavailable('the log', `${near} consumers of ${host} read it already`);
    return this.refusalOfName(consumer, keepsFloor);
  }

  /**
   * From one that reads the files itself, at `peer`. Whoever calls has checked that the cursors are of this log's history. Throws
   * `FEED_REFUSED` for a name that may keep no floor, `FEED_UNAVAILABLE` when too many report; a floor that is there stays where it is.
   */
  report(report: ConsumerReport, peer = LOCAL): void {
    const { consumer, reporter, applied, durable, ended } = report;
    const host = hostOf(peer);
    // Nobody speaks for a reporter of another machine.
    const key = `${consumer} ${host} ${reporter}`;
    const known = this.reporting.get(key);
    const refusal = known === undefined ? this.refusalOfReport(report, host) : undefined;
    if (refusal !== undefined) throw refusal;
    this.reporting.delete(key);
    const heardAtMillis = this.clock.monotonicMillis();
    const status = known?.status ?? {
      ...newConsumer(consumer, reporter, this.clock),
      keepsFloor: true,
    };
    status.appliedPosition = status.sentPosition = applied.position;
    status.durablePosition = durable.position;
    if (ended) {
      this.leave(status);
      return;
    }
    // At the end of the map: the first one is always the one that was silent longest.
    this.reporting.set(key, { status, host, heardAtMillis });
    this.forgetSilent();
  }

  /**
   * The operator has given this consumer up: whoever reads under its name now keeps nothing any more. One that comes back later is a
   * consumer like any other.
   */
  giveUp(consumer: string): void {
    for (const status of [...this.connected, ...this.reportingStatus()])
      if (status.consumer === consumer) status.keepsFloor = false;
    this.left.delete(consumer);
  }

  private leave(status: ConnectedConsumer): void {
    const { consumer, keepsFloor, durablePosition } = status;
    const before = this.left.get(consumer);
    if (!keepsFloor || (before && before.durablePosition <= durablePosition)) return;
    if (before === undefined && this.left.size >= REPORTERS_MAX) return;
    this.left.set(consumer, { ...status });
  }

  private refusalOfName(consumer: string, keepsFloor: boolean): CodedError | undefined {
    if (consumer.length > CONSUMER_CHARACTERS_MAX)
      return feedRefused('the log', `a consumer's name has ${consumer.length} characters`);
    if (!keepsFloor || this.floorNames === undefined || this.floorNames.has(consumer))
      return undefined;
    return feedRefused('the log', `no floor is kept under the name '${consumer}'`);
  }

  private refusalOfReport(
    { consumer, reporter }: ConsumerReport,
    host: string,
  ): CodedError | undefined {
    if (reporter.length > REPORTER_CHARACTERS_MAX)
      return feedRefused('the log', `a reporter's name has ${reporter.length} characters`);
    this.forgetSilent();
    const all = [...this.reporting.values()];
    const near = count(all, (reporting) => reporting.host === host);
    const named = count(all, ({ status }) => status.consumer === consumer);
    const full = near >= REPORTERS_OF_PEER_MAX || named >= REPORTERS_OF_NAME_MAX;
    if (full || all.length >= REPORTERS_MAX)
      return feedUnavailable(
        'the log',
        `${near} of ${host}, ${named} as '${consumer}' report already`,
      );
    return this.refusalOfName(consumer, true);
  }

  private reportingStatus(): ConnectedConsumer[] {
    return Array.from(this.reporting.values(), ({ status }) => status);
  }

  private forgetSilent(): void {
    const heardSince = this.clock.monotonicMillis() - REPORT_SILENCE_MILLIS;
    for (const [key, { status, heardAtMillis }] of this.reporting) {
      if (heardAtMillis >= heardSince) continue;
      this.reporting.delete(key);
      this.leave(status);
    }
  }
}

interface ReportingConsumer {
  readonly status: ConnectedConsumer;
  readonly host: string;
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

/** A peer without its port: one machine has many ports. */
function hostOf(peer: string): string {
  return peer.replace(/:[0-9]+$/, '');
}

function count<Item>(items: Iterable<Item>, matches: (item: Item) => boolean): number {
  let matching = 0;
  for (const item of items) if (matches(item)) matching += 1;
  return matching;
}
