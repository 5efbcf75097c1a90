import type { EventSchema, Evolve, StatesTakenOver } from '@holdfast/event-store';
import type { SqlProjection, SqliteTransaction } from '@holdfast/projections';
import type { CompactionPolicy } from './compaction/compact-log.js';

/** What the care of a log must know of the service whose log it is. */
export interface OperatedService {
  /** What state its events make; a `CommandModel` is one. */
  readonly model: FoldedModel;
  /** Its read model; none when left out. */
  readonly projection?: SqlProjection<SqliteTransaction>;
  /** Which events it can do without. When left out, its log is never compacted. */
  readonly compaction?: CompactionPolicy;
}

export interface FoldedModel {
  readonly schemas: readonly EventSchema[];
  readonly evolve: Evolve;
  readonly takesOver?: StatesTakenOver;
}
