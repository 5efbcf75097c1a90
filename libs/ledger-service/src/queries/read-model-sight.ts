import type { Position } from '@holdfast/event-store';
import { type FeedCursor, PositionWaiters } from '@holdfast/projections';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryAsker } from './ledger-queries.js';

/** As often as the read model itself would be looked at: a query that waits for its own command does not feel it. */
const LOOK_MILLIS = 4;
const NEVER = new AbortController().signal;

/**
 * Where the read model stands, as those see it who answer queries. They are asked and not the file: whoever takes commands must not wait for
 * SQLite, which a slow disk or a checkpoint holds up.
 *
 * One look at a time, and at most one that waits for it: whoever asks meanwhile shares the next, which begins after they asked.
 */
export class ReadModelSight {
  private known = 0 as Position;
  private looking: Promise<unknown> | undefined;
  private next: Promise<FeedCursor | undefined> | undefined;
  private following = false;
  private readonly waiters = new PositionWaiters(() => this.known);

  constructor(private readonly asker: QueryAsker) {}

  /** Of a moment after the call; undefined while the read model has seen no log. Throws what `QueryAsker.ask` throws. */
  cursor(): Promise<FeedCursor | undefined> {
    if (this.looking === undefined && this.next === undefined) return this.look();
    this.next ??= Promise.resolve(this.looking).then(() => {
      this.next = undefined;
      return this.look();
    });
    return this.next;
  }

  /** As `cursor`, and 0 when there is none or it cannot be read. */
  position(): Promise<Position> {
    return this.cursor().then(
      () => this.known,
      () => this.known,
    );
  }

  /** True once the read model has reached the position; false when that took too long, the signal fired, or at the close. */
  async waitForPosition(
    position: Position,
    timeoutMillis: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const deadline = performance.now() + timeoutMillis;
    // What was reached once may be gone, with its history: whoever reads compares with what the answer shows.
    if (this.known >= position || (await this.position()) >= position) return true;
    const reached = this.waiters.wait(position, deadline - performance.now(), signal);
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
    const looked = this.asker.ask({ name: 'look', arguments: [] }, NEVER).then(
      ({ cursor }) => {
        this.known = cursor?.position ?? (0 as Position);
        return cursor;
      },
      (error: unknown) => {
        this.known = 0 as Position;
        throw error;
      },
    );
    const ended = () => {
      this.looking = undefined;
    };
    this.looking = looked.then(ended, ended);
    return looked;
  }
}
