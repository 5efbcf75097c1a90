import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import {
  type EventSchema,
  type EventSource,
  type Evolve,
  type ReplayProgress,
  type StateVerification,
  type StatesTakenOver,
  Upcasters,
  verifyState,
} from '@holdfast/event-store';
import { CodedError, errorCode } from '@holdfast/kernel';
import {
  type ReadModelVerification,
  type SqlProjection,
  type SqliteTransaction,
  type VerifyReadModelOptions,
  readModelsIn,
  verifyReadModel,
} from '@holdfast/projections';
import type { LogSource } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';

/** What a service makes of its log. */
export interface DerivedState {
  /** What state its events make; a `CommandModel` is one. */
  readonly model: FoldedModel;
  /** Its read model; none when left out. */
  readonly projection?: SqlProjection<SqliteTransaction>;
  /** Those of a service that has several: all of them. A read model that neither this nor `projection` names is not compared, and so no proof is complete. */
  readonly readModels?: readonly SqlProjection<SqliteTransaction>[];
  /** Read models that are not in files, each with what compares it. */
  readonly readModelsElsewhere?: readonly ReadModelElsewhere[];
}

export interface ReadModelElsewhere {
  readonly name: string;
  /** As `verifyReadModel`. */
  compare(
    options: Pick<VerifyReadModelOptions, 'source' | 'onProgress' | 'signal'>,
  ): Promise<ReadModelVerification | undefined>;
}

export interface FoldedModel {
  readonly schemas: readonly EventSchema[];
  readonly evolve: Evolve;
  readonly takesOver?: StatesTakenOver;
}

export interface VerifyDerivedStateOptions {
  /** The log as records, archive included … */
  readonly records: LogSource;
  /** … and the same log as events. */
  readonly events: EventSource;
  readonly stateDirectory: string;
  readonly snapshotDirectory: string;
  readonly readModelDirectory: string;
  readonly service: DerivedState;
}

export interface DerivedStateProof {
  /** Whether everything that was compared is what the log makes of it. */
  readonly sound: boolean;
  /** Whether everything that there is to compare was there. */
  readonly complete: boolean;
  /** What was not there, each a sentence. */
  readonly unverified: readonly string[];
  /** Absent when there is no checkpoint yet. */
  readonly state?: StateVerification;
  /** The first that was compared; absent when there is none here. */
  readonly readModel?: ReadModelVerification;
  /** All that were compared, by name. */
  readonly readModels: Readonly<Record<string, ReadModelVerification>>;
}

/**
 * Replays the log and compares: the checkpointed state, entry by entry, by its digest, and every row of the read models. Nothing is changed, and the
 * service may run meanwhile. Throws `EVENT_STATE_DAMAGED`, `FEED_DIVERGED`, `FEED_COMPACTED`, and what reading the log throws.
 */
export async function verifyDerivedState(
  options: VerifyDerivedStateOptions,
  context: WorkContext,
): Promise<DerivedStateProof> {
  const state = await provenState(options, context);
  assertWanted(context);
  const unverified = state ? [] : ['There is no checkpoint here, so no state was compared.'];
  const projections = comparisonsOf(options);
  const compared: [name: string, ReadModelVerification][] = [];
  for (const projection of projections) {
    const proof = await provenReadModel(projection, options.events, context);
    assertWanted(context);
    if (proof !== undefined) {
      compared.push([projection.name, proof]);
      if (proof.leftOut !== undefined)
        unverified.push(
          `The read model ${projection.name} lacks ${proof.leftOut} events that wait in its quarantine or were skipped; it was compared without them.`,
        );
    } else if (projections.length === 1)
      unverified.push('There is no read model here, so none was compared.');
    else unverified.push(`There is no read model ${projection.name} here, so it was not compared.`);
  }
  const named = new Set(projections.map(({ name }) => name));
  for (const name of readModelsIn(options.readModelDirectory))
    if (!named.has(name))
      unverified.push(
        `The service names no projection ${name}, so its read model was not compared.`,
      );
  return {
    sound: (state?.matches ?? true) && compared.every(([, { equal }]) => equal),
    complete: unverified.length === 0,
    unverified,
    ...(state && { state }),
    ...(compared[0] && { readModel: compared[0][1] }),
    readModels: Object.fromEntries(compared),
  };
}

function comparisonsOf({
  service: { projection, readModels = [], readModelsElsewhere = [] },
  readModelDirectory: directory,
}: VerifyDerivedStateOptions): readonly ReadModelElsewhere[] {
  const inFiles = new Map(
    [...(projection ? [projection] : []), ...readModels].map((one) => [one.name, one]),
  );
  return [
    ...Array.from(inFiles.values(), (one) => ({
      name: one.name,
      compare: async (options: Parameters<ReadModelElsewhere['compare']>[0]) => {
        if (!existsSync(directory)) return undefined;
        const scratchDirectory = tmpdir();
        return await verifyReadModel({ ...options, directory, projection: one, scratchDirectory });
      },
    })),
    ...readModelsElsewhere,
  ];
}

async function provenState(
  { records, stateDirectory, snapshotDirectory, service }: VerifyDerivedStateOptions,
  { signal, progress }: WorkContext,
): Promise<StateVerification | undefined> {
  if (!existsSync(stateDirectory)) return undefined;
  const { schemas, evolve, takesOver } = service.model;
  const upcasters = new Upcasters(schemas);
  try {
    const onProgress = ({ position, lastPosition }: ReplayProgress): void => {
      assertWanted({ signal });
      progress(position, lastPosition, 'positions');
    };
    const fromSnapshot = {
      evolve,
      upcasters,
      onProgress,
      signal,
      snapshotDirectory,
      ...(takesOver && { takesOver }),
    };
    if (records.firstSequence > 1) return await verifyState(records, stateDirectory, fromSnapshot);
    // From the first event on where that can be: it proves the snapshots too.
    const fromFirst = { evolve, upcasters, onProgress, signal };
    const whole = await verifyState(records, stateDirectory, fromFirst);
    if (whole.matches || !hasGaps(whole)) return whole;
    // Without events that compaction has taken, a replay cannot make the keys that were once known: what is older than a snapshot is taken from there.
    return await verifyState(records, stateDirectory, fromSnapshot);
  } catch (error) {
    if (errorCode(error) === 'EVENT_POSITION_UNKNOWN') return undefined;
    throw error;
  }
}

function hasGaps({ replayed }: StateVerification): boolean {
  return replayed.events < replayed.position - replayed.from;
}

async function provenReadModel(
  readModel: ReadModelElsewhere,
  source: EventSource,
  { signal, progress }: WorkContext,
): Promise<ReadModelVerification | undefined> {
  try {
    return await readModel.compare({
      source,
      onProgress: ({ position, head }) => progress(position, head, 'positions'),
      signal,
    });
  } catch (error) {
    if (errorCode(error) === 'READ_MODEL_NOT_READY') return undefined;
    throw error;
  }
}

function assertWanted({ signal }: Pick<WorkContext, 'signal'>): void {
  if (signal.aborted) throw new CodedError('WORK_CANCELLED', 'the proof was cancelled');
}
