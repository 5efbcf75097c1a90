import { Upcasters } from '@holdfast/event-store/following';
import { ledgerEventSchemas } from '@holdfast/ledger/following';
import type { Logger } from '@holdfast/platform';
import type {
  BadEventPolicy,
  DivergencePolicy,
  EventFeed,
  ProjectionState,
  ProjectionStatus,
  ReadModelStore,
} from '@holdfast/projections';
import { ProjectionRunner } from '@holdfast/projections/following';
import type { FollowedProjection } from '@holdfast/projections';

export interface LedgerProjectorOptions {
  /** Closed by `stop`. */
  readonly feed: EventFeed;
  /** As `openLedgerStore` opens it. Closed by `stop`. */
  readonly store: ReadModelStore<unknown>;
  /** What to do with a read model of a history that the log no longer has. Default `rebuild`. */
  readonly divergence?: DivergencePolicy;
  /** What to do when an event cannot be applied. Default `stop`. */
  readonly badEvents?: BadEventPolicy;
  readonly logger: Logger;
  /** Called when it ended for a reason that trying again cannot mend. */
  readonly onFailure: (error: unknown) => void;
}

/** While catching up, how often to say how far it has come. */
const PROGRESS_MILLIS = 2_000;
/** States that pass by themselves, but that an operator will want to know of. */
const TROUBLED: ReadonlySet<ProjectionState> = new Set([
  'feed-unavailable',
  'store-unavailable',
  'diverged',
  'retrying',
]);

/** Keeps the ledger's read model up with the log, as a service does: telling its log how it goes. */
export class LedgerProjector implements FollowedProjection {
  private readonly stopping = new AbortController();
  private readonly progress: NodeJS.Timeout;
  private readonly ended: Promise<void>;

  private constructor(
    private readonly options: LedgerProjectorOptions,
    private readonly runner: ProjectionRunner<unknown>,
  ) {
    this.progress = setInterval(() => this.tellProgress(), PROGRESS_MILLIS).unref();
    this.ended = runner.run(this.stopping.signal).catch(options.onFailure);
  }

  static start(options: LedgerProjectorOptions): LedgerProjector {
    const { feed, store, logger } = options;
    const { divergence = 'rebuild', badEvents = { kind: 'stop' } } = options;
    const onState = (status: ProjectionStatus) => tellState(logger, status);
    const upcasters = new Upcasters(ledgerEventSchemas);
    const runner = new ProjectionRunner({
      ...{ feed, store, divergence, badEvents, onState },
      upcast: (event) => upcasters.upcast(event),
    });
    return new LedgerProjector(options, runner);
  }

  get status(): ProjectionStatus {
    return this.runner.status;
  }

  /** Ends between two batches; what was applied is durable. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.progress);
    await this.ended;
    await this.options.feed.close();
    await this.options.store.close();
  }

  private tellProgress(): void {
    const { state, position, head, lagEvents, eventsPerSecond } = this.status;
    if (state !== 'catching-up') return;
    const rate = Math.round(eventsPerSecond);
    const secondsLeft = rate > 0 ? Math.ceil(lagEvents / rate) : undefined;
    this.options.logger.info(
      { position, head, eventsPerSecond: rate, secondsLeft },
      'the projection is catching up',
    );
  }
}

function tellState(logger: Logger, status: ProjectionStatus): void {
  const { name, version, state, position, head, attempts, lastError } = status;
  const told = { projection: name, version, state, position, head };
  if (state === 'failed') logger.error({ ...told, attempts, lastError }, 'the projection failed');
  else if (TROUBLED.has(state)) logger.warn({ ...told, lastError }, 'the projection is held up');
  else logger.info(told, `the projection is ${state}`);
}
