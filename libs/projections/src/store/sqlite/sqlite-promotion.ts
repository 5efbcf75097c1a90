import type { Position } from '@holdfast/event-store';
import { CodedError, errorCode } from '@holdfast/kernel';
import type { FeedCursor } from '../../event-feed.js';
import type { HasDiverged, Promotion } from '../../read-model-store.js';
import { bookkeepingAt, cursorOf } from './sqlite-bookkeeping.js';
import type { Generation, SqliteCatalog } from './sqlite-catalog.js';

/** What a promotion needs of the lease on either generation. */
export interface HeldGeneration {
  readonly generation: number;
  readonly version: number;
  readonly cursor: FeedCursor | undefined;
  /** Runs the body while nobody else can write the generation, if it is still this lease's and where it left it. Throws `READ_MODEL_FENCED`, `READ_MODEL_CONFLICT`. */
  held<Result>(body: () => Result): Result;
  renew(): Promise<void>;
  release(): Promise<void>;
}

export interface FilledGeneration extends HeldGeneration {
  /** From here on a power cut takes nothing of it back, and it says of itself that it has caught up. */
  makeDurable(): void;
}

/**
 * The switch from the live tables of a version to those that a lease has filled, without any query going back in time. The live generation's worker is stopped by
 * taking its lease; from then on this one keeps it, until the switch or its end.
 *
 * Invariant: at the moment of the switch the filled generation is this lease's and still wanted, and the live one is the one that was compared with it, and stands
 * where it stood then. The lease on it alone does not say so: one that has run out is its worker's again.
 */
export class SqlitePromotion {
  private live: HeldGeneration | undefined;

  constructor(
    private readonly catalog: SqliteCatalog,
    private readonly filled: FilledGeneration,
    private readonly takeByForce: (live: Generation) => Promise<HeldGeneration | undefined>,
  ) {}

  /** Throws `READ_MODEL_FENCED` when the filled generation was given up, `READ_MODEL_UNAVAILABLE`. */
  async run(hasDiverged: HasDiverged): Promise<Promotion> {
    const live = this.catalog.live(this.filled.version);
    if (live?.id === this.filled.generation) return { promoted: true };
    await this.standInFor(live);
    const behind = await this.behind(hasDiverged);
    if (behind !== undefined) return { promoted: false, behind };
    this.filled.makeDurable();
    const promoted = this.isSwitched();
    await this.end();
    if (!promoted) return { promoted, behind: positionOf(this.filled) };
    await this.refuseOfOtherHistories(hasDiverged);
    return { promoted };
  }

  /** Also while the filled generation is being written: to be stopped for long is no reason for the live one's worker to go on. */
  async renew(): Promise<void> {
    try {
      await this.live?.renew();
    } catch (error) {
      // Its worker has taken it back. It is asked for again before the switch.
      if (errorCode(error) !== 'READ_MODEL_FENCED') throw error;
      await this.end();
    }
  }

  /** The live generation is its worker's again. */
  async end(): Promise<void> {
    await this.live?.release();
    this.live = undefined;
  }

  private async standInFor(live: Generation | undefined): Promise<void> {
    if (this.live?.generation === live?.id) return;
    await this.end();
    if (live !== undefined) this.live = await this.takeByForce(live);
  }

  /**
   * How far the live generation came, or that of an older version whose readers go over to this one, if that is further than the filled one is. An older version's worker is not
   * stopped: it may get ahead again by what it applies until its readers have gone over.
   */
  private async behind(hasDiverged: HasDiverged): Promise<Position | undefined> {
    for (const { generation, cursor } of [...(this.live ? [this.live] : []), ...this.older()]) {
      const isAhead = cursor !== undefined && cursor.position > positionOf(this.filled);
      // Positions of two logs, or of two histories, cannot be compared: then the read model of the old one is given up on purpose.
      if (!isAhead || !this.isOfThisLog(cursor)) continue;
      if (this.catalog.refusalOf(generation) !== undefined) continue;
      if (!(await hasDiverged(cursor))) return cursor.position;
    }
    return undefined;
  }

  /**
   * The tables of older versions stay, and nobody may be there to find that they show what the log does not hold. Crash before: they are shown until a worker of their version
   * looks, as they were before the switch.
   */
  private async refuseOfOtherHistories(hasDiverged: HasDiverged): Promise<void> {
    for (const { generation, cursor } of this.older()) {
      if (cursor === undefined || this.catalog.refusalOf(generation) !== undefined) continue;
      if (this.isOfThisLog(cursor) && !(await hasDiverged(cursor))) continue;
      this.catalog.refuse(generation, 'it was filled from a history that the log no longer has');
    }
  }

  private older(): readonly Pick<HeldGeneration, 'generation' | 'cursor'>[] {
    const { catalog, filled } = this;
    return catalog.liveBefore(filled.version).map(({ id }) => {
      // Tables that cannot be read hold nothing back.
      const found = bookkeepingAt(catalog.pathOf(id));
      return { generation: id, cursor: found && cursorOf(found) };
    });
  }

  private isOfThisLog({ logId }: FeedCursor): boolean {
    return (this.filled.cursor?.logId ?? logId) === logId;
  }

  /**
   * Three files, so three transactions, each within the one before: until the catalog's is committed, the other two keep everybody else from writing. They change
   * nothing but the time of a lease. Crash before that commit: nothing has happened. Crash after it: the switch is made, and both are durable.
   */
  private isSwitched(): boolean {
    const { catalog, filled, live } = this;
    const { generation: id, version } = filled;
    const promote = () => catalog.promote({ id, version }, live?.generation);
    try {
      return filled.held(() => (live === undefined ? promote() : live.held(promote)));
    } catch (error) {
      // It is not ours any more, and may be further on than what was compared.
      if (live !== undefined && isLossOf(error, live.generation)) return false;
      throw error;
    }
  }
}

function positionOf({ cursor }: HeldGeneration): Position {
  return cursor?.position ?? (0 as Position);
}

function isLossOf(error: unknown, generation: number): boolean {
  const lost = ['READ_MODEL_FENCED', 'READ_MODEL_CONFLICT'].includes(errorCode(error) ?? '');
  return lost && error instanceof CodedError && error.details['generation'] === generation;
}
