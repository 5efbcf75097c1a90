import type { Position } from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import type { FeedCursor } from '../../event-feed.js';
import type { HasDiverged, Promotion } from '../../read-model-store.js';

/** A generation that a lease is on. */
export interface HeldGeneration {
  readonly generation: number;
  readonly cursor: FeedCursor | undefined;
  renew(): Promise<void>;
  release(): Promise<void>;
}

export type FilledGeneration = Pick<HeldGeneration, 'generation' | 'cursor'>;

/** What a switch needs of a store. */
export interface SwitchedTables {
  /** The live generation of the version that is filled. */
  live(): MaybePromise<number | undefined>;
  /** Takes the lease on the live generation also from a worker that shows life. Undefined when there is nothing to be replaced after all. */
  takeByForce(live: number): Promise<HeldGeneration | undefined>;
  /** The live generations of the versions before. */
  older(): MaybePromise<readonly FilledGeneration[]>;
  isRefused(generation: number): MaybePromise<boolean>;
  refuse(generation: number, reason: string): MaybePromise<void>;
  /** From here on a power cut takes nothing of the filled generation back. */
  makeDurable(): MaybePromise<void>;
  /**
   * The switch itself, at a moment at which nobody can write either generation: false when the live one is not the given one any more, or not where the given lease left it.
   *
   * @throws `READ_MODEL_FENCED` when the filled one is no longer its worker's, or was given up.
   */
  isSwitched(live: HeldGeneration | undefined): MaybePromise<boolean>;
}

type MaybePromise<Result> = Result | Promise<Result>;

/**
 * The switch from the live tables of a version to those that a lease has filled, without any query going back in time. The live generation's worker is stopped by
 * taking its lease; from then on this one keeps it, until the switch or its end.
 *
 * Invariant: at the moment of the switch the filled generation is this lease's and still wanted, and the live one is the one that was compared with it, and stands
 * where it stood then. The lease on it alone does not say so: one that has run out is its worker's again.
 */
export class SwitchOver {
  private live: HeldGeneration | undefined;

  constructor(
    private readonly tables: SwitchedTables,
    private readonly filled: FilledGeneration,
  ) {}

  /** Throws `READ_MODEL_FENCED` when the filled generation was given up, `READ_MODEL_UNAVAILABLE`, and what `lastLook` throws. */
  async run(hasDiverged: HasDiverged, lastLook?: () => Promise<void>): Promise<Promotion> {
    const live = await this.tables.live();
    if (live === this.filled.generation) return { promoted: true };
    await this.standInFor(live);
    const behind = await this.behind(hasDiverged);
    if (behind !== undefined) return { promoted: false, behind };
    await lastLook?.();
    await this.tables.makeDurable();
    const promoted = await this.tables.isSwitched(this.live);
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

  private async standInFor(live: number | undefined): Promise<void> {
    if (this.live?.generation === live) return;
    await this.end();
    if (live !== undefined) this.live = await this.tables.takeByForce(live);
  }

  /**
   * How far the live generation came, or that of an older version whose readers go over to this one, if that is further than the filled one is. An older version's worker is not
   * stopped: it may get ahead again by what it applies until its readers have gone over.
   */
  private async behind(hasDiverged: HasDiverged): Promise<Position | undefined> {
    const others = [...(this.live ? [this.live] : []), ...(await this.tables.older())];
    for (const { generation, cursor } of others) {
      const isAhead = cursor !== undefined && cursor.position > positionOf(this.filled);
      // Positions of two logs, or of two histories, cannot be compared: then the read model of the old one is given up on purpose.
      if (!isAhead || !this.isOfThisLog(cursor)) continue;
      if (await this.tables.isRefused(generation)) continue;
      if (!(await hasDiverged(cursor))) return cursor.position;
    }
    return undefined;
  }

  /**
   * The tables of older versions stay, and nobody may be there to find that they show what the log does not hold. Crash before: they are shown until a worker of their version
   * looks, as they were before the switch.
   */
  private async refuseOfOtherHistories(hasDiverged: HasDiverged): Promise<void> {
    for (const { generation, cursor } of await this.tables.older()) {
      if (cursor === undefined || (await this.tables.isRefused(generation))) continue;
      if (this.isOfThisLog(cursor) && !(await hasDiverged(cursor))) continue;
      await this.tables.refuse(
        generation,
        'it was filled from a history that the log no longer has',
      );
    }
  }

  private isOfThisLog({ logId }: FeedCursor): boolean {
    return (this.filled.cursor?.logId ?? logId) === logId;
  }
}

function positionOf({ cursor }: FilledGeneration): Position {
  return cursor?.position ?? (0 as Position);
}
