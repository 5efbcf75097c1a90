import type { ProjectionStatus } from '@holdfast/projections';

/** A projection that somebody keeps up with the log: in this thread, or in another. */
export interface FollowedProjection {
  readonly status: ProjectionStatus;
  stop(): Promise<void>;
}
