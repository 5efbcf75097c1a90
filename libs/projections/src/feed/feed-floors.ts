import type { WalEventLog } from '@holdfast/event-store';
import { type ConsumerStatus, FeedConsumers } from './feed-consumers.js';

/** The floor of the consumer that calls itself `ledger` is `projection:ledger`. */
export const CONSUMER_FLOOR_PREFIX = 'projection:';

type FlooredLog = Pick<WalEventLog, 'wal'>;
type Sequence = Parameters<WalEventLog['wal']['floors']['set']>[1];

/** Somebody who opened the log, or cares for it, for as long as that lasts. */
export interface FloorKeeper {
  /** Where is told what could not be done. */
  readonly logger: { warn(facts: object, message: string): void };
  /** Beside those that read the log in this process anyway (`FeedConsumers.of`). */
  readonly consumers?: FeedConsumers | undefined;
  /** After each move. */
  readonly moved?: () => void;
}

const MOVE_MILLIS = 1_000;

/** By their log. */
const ofLogs = new WeakMap<object, FeedFloors>();

/**
 * Keeps, by name, what each consumer of the log still needs: the floor of a name is the least durable position of those who read under it
 * just now, and stays where it was while nobody does. One that came and went between two moves has one too. A consumer that was never heard of has none.
 *
 * Of a log there is one, whoever keeps it, because two that know of different consumers would move one floor to and fro.
 *
 * A floor is moved about once a second and not with each report, because each move is a file replaced and synced. What a floor says may therefore
 * only lag, which keeps more, never less. Crash at any moment: the floor of the last move counts, and the consumer's next report moves it on.
 */
export class FeedFloors {
  private readonly keepers = new Set<FloorKeeper>();
  private readonly refused = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly log: FlooredLog) {}

  static of(log: FlooredLog): FeedFloors {
    const known = ofLogs.get(log) ?? new FeedFloors(log);
    ofLogs.set(log, known);
    return known;
  }

  /** Floors are moved until what this returns is called, or while somebody else keeps them. */
  keep(keeper: FloorKeeper): () => void {
    this.keepers.add(keeper);
    this.timer ??= setInterval(() => this.tick(), MOVE_MILLIS).unref();
    return () => {
      this.keepers.delete(keeper);
      if (this.keepers.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  /** Who reads the log just now. */
  reading(): ConsumerStatus[] {
    return this.consumers().flatMap((one) => one.list());
  }

  /** As `FeedConsumers.giveUp`, by the name of the floor. */
  giveUp(floor: string): void {
    if (!floor.startsWith(CONSUMER_FLOOR_PREFIX)) return;
    for (const one of this.consumers()) one.giveUp(floor.slice(CONSUMER_FLOOR_PREFIX.length));
  }

  /** Moves the floors of everybody who reads now. One that cannot be moved keeps none of the others from moving; it is reported once. */
  move(): void {
    const known = this.log.wal.floors.all();
    const needed = this.needed();
    for (const { consumer, durablePosition } of this.consumers().flatMap((one) => one.takeLeft())) {
      const name = `${CONSUMER_FLOOR_PREFIX}${consumer}`;
      if (!known.has(name) && !needed.has(name)) this.set(name, sequenceOf(durablePosition));
    }
    for (const [name, position] of needed)
      if (known.get(name) !== position) this.set(name, position);
    for (const name of this.refused) if (!needed.has(name)) this.refused.delete(name);
  }

  private tick(): void {
    if (this.log.wal.poison !== undefined) return;
    try {
      this.move();
      for (const { moved } of this.keepers) moved?.();
    } catch (error) {
      this.warn({ err: error }, 'the floors of consumers could not be looked at');
    }
  }

  private consumers(): FeedConsumers[] {
    const given = Array.from(this.keepers, ({ consumers }) => consumers);
    return [...new Set([FeedConsumers.of(this.log), ...given])].filter((one) => one !== undefined);
  }

  private needed(): Map<string, Sequence> {
    const needed = new Map<string, Sequence>();
    for (const { consumer, keepsFloor, durablePosition } of this.reading()) {
      if (!keepsFloor) continue;
      const name = `${CONSUMER_FLOOR_PREFIX}${consumer}`;
      const position = Math.min(durablePosition, needed.get(name) ?? Infinity);
      needed.set(name, sequenceOf(position));
    }
    return needed;
  }

  private set(name: string, position: Sequence): void {
    try {
      this.log.wal.floors.set(name, position);
      this.refused.delete(name);
    } catch (error) {
      // A name that cannot be one, a position that the log has not reached, a full disk: the floor stays where it was, which keeps more and
      // not less. Its consumer is told of nothing, so the operator must be.
      if (!this.refused.has(name))
        this.warn({ floor: name, position, err: error }, 'the floor of a consumer cannot be moved');
      this.refused.add(name);
    }
  }

  /** Once: whoever came last has the log of the service's operator. */
  private warn(facts: object, message: string): void {
    [...this.keepers].at(-1)?.logger.warn(facts, message);
  }
}

/** A position is its record's sequence. */
function sequenceOf(position: number): Sequence {
  return position as Sequence;
}
