import type { ReadModelSnapshot } from '@holdfast/projections';
import type { Finding } from './found.js';
import type { FreshQuery } from './http/fresh-query.dto.js';

/**
 * What a query's controller returns, for `QueryInterceptor` to wait for, ask and answer. `ask` sees one moment of the read model
 * and is synchronous, so that its answer and the answer's `Holdfast-Position` cannot be of two moments.
 */
export interface LedgerQuery<Body> {
  /** A `Holdfast-Position` that the answer must not lie before. */
  readonly minPosition: string | undefined;
  readonly ask: (snapshot: ReadModelSnapshot) => Finding<Body>;
}

export function ledgerQuery<Body>(
  { minPosition }: Pick<FreshQuery, 'minPosition'>,
  ask: (snapshot: ReadModelSnapshot) => Finding<Body>,
): LedgerQuery<Body> {
  return { minPosition, ask };
}
