import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store';
import { CodedError, errorCode } from '@holdfast/kernel';
import { type FeedCursor, PositionWaiters } from '@holdfast/projections';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryAsker } from './ledger-queries.js';

/** As often as the read model itself would be looked at: a query that waits for its own command does not feel it. */
const LOOK_MILLIS = 4;
/**
 * Queries that hold every thread, and a thread that hangs, hold up looks too: whoever looks is told so and goes on. Short, because health waits for two looks and for the
 * command service, and must answer in its own time.
 */
const LOOK_MILLIS_MAX = 200;

/**
 * Where the read model stands, as those see it who answer queries. They are asked and not the file: whoever takes commands must not wait for
 * SQLite, which a slow disk or a checkpoint holds up.
 *
 * One look at a time, and at most one that waits for it: whoever asks meanwhile shares the next, which begins after they asked. Each look has an end.
 */
export class ReadModelSight {
  private seen: FeedCursor | undefined;
  private looking: Promise<unknown> | undefined;
  private next: Promise<FeedCursor | undefined> | undefined;
  private following = false;
  private readonly waiters = new PositionWaiters(() => positionOf(this.seen));

  constructor(
    private readonly asker: QueryAsker,
    private readonly lookMillisMax = LOOK_MILLIS_MAX,
  ) {}

  /** As the last look showed it; undefined before there is one, and while the read model cannot be read. */
  get last(): FeedCursor | undefined {
    return this.seen;
  }

  /** Of a moment after the call; undefined while the read model has seen no log. Rejects with what `QueryAsker.ask` throws, and with `QUERIES_SLOW`. */
  cursor(): Promise<FeedCursor | undefined> {
    if (this.looking === undefined && this.next === undefined) return this.look();
    this.next ??= Promise.resolve(this.looking).then(() => {
      this.next = undefined;
      return this.look();
    });
    return this.next;
  }

  /** As `cursor`: 0 when there is none or it cannot be read, undefined when nobody says so in time. */
  async position(): Promise<Position | undefined> {
    try {
      return positionOf(await this.cursor());
    } catch (error) {
      return errorCode(error) === 'QUERIES_SLOW' ? undefined : BEFORE_FIRST_POSITION;
    }
  }

  /** True once the read model has reached the position; false when that took too long, the signal fired, or at the close. */
  waitForPosition(
    position: Position,
    timeoutMillis: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    // What was reached once may be gone, with its history: whoever reads compares with what the answer shows.
    const reached = this.waiters.wait(position, timeoutMillis, signal);
    void this.follow();
    return reached;
  }

  /** Waits end with false. */
  close(): void {
    this.waiters.close();
  }

  /** Looks for as long as somebody waits. */
  private async follow(): Promise<void> {
    if (this.following) return;
    this.following = true;
    while (this.waiters.waiting) {
      await this.position();
      this.waiters.look();
      await sleep(LOOK_MILLIS);
    }
    this.following = false;
  }

  private look(): Promise<FeedCursor | undefined> {
    const looked = this.inTime().then(
      (cursor) => {
        this.seen = cursor;
        return cursor;
      },
      (error: unknown) => {
        if (errorCode(error) !== 'QUERIES_SLOW') this.seen = undefined;
        throw error;
      },
    );
    const ended = () => {
      this.looking = undefined;
    };
    this.looking = looked.then(ended, ended);
    return looked;
  }

  /** What a look that was given up finds later is older than what the next one finds. */
  private async inTime(): Promise<FeedCursor | undefined> {
    const givenUp = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = this.slow();
      late.reject(error);
      givenUp.abort(error);
    }, this.lookMillisMax);
    try {
      const asked = this.asker.ask({ name: 'look', arguments: [] }, givenUp.signal);
      return (await Promise.race([asked, late.promise])).cursor;
    } finally {
      clearTimeout(timer);
    }
  }

  private slow(): CodedError {
    return new CodedError(
      'QUERIES_SLOW',
      `the read model could not be looked at within ${this.lookMillisMax} ms: other queries keep its threads, or its files do not answer`,
      { position: positionOf(this.seen) },
    );
  }
}

function positionOf(cursor: FeedCursor | undefined): Position {
  return cursor?.position ?? BEFORE_FIRST_POSITION;
}
