import type { ReadModelStore } from '@holdfast/projections';
import type { OperatedProjection } from './operated-projection.js';

/** The read model of a projection, open for as long as `use` takes. */
export async function withStore<Result>(
  projection: OperatedProjection,
  use: (store: ReadModelStore<unknown>) => Promise<Result>,
): Promise<Result> {
  const store = await projection.openStore();
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
