import type { Asking } from './asking.js';
import type { Finding } from './finding.js';
import type { FreshQuery } from './http/fresh-query.dto.js';
import type { LEDGER_QUERIES, QueryCall, QueryName } from './ledger-queries.js';

type QueryOf<Name extends QueryName> = (typeof LEDGER_QUERIES)[Name];
type ArgumentsOf<Name extends QueryName> = Parameters<QueryOf<Name>>;
type BodyOf<Name extends QueryName> =
  ReturnType<QueryOf<Name>> extends Asking<Finding<infer Body>> ? Body : never;

/** What a query's controller returns, for `QueryInterceptor` to wait for, ask and answer. */
export interface LedgerQuery<Body> extends QueryCall {
  /** A `Holdfast-Position` that the answer must not lie before. */
  readonly minPosition: string | undefined;
  /** There for its type only: what the answer's body says. */
  readonly body?: Body;
}

export function ledgerQuery<Name extends QueryName>(
  { minPosition }: Pick<FreshQuery, 'minPosition'>,
  name: Name,
  ...given: ArgumentsOf<Name>
): LedgerQuery<BodyOf<Name>> {
  return { minPosition, name, arguments: given };
}
