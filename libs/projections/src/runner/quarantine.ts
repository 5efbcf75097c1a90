import type { RecordedEvent } from '@holdfast/event-store';
import { defined, errorCode, errorMessage } from '@holdfast/kernel';
import type { FeedCursor } from '../event-feed.js';
import type { Projection } from '../projection.js';
import type {
  QuarantineChange,
  QuarantinedCommit,
  QuarantineOrders,
} from '../quarantined-commit.js';
import { quarantineFull } from '../read-model.errors.js';
import type { ReadModelLease } from '../read-model-store.js';

export interface QuarantineOptions<Transaction> {
  readonly projection: Projection<Transaction>;
  readonly lease: ReadModelLease<Transaction>;
  /** The most events that may wait. */
  readonly eventsMax: number;
  /** Events wait in the form that they had when they were read. */
  readonly upcast?: ((event: RecordedEvent) => RecordedEvent) | undefined;
}

export interface DividedBatch {
  readonly applied: readonly RecordedEvent[];
  readonly changes: readonly QuarantineChange[];
}

/** A systematic fault ends the projection before it fills the disk. */
export const QUARANTINED_EVENTS_MAX = 1_000;

const nothing = (): void => undefined;

/**
 * What a generation's tables lack, as its worker sees it. A commit waits behind an earlier one with which it has a stream or another key in common; so whatever waits is applied in the order of the
 * log by each of its streams, and whole.
 *
 * Invariant: `held` are the keys of `commits`. What was taken in for a transaction that then fails is forgotten with the whole object, because that ends the pass.
 */
export class Quarantine<Transaction> {
  private held: Set<string>;

  private constructor(
    private readonly options: QuarantineOptions<Transaction>,
    private commits: readonly QuarantinedCommit[],
  ) {
    this.held = keysIn(commits);
  }

  /** Throws `READ_MODEL_UNAVAILABLE`. */
  static async of<Transaction>(
    options: QuarantineOptions<Transaction>,
  ): Promise<Quarantine<Transaction>> {
    return new Quarantine(options, await options.lease.quarantine.waiting());
  }

  /** In the order of the log. */
  get waiting(): readonly QuarantinedCommit[] {
    return this.commits;
  }

  get events(): number {
    return this.commits.reduce((sum, { events }) => sum + events, 0);
  }

  /**
   * What of a batch is to be applied, and what waits instead. Of a careful pass a batch is one commit. Undefined when some must wait that cannot be told from commits beside it: then a careful pass
   * has to find out.
   *
   * @throws `PROJECTION_FAILED`: more would wait than may.
   */
  divide(events: readonly RecordedEvent[], isOneCommit: boolean): DividedBatch | undefined {
    if (this.commits.length === 0) return { applied: events, changes: [] };
    const applied: RecordedEvent[] = [];
    const changes: QuarantineChange[] = [];
    for (const commit of isOneCommit ? [events] : commitsOf(events)) {
      const keys = this.keysOf(commit);
      if (!keys.some((key) => this.held.has(key))) for (const event of commit) applied.push(event);
      else if (isOneCommit || isContiguous(commit)) changes.push(this.take(commit, keys, 0));
      else return undefined;
    }
    return { applied, changes };
  }

  /**
   * Takes in a commit that was refused, and moves the cursor over it: passed over for good, if that was decided before.
   *
   * @throws `PROJECTION_FAILED`: more would wait than may.
   */
  async isolate(
    events: readonly RecordedEvent[],
    to: FeedCursor,
    attempts: number,
    error: string,
  ): Promise<void> {
    const change = this.take(events, this.keysOf(events), attempts, error);
    await this.options.lease.transact(to, nothing, [change]);
  }

  /** Whether an operator has decided to leave this very commit out: then the cursor was moved over it. */
  async passOver(
    events: readonly RecordedEvent[],
    to: FeedCursor,
    error: string,
  ): Promise<boolean> {
    const { lease } = this.options;
    const { skips } = await lease.quarantine.orders();
    const content = [first(events), ...events.slice(1)] as const;
    const [{ position, id: eventId }] = content;
    if (!isDecided({ position, eventId, events: events.length }, skips)) return false;
    const put = { kind: 'put', content, keys: this.keysOf(events), attempts: 1, error } as const;
    await lease.transact(to, nothing, [{ ...put, skipped: true }]);
    return true;
  }

