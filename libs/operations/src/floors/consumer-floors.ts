import type { WalEventLog } from '@holdfast/event-store';
import { type ConsumerStatus, FeedConsumers } from '@holdfast/projections';
import type { Sequence } from '@holdfast/wal';
import type { OperatorLog } from '../operator-log.js';
import { type FloorStatus, floorStatuses } from './floor-status.js';

/** The floor of the consumer that calls itself `ledger` is `projection:ledger`. */
export const CONSUMER_FLOOR_PREFIX = 'projection:';

export interface FloorLimits {
  /** A consumer further behind than this is reported; 0: never. */
  readonly behindEventsMax: number;
  /** One that keeps more than this from going is reported; 0: never. */
  readonly behindBytesMax: number;
}

export interface ConsumerFloorsOptions {
  readonly log: Pick<WalEventLog, 'wal' | 'durablePosition'>;
  /** Beside those that read the log in this process anyway (`FeedConsumers.of`). */
  readonly consumers?: FeedConsumers;
  readonly logger: OperatorLog;
  readonly limits: FloorLimits;
  /** How often floors are moved. Default 1,000. */
  readonly moveMillis?: number;
}

const MOVE_MILLIS = 1_000;
/** Whether somebody is far behind is looked at once in so many moves. */
const MOVES_A_LOOK = 10;

/**
 * Keeps, by name, what each consumer of the log still needs: the floor of a name is the least durable position of those who read under it
 * just now, and stays where it was while nobody does. One that came and went between two moves has one too. A consumer that was never heard of has none.
 *
 * A floor is moved about once a second and not with each report, because each move is a file replaced and synced. What a floor says may therefore
 * only lag, which keeps more, never less. Crash at any moment: the floor of the last move counts, and the consumer's next report moves it on.
 */
export class ConsumerFloors {
  private readonly timer: NodeJS.Timeout;
  private readonly consumers: readonly FeedConsumers[];
  private readonly reportedFar = new Set<string>();
  private readonly refused = new Set<string>();
  private moves = 0;

  constructor(private readonly options: ConsumerFloorsOptions) {
    const { log, consumers } = options;
    const ofLog = FeedConsumers.of(log);
    this.consumers = [...new Set([ofLog, consumers ?? ofLog])];
    this.timer = setInterval(() => this.tick(), options.moveMillis ?? MOVE_MILLIS).unref();
  }

  /** Every floor of the log, lowest first, with what it keeps from going. */
  list(): FloorStatus[] {
    const { log, limits } = this.options;
    const { behindEventsMax, behindBytesMax } = limits;
    const reading = new Set(
      this.reading().map(({ consumer }) => `${CONSUMER_FLOOR_PREFIX}${consumer}`),
    );
    return floorStatuses(log.wal).map((floor) => ({
      ...floor,
      connected: reading.has(floor.name),
      farBehind:
        floor.name.startsWith(CONSUMER_FLOOR_PREFIX) &&
        (exceeds(floor.eventsBehind, behindEventsMax) ||
          exceeds(floor.bytesPinned, behindBytesMax)),
    }));
  }

  /**
   * Gives a consumer up: the log keeps nothing more for it. Should it come back, it is refused with `FEED_COMPACTED` if what it needs has gone, and
   * has a floor again if not. False when there is no such floor.
   */
  drop(name: string): boolean {
    const { log, logger } = this.options;
    const { floors } = log.wal;
    const position = floors.all().get(name);
    if (position === undefined) return false;
    // First, so that nobody who reads just now sets it again.
    if (name.startsWith(CONSUMER_FLOOR_PREFIX))
      for (const one of this.consumers) one.giveUp(name.slice(CONSUMER_FLOOR_PREFIX.length));
    floors.drop(name);
    logger.warn({ floor: name, position }, 'a floor was dropped: what it kept may go');
    return true;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Moves the floors of everybody who reads now. One that cannot be moved keeps none of the others from moving; it is reported once. */
  move(): void {
    const { log } = this.options;
    const known = log.wal.floors.all();
    const needed = this.needed();
    for (const { consumer, durablePosition } of this.consumers.flatMap((one) => one.takeLeft())) {
      const name = `${CONSUMER_FLOOR_PREFIX}${consumer}`;
      if (!known.has(name) && !needed.has(name)) this.set(name, sequenceOf(durablePosition));
    }
    for (const [name, position] of needed)
      if (known.get(name) !== position) this.set(name, position);
    for (const name of this.refused) if (!needed.has(name)) this.refused.delete(name);
  }

  private tick(): void {
    const { log, logger } = this.options;
    if (log.wal.poison !== undefined) return;
    try {
      this.move();
      if (this.moves++ % MOVES_A_LOOK === 0) this.reportFar();
    } catch (error) {
      logger.warn({ err: error }, 'the floors of consumers could not be looked at');
    }
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

  private reading(): ConsumerStatus[] {
    return this.consumers.flatMap((one) => one.list());
  }

  private set(name: string, position: Sequence): void {
    const { log, logger } = this.options;
    try {
      log.wal.floors.set(name, position);
      this.refused.delete(name);
    } catch (error) {
      // A name that cannot be one, a position that the log has not reached, a full disk: the floor stays where it was, which keeps more and
      // not less. Its consumer is told of nothing, so the operator must be.
      if (!this.refused.has(name))
        logger.warn(
          { floor: name, position, err: error },
          'the floor of a consumer cannot be moved',
        );
      this.refused.add(name);
    }
  }

  private reportFar(): void {
    const { logger } = this.options;
    const floors = this.list();
    for (const { name, farBehind, ...figures } of floors) {
      if (farBehind === this.reportedFar.has(name)) continue;
      if (farBehind) {
        this.reportedFar.add(name);
        logger.warn({ floor: name, ...figures }, 'a consumer is far behind and pins the log');
      } else {
        this.reportedFar.delete(name);
        logger.info({ floor: name, ...figures }, 'a consumer is no longer far behind');
      }
    }
    const names = new Set(floors.map(({ name }) => name));
    for (const name of this.reportedFar) if (!names.has(name)) this.reportedFar.delete(name);
  }
}

/** A position is its record's sequence. */
function sequenceOf(position: number): Sequence {
  return position as Sequence;
}

function exceeds(figure: number, max: number): boolean {
  return max > 0 && figure > max;
}
