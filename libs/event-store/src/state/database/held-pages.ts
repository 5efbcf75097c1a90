import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { stateUnavailable } from '../../event-store.errors.js';
import { type StateDatabase, databaseFile } from './state-database.js';
import { bytesFreedAfter } from '../pages/state-seal.js';

/** Where this is more than the limit that is set. */
const PINNED_PART = 1 / 8;
/** How often it is looked whether a reading has ended. */
const LOOK_MILLIS = 20;
/** Nobody waits longer for a reading: it may be that of another process, which was paused. */
const WAIT_MILLIS_MAX = 60_000;
/** Nor for one of this process that was given up: it ends at its next slice. */
const GIVEN_UP_MILLIS_MAX = 1_000;

/** What a reading of this process is told on its way. */
export interface ReadingSignals {
  /** Rest no more: a checkpoint waits. */
  readonly hurry: AbortSignal;
  /** Given up, for the reason that the signal has. */
  readonly giveUp: AbortSignal;
}

/**
 * Bounds the file of a state's database while it is read. LMDB uses no page again that was freed after the oldest version that anybody reads, in this process or another, so
 * each checkpoint takes new ones. Before a commit it is looked how many pages are held so, and not how far the file has grown: what one reading makes the file grow by, the
 * next would only add to. So the file has the pages of the state, those of the limit, and those of one checkpoint.
 */
export class HeldPages {
  /** Since the start: how often readings were given up. */
  givenUp = 0;
  private hurrying = new AbortController();
  private givingUp = new AbortController();

  constructor(
    private readonly database: StateDatabase,
    private readonly directory: string,
    private readonly pinnedBytesMax: number,
  ) {}

  /** For a reading that begins now. */
  get signals(): ReadingSignals {
    return { hurry: this.hurrying.signal, giveUp: this.givingUp.signal };
  }

  /**
   * Before a commit, and beside none. Where too many pages are held, readings rest no more, and it waits for their end as long as the caller may wait; then they are given
   * up. One of another process cannot be: the commit goes on then.
   */
  async released(mayWait: () => boolean): Promise<void> {
    if (!this.areTooMany()) return;
    this.hurrying.abort();
    this.hurrying = new AbortController();
    if (await this.ended(mayWait, WAIT_MILLIS_MAX)) return;
    this.givenUp++;
    const reason = `it was read while checkpoints could not wait, and held ${this.bytes()} bytes of its file: given up`;
    this.givingUp.abort(stateUnavailable(reason));
    this.givingUp = new AbortController();
    await this.ended(() => true, GIVEN_UP_MILLIS_MAX);
  }

  private async ended(mayWait: () => boolean, millisMax: number): Promise<boolean> {
    const until = performance.now() + millisMax;
    while (this.areTooMany()) {
      if (!mayWait() || performance.now() >= until) return false;
      await setTimeout(LOOK_MILLIS);
    }
    return true;
  }

  private areTooMany(): boolean {
    const { size } = statSync(databaseFile(this.directory));
    return this.bytes() > Math.max(this.pinnedBytesMax, size * PINNED_PART);
  }

  private bytes(): number {
    const oldest = oldestReadIn(this.database);
    return oldest === undefined ? 0 : bytesFreedAfter(databaseFile(this.directory), oldest);
  }
}

/** The number of the oldest version that somebody reads. A process that was killed reads no more. */
function oldestReadIn(database: StateDatabase): number | undefined {
  database.readerCheck();
  // A line of names, then a process, a thread and a version in each; no version where that thread reads nothing just now.
  const versions = Array.from(database.readerList().matchAll(/ (\d+)$/gm), ([, version]) =>
    Number(version),
  );
  return versions.length === 0 ? undefined : Math.min(...versions);
}
