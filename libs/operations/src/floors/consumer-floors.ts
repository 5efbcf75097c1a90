import type { WalEventLog } from '@holdfast/event-store';
import { CONSUMER_FLOOR_PREFIX, type FeedConsumers, FeedFloors } from '@holdfast/projections';
import type { OperatorLog } from '../operator-log.js';
import { type FloorStatus, floorStatuses } from './floor-status.js';

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
}

/** Whether somebody is far behind is looked at once in so many moves. */
const MOVES_A_LOOK = 10;

/** The floors of a log for its operator, who is told of consumers that are far behind. They are moved meanwhile: `FeedFloors`. */
export class ConsumerFloors {
  private readonly floors: FeedFloors;
  private readonly leave: () => void;
  private readonly reportedFar = new Set<string>();
  private moves = 0;

  constructor(private readonly options: ConsumerFloorsOptions) {
    const { log, consumers, logger } = options;
    this.floors = FeedFloors.of(log);
    const moved = () => {
      if (this.moves++ % MOVES_A_LOOK === 0) this.reportFar();
    };
    this.leave = this.floors.keep({ logger, consumers, moved });
  }

  /** Every floor of the log, lowest first, with what it keeps from going. */
  list(): FloorStatus[] {
    const { log, limits } = this.options;
    const { behindEventsMax, behindBytesMax } = limits;
    const reading = new Set(
      this.floors.reading().map(({ consumer }) => `${CONSUMER_FLOOR_PREFIX}${consumer}`),
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
    this.floors.giveUp(name);
    floors.drop(name);
    logger.warn({ floor: name, position }, 'a floor was dropped: what it kept may go');
    return true;
  }

  stop(): void {
    this.leave();
  }

  /** As `FeedFloors.move`. */
  move(): void {
    this.floors.move();
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

function exceeds(figure: number, max: number): boolean {
  return max > 0 && figure > max;
}
