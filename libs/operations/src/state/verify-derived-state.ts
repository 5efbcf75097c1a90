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
  /** Absent when there is no read model here. */
  readonly readModel?: ReadModelVerification;
}

/**
 * Replays the log and compares: the checkpointed state, entry by entry, by its digest, and every row of the read model. Nothing is changed, and the
 * service may run meanwhile. Throws `EVENT_STATE_DAMAGED`, `FEED_DIVERGED`, `FEED_COMPACTED`, and what reading the log throws.
 */
export async function verifyDerivedState(
  options: VerifyDerivedStateOptions,
  context: WorkContext,
): Promise<DerivedStateProof> {
  const state = await provenState(options, context);
  assertWanted(context);
  const readModel = await provenReadModel(options, context);
  assertWanted(context);
  const sound = (state?.matches ?? true) && (readModel?.equal ?? true);
  const unverified = [
    ...(state ? [] : ['There is no checkpoint here, so no state was compared.']),
    ...(readModel || options.service.projection === undefined
      ? []
      : ['There is no read model here, so none was compared.']),
  ];
  const complete = unverified.length === 0;
  return { sound, complete, unverified, ...(state && { state }), ...(readModel && { readModel }) };
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
  { events, readModelDirectory, service: { projection } }: VerifyDerivedStateOptions,
  { signal, progress }: WorkContext,
): Promise<ReadModelVerification | undefined> {
  if (projection === undefined || !existsSync(readModelDirectory)) return undefined;
  try {
    return await verifyReadModel({
      source: events,
      directory: readModelDirectory,
      projection,
      scratchDirectory: tmpdir(),
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
