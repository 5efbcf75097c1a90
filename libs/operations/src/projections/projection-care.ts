import type { EventLog } from '@holdfast/event-store';
import { CodedError, errorMessage } from '@holdfast/kernel';
import { FeedConsumers, type GenerationStatus, type RebuildProgress } from '@holdfast/projections';
import type { Work } from '../jobs/job.js';
import type { OperatorLog } from '../operator-log.js';
import type { OperatedProjection } from './operated-projection.js';
import { QuarantineCare } from './quarantine-care.js';
import { withStore } from './with-store.js';

export interface TablesStatus extends Omit<GenerationStatus, 'cursor'> {
  /** 0 before the first event, and where the tables cannot be read now. */
  readonly position: number;
  /** Durable events that are not in them. */
  readonly eventsBehind: number;
}

export interface CaredProjection {
  readonly name: string;
  /** Of this program; its tables are those that its queries read. */
  readonly version: number;
  /** An operator has paused it: nothing is applied. */
  readonly paused: boolean;
  /** By number: of every version. None where no worker has ever begun, and where the read models are elsewhere. */
  readonly generations: readonly TablesStatus[];
  /** Why its tables could not be looked at. */
  readonly fault: string | undefined;
}

export interface RebuildReport {
  readonly projection: string;
  readonly version: number;
  /** That queries see now. */
  readonly generation: number | undefined;
  /** Where it stood at the switch, or later. */
  readonly position: number;
}

export interface ProjectionCareOptions {
  readonly projections: readonly OperatedProjection[];
  readonly log: Pick<EventLog, 'durablePosition'>;
  readonly logger: OperatorLog;
}

/** The projections of a service from outside of their workers, which may be other processes: everything goes through the read models themselves. */
export class ProjectionCare {
  readonly quarantine: QuarantineCare;

  constructor(private readonly options: ProjectionCareOptions) {
    this.quarantine = new QuarantineCare(options.logger);
  }

  find(name: string): OperatedProjection | undefined {
    return this.options.projections.find((projection) => projection.name === name);
  }

  /** In the order of the service. */
  list(): Promise<CaredProjection[]> {
    return Promise.all(this.options.projections.map((projection) => this.statusOf(projection)));
  }

  /** Never throws: what is wrong with one says nothing of the others. */
  async statusOf(projection: OperatedProjection): Promise<CaredProjection> {
    const { name, version } = projection;
    try {
      return await withStore(projection, async (store) => ({
        ...{ name, version, fault: undefined },
        paused: await store.paused(),
        generations: (await store.generations()).map((one) => this.tablesOf(one)),
      }));
    } catch (error) {
      return { name, version, paused: false, generations: [], fault: errorMessage(error) };
    }
  }

  /** False where there is no such generation, or none any more. Throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
  async drop(projection: OperatedProjection, generation: number): Promise<boolean> {
    const dropped = await withStore(projection, (store) => store.drop(generation));
    const told = { projection: projection.name, generation };
    if (dropped) this.options.logger.warn(told, 'a generation of a read model was dropped');
    return dropped;
  }

  /** False where there is no read model. Throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
  async setPaused(projection: OperatedProjection, paused: boolean): Promise<boolean> {
    const done = await withStore(projection, (store) => store.setPaused(paused));
    const told = { projection: projection.name };
    if (done) this.options.logger.warn(told, `a projection was ${paused ? 'paused' : 'resumed'}`);
    return done;
  }

  /** What a job does to rebuild it. Half-filled tables, of one that was cancelled or killed, are taken up. */
  rebuilding(
    projection: OperatedProjection,
    rebuild: NonNullable<OperatedProjection['rebuild']>,
  ): Work {
    const { name, version } = projection;
    const consumers = FeedConsumers.of(this.options.log);
    return async ({ signal, progress }): Promise<RebuildReport> => {
      const onProgress = ({ position, head }: RebuildProgress): void =>
        progress(position, head, 'positions');
      const tookOver = await rebuild({
        ...{ signal, onProgress },
        // A peer of its own, so that its reports take nothing from the others.
        onReport: (report) => consumers.report(report, `rebuild ${name}`),
      });
      if (!tookOver) throw new CodedError('WORK_CANCELLED', 'the rebuild was cancelled');
      const { generations } = await this.statusOf(projection);
      const live = generations.find((one) => one.version === version && one.state === 'live');
      const { generation, position = 0 } = live ?? {};
      return { projection: name, version, generation, position };
    };
  }

  private tablesOf({ cursor, ...told }: GenerationStatus): TablesStatus {
    const position = cursor?.position ?? 0;
    const eventsBehind = Math.max(0, this.options.log.durablePosition - position);
    return { ...told, position, eventsBehind };
  }
}
