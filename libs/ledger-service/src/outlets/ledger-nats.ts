import { PUBLIC_FACTS, publicEventOf } from '@holdfast/ledger';
import {
  OutletRunner,
  type OutletState,
  type OutletStatus,
  SqliteOutletPositions,
} from '@holdfast/outlets';
import { NatsOutlet, connectionOf } from '@holdfast/outlets/nats';
import type { Logger } from '@holdfast/platform';
import type { EventFeed, FollowedProjection, ProjectionStatus } from '@holdfast/projections';

export interface LedgerNatsOptions {
  /** Closed by `stop`. */
  readonly feed: EventFeed;
  readonly outletsFile: string;
  readonly nats: { readonly url: string; readonly stream: string; readonly subject: string };
  readonly logger: Logger;
  /** Called when it ended for a reason that trying again cannot mend. */
  readonly onFailure: (error: unknown) => void;
}

/** States that an operator will want to know of. */
const TROUBLED: ReadonlySet<OutletState> = new Set([
  ...(['feed-unavailable', 'store-unavailable', 'retrying'] as const),
  ...(['disabled', 'diverged', 'failed'] as const),
]);

/** Publishes what happens to the books to NATS JetStream. It follows the log as a projection does, and so may have a thread of its own. */
export class LedgerNats implements FollowedProjection {
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;

  private constructor(
    private readonly feed: EventFeed,
    private readonly positions: SqliteOutletPositions,
    private readonly outlet: NatsOutlet,
    private readonly runner: OutletRunner,
    onFailure: (error: unknown) => void,
  ) {
    this.ended = runner.run(this.stopping.signal).catch(onFailure);
  }

  static start({ feed, outletsFile, nats, logger, onFailure }: LedgerNatsOptions): LedgerNats {
    const positions = new SqliteOutletPositions(outletsFile);
    const outlet = new NatsOutlet({
      ...{ connection: connectionOf(nats.url), stream: nats.stream, subject: nats.subject },
      // What came of commands that changed nothing may leave the log by compaction.
      filter: { types: PUBLIC_FACTS },
      shows: publicEventOf,
    });
    const onState = (status: OutletStatus) => tellState(logger, status);
    const runner = new OutletRunner({ feed, outlet, positions, onState });
    return new LedgerNats(feed, positions, outlet, runner, onFailure);
  }

  get status(): ProjectionStatus {
    const { deliveredEvents, state, ...status } = this.runner.status;
    return {
      ...status,
      // A projection is never disabled; why it is, its last error says.
      state: state === 'disabled' ? 'failed' : state,
      ...{
        version: 1,
        generation: undefined,
        appliedEvents: deliveredEvents,
        quarantinedEvents: 0,
      },
    };
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
    await this.outlet.close();
    await this.feed.close();
    await this.positions.close();
  }
}

function tellState(logger: Logger, status: OutletStatus): void {
  const { name, state, position, head, attempts, reason, lastError } = status;
  const told = { outlet: name, state, position, head };
  if (TROUBLED.has(state))
    logger.warn({ ...told, attempts, reason, lastError }, 'the outlet is held up');
  else logger.info(told, `the outlet is ${state}`);
}