  /**
   * Does what operators have asked for, and tries what waits for nothing any more, in the order of the log; each commit is a transaction. What is refused stays, and what waits behind it.
   * Crash within: what was applied is out of the quarantine, and the rest is tried again.
   */
  async serve(signal: AbortSignal): Promise<void> {
    const { lease } = this.options;
    const orders = await lease.quarantine.orders();
    const staying: QuarantinedCommit[] = [];
    const held = new Set<string>();
    for (const commit of this.commits) {
      const isFree = !signal.aborted && !commit.keys.some((key) => held.has(key));
      const stays = isFree ? await this.settled(commit, orders) : commit;
      if (stays === undefined) continue;
      staying.push(stays);
      for (const key of stays.keys) held.add(key);
    }
    this.commits = staying;
    this.held = held;
    if (orders.releases.length > 0 && !signal.aborted)
      await lease.quarantine.obeyed(orders.releases);
  }

  /** Of a commit that nothing is in the way of: as it stays, or undefined when it is done with. */
  private async settled(
    commit: QuarantinedCommit,
    { releases, skips }: QuarantineOrders,
  ): Promise<QuarantinedCommit | undefined> {
    const { lease } = this.options;
    const { position, attempts } = commit;
    if (attempts > 0 && isDecided(commit, skips)) {
      await lease.transact(undefined, nothing, [{ kind: 'skipped', position }]);
      return undefined;
    }
    const isAsked = releases.some((one) => (one.position ?? position) === position);
    if (attempts > 0 && !isAsked) return commit;
    await lease.renew();
    const error = await this.refusalOf(commit);
    if (error === undefined) return undefined;
    await lease.transact(undefined, nothing, [{ kind: 'refused', position, error }]);
    return { ...commit, attempts: attempts + 1, error };
  }

  private async refusalOf({ position }: QuarantinedCommit): Promise<string | undefined> {
    const { lease, projection, upcast = (event: RecordedEvent) => event } = this.options;
    const content = await lease.quarantine.contentOf(position);
    try {
      const change = { kind: 'applied', position } as const;
      await lease.transact(
        undefined,
        (transaction) => projection.apply(content.map(upcast), transaction),
        [change],
      );
      return undefined;
    } catch (error) {
      if (errorCode(error)?.startsWith('READ_MODEL_') === true) throw error;
      return errorMessage(error);
    }
  }

  private take(
    events: readonly RecordedEvent[],
    keys: readonly string[],
    attempts: number,
    error?: string,
  ): QuarantineChange {
    const { projection, eventsMax } = this.options;
    const content = [first(events), ...events.slice(1)] as const;
    const [{ position, id: eventId }] = content;
    if (this.events + events.length > eventsMax)
      throw quarantineFull(projection.name, { position, waiting: this.events, eventsMax, error });
    const commit = { position, eventId, events: events.length, keys, attempts, error };
    this.commits = [...this.commits, { ...commit, sinceMillis: 0, skipped: false }];
    for (const key of keys) this.held.add(key);
    return { kind: 'put', content, keys, attempts, ...(error !== undefined && { error }) };
  }

  private keysOf(events: readonly RecordedEvent[]): readonly string[] {
    const { touches = () => [] } = this.options.projection;
    return [...new Set(events.flatMap((event) => [event.stream, ...touches(event)]))];
  }
}

/** Up to where a commit ends for certain, or the batch does, which ends where a commit does. A filter may have left out the event that ends a commit: then the next may be in one with it. */
function* commitsOf(events: readonly RecordedEvent[]): Generator<readonly RecordedEvent[]> {
  let begin = 0;
  for (const [index, { endsCommit }] of events.entries()) {
    if (!endsCommit && index + 1 < events.length) continue;
    yield events.slice(begin, index + 1);
    begin = index + 1;
  }
}

/** Nothing was left out between the events, so only the last of them may end a commit. */
function isContiguous(events: readonly RecordedEvent[]): boolean {
  return events.every(({ position }, index) => position === first(events).position + index);
}

function first(events: readonly RecordedEvent[]): RecordedEvent {
  return defined(events[0], 'the first event of a commit');
}

function keysIn(commits: readonly QuarantinedCommit[]): Set<string> {
  return new Set(commits.flatMap(({ keys }) => keys));
}

function isDecided(
  commit: Pick<QuarantinedCommit, 'position' | 'eventId' | 'events'>,
  skips: QuarantineOrders['skips'],
): boolean {
  return skips.some(
    ({ position, eventId, events }) =>
      position === commit.position && eventId === commit.eventId && events === commit.events,
  );
}
