import {
  CodedError,
  errorCode,
  errorMessage,
  type MonotonicClock,
  systemClock,
} from '@holdfast/kernel';
import type { EventFeed } from '@holdfast/projections';
import { BackOff, HeadProbe, pause } from '@holdfast/projections/consuming';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { outletFailed } from '../outlet.errors.js';
import type { Outlet } from '../outlet.js';
import type { OutletLease, OutletPositions, OutletRecord } from '../outlet-positions.js';
import { HeldLease } from './held-lease.js';
import { DeliveryFailed, OutletPass, Stopped } from './outlet-pass.js';
import { type OutletStatus, OutletStatusKeeper } from './outlet-status.js';

export interface OutletRunnerOptions {
  readonly feed: EventFeed;
  readonly outlet: Outlet;
  readonly positions: OutletPositions;
  /** The most events in one delivery when nearly caught up; ten times as many when far behind. A commit is never split. Default 500. */
  readonly batchEvents?: number;
  /** Who delivers, for people to read. Default: host, process and thread. */
  readonly owner?: string;
  /** How soon is noticed what an operator or another process does to the outlet. Default 500. */
  readonly lookMillis?: number;
  /** Called after each change of state, for logging. */
  readonly onState?: (status: OutletStatus) => void;
  readonly clock?: MonotonicClock;
}

const BATCH_EVENTS = 500;
const RETRY_MILLIS_MAX = 60_000;
const LOOK_MILLIS = 500;

/** Delivers the events of a feed to an outlet, at least once, in the order of the log, from where its position stands. */
export class OutletRunner {
  private readonly statusKeeper: OutletStatusKeeper;
  private readonly backOff = new BackOff();
  private readonly headProbe: HeadProbe;

  constructor(private readonly options: OutletRunnerOptions) {
    const { outlet, feed, clock = systemClock, onState } = options;
    this.statusKeeper = new OutletStatusKeeper(outlet.name, clock, onState);
    this.headProbe = new HeadProbe(feed, (head) => this.statusKeeper.headIs(head));
  }

  get status(): OutletStatus {
    return this.statusKeeper.status;
  }

  /**
   * Runs until the signal fires (resolves) or an error that no retry can fix (rejects). An outlet that an operator must decide about waits for that: it is `paused`, `disabled` or
   * `diverged` meanwhile.
   *
   * @throws `FEED_REFUSED`, `FEED_INVALID`, and what a damaged log throws.
   * @throws `OUTLET_INVALID`, `OUTLET_POSITIONS_DAMAGED`.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.passOrPause(signal);
      this.statusKeeper.enter('stopped');
    } catch (error) {
      this.statusKeeper.failed(error);
      this.statusKeeper.enter('failed');
      throw error;
    }
  }

  private async passOrPause(signal: AbortSignal): Promise<void> {
    try {
      const taken = await this.acquire();
      if ('token' in taken) await this.passWith(new HeldLease(taken, this.lookMillis, signal));
      else await this.wait(taken, signal);
    } catch (error) {
      await this.pauseOrThrow(error, signal);
    }
  }

  private get lookMillis(): number {
    return this.options.lookMillis ?? LOOK_MILLIS;
  }

  private acquire(): Promise<OutletLease | OutletRecord> {
    const { positions, outlet, owner = ownName() } = this.options;
    return positions.acquire(outlet.name, owner);
  }

  private async wait(record: OutletRecord, signal: AbortSignal): Promise<void> {
    this.statusKeeper.waits(record);
    // A feed refuses to say anything to a consumer of another history.
    this.headProbe.look(record.hold === 'diverged' ? undefined : record.cursor, signal);
    await sleep(this.lookMillis, undefined, { signal }).catch(() => undefined);
  }

  private async passWith(held: HeldLease): Promise<void> {
    const { feed, outlet, batchEvents = BATCH_EVENTS } = this.options;
    const { statusKeeper: status } = this;
    status.holds(held.lease.record);
    const onBatch = () => this.backOff.reset();
    try {
      await new OutletPass({ feed, outlet, held, status, batchEvents, onBatch }).run();
    } catch (error) {
      await this.recover(error, held);
    } finally {
      await held.end();
    }
  }

  /** What belongs to the outlet, with its lease still in our hands; throws everything else. */
  private async recover(error: unknown, { lease, signal }: HeldLease): Promise<void> {
    if (error instanceof DeliveryFailed) {
      await this.recoverFromFailure(error.cause, lease, signal);
    } else if (errorCode(error) === 'FEED_DIVERGED') {
      this.statusKeeper.failed(error);
      await lease.hold('diverged', errorMessage(error));
    } else if (errorCode(error) === 'FEED_COMPACTED') {
      // What it would miss is gone, unless an operator brings it back.
      this.statusKeeper.failed(error);
      await lease.hold('disabled', errorMessage(error));
    } else throw error;
  }

  private async recoverFromFailure(
    cause: unknown,
    lease: OutletLease,
    signal: AbortSignal,
  ): Promise<void> {
    const { outlet } = this.options;
    const { attempts } = await lease.recordFailure(errorMessage(cause));
    if (errorCode(cause) === 'OUTLET_DISABLED') {
      this.statusKeeper.failed(cause, attempts);
      await lease.hold('disabled', reasonOf(cause));
      return;
    }
    const isTold = errorCode(cause)?.startsWith('OUTLET_') === true;
    this.statusKeeper.failed(isTold ? cause : outletFailed(outlet.name, attempts, cause), attempts);
    this.statusKeeper.enter('retrying');
    await pause(attempts - 1, signal, outlet.retryMillisMax ?? RETRY_MILLIS_MAX);
  }

  /** Pauses for what time can mend; throws everything else. */
  private async pauseOrThrow(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof Stopped) return;
    switch (errorCode(error)) {
      case 'OUTLET_MOVED':
        // From where it stands now, or once it is resumed.
        return;
      case 'OUTLET_FENCED':
        this.statusKeeper.enter('waiting-for-lease');
        break;
      case 'FEED_UNAVAILABLE':
        this.statusKeeper.failed(error);
        this.statusKeeper.enter('feed-unavailable');
        break;
      case 'OUTLET_POSITIONS_UNAVAILABLE':
        this.statusKeeper.failed(error);
        this.statusKeeper.enter('store-unavailable');
        break;
      default:
        throw error;
    }
    await this.backOff.pause(signal);
  }
}

function reasonOf(error: unknown): string {
  const reason = error instanceof CodedError ? error.details['reason'] : undefined;
  return typeof reason === 'string' ? reason : errorMessage(error);
}

function ownName(): string {
  return `${hostname()} process ${process.pid} thread ${threadId}`;
}
