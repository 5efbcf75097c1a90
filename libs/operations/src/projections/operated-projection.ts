import type { ReadModelStore, ThreadRebuildOptions } from '@holdfast/projections';

/** A projection of the service, as its care knows it: where its tables are, and how they are made anew. */
export interface OperatedProjection {
  readonly name: string;
  /** Of this program. */
  readonly version: number;
  /** Closed by whoever has opened it. */
  openStore(): ReadModelStore<unknown> | Promise<ReadModelStore<unknown>>;
  /** Fills fresh tables and switches to them, in a thread of its own: `rebuildInThread`. Left out where the service cannot run one. */
  readonly rebuild?: (options: ThreadRebuildOptions) => Promise<boolean>;
}
