import type { CompactionPolicy } from './compaction/compact-log.js';
import type { OperatedProjection } from './projections/operated-projection.js';
import type { DerivedState } from './state/verify-derived-state.js';

/** What the care of a log must know of the service whose log it is. */
export interface OperatedService extends DerivedState {
  /** Which events it can do without. When left out, its log is never compacted. */
  readonly compaction?: CompactionPolicy;
  /** Those that can be listed, paused and rebuilt here. None when left out. */
  readonly projections?: readonly OperatedProjection[];
}
