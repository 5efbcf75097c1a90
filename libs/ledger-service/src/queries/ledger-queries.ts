import type { FeedCursor, SqliteReadModel } from '@holdfast/projections';
import { type Asking, answeredNow } from './asking.js';
import { type Finding, type Found, found } from './finding.js';
import { getAccount } from './get-account/get-account.query.js';
import { getAsset } from './get-asset/get-asset.query.js';
import { getBalance } from './get-balance/get-balance.query.js';
import { getLedger } from './get-ledger/get-ledger.query.js';
import { getStatement } from './get-statement/get-statement.query.js';
import { getTransfer } from './get-transfer/get-transfer.query.js';
import { getTrialBalance } from './get-trial-balance/get-trial-balance.query.js';
import { listAccounts } from './list-accounts/list-accounts.query.js';
import { listAssets } from './list-assets/list-assets.query.js';
import { listLedgers } from './list-ledgers/list-ledgers.query.js';
import { listTransfers } from './list-transfers/list-transfers.query.js';
import type { TransferFilter } from './list-transfers/transfer-filter.js';
import { type NumbersKey, type PagePlace, PageRequest } from './page-request.js';

type TextPlace = PagePlace<string>;
type NumbersPlace = PagePlace<NumbersKey>;

/** Every query by its name. Each sees one moment; what it is given is plain data. */
export const LEDGER_QUERIES = {
  /** For the cursor that comes with every answer. */
  look,
  getAccount,
  getAsset,
  getBalance,
  getLedger,
  getTransfer,
  getTrialBalance,
  getStatement: (ledger: string, account: string, place: NumbersPlace) =>
    getStatement(ledger, account, new PageRequest(place)),
  listAccounts: (ledger: string, place: TextPlace) => listAccounts(ledger, new PageRequest(place)),
  listAssets: (ledger: string, place: TextPlace) => listAssets(ledger, new PageRequest(place)),
  listLedgers: (place: TextPlace) => listLedgers(new PageRequest(place)),
  listTransfers: (ledger: string, filter: TransferFilter, place: NumbersPlace) =>
    listTransfers(ledger, filter, new PageRequest(place)),
};

/** Asks nothing. */
// eslint-disable-next-line require-yield -- there is no statement in it
function* look(): Asking<Found<null>> {
  return found(null);
}

export type QueryName = keyof typeof LEDGER_QUERIES;

/** One query by name, as plain data: it may be asked in another thread. */
export interface QueryCall {
  readonly name: QueryName;
  readonly arguments: readonly unknown[];
}

/** An answer and the moment that it shows: of one snapshot, so that they cannot be of two. */
export interface Asked {
  /** The body as JSON: whoever asks in one thread makes the text there too. */
  readonly finding: Finding<Uint8Array<ArrayBuffer>>;
  readonly cursor: FeedCursor | undefined;
}

/** Who answers queries: this thread, others, or a server. */
export interface QueryAsker {
  /**
   * Throws `READ_MODEL_NOT_READY` and what else the read model throws, `QUERIES_FULL` when too many wait, `QUERY_THREAD_ENDED`, and the signal's reason when it fires
   * before the query has begun. A `look` is never one too many, and comes before queries that wait: `ReadModelSight` has one at a time.
   */
  ask(call: QueryCall, signal: AbortSignal): Promise<Asked>;
  close(): Promise<void>;
}

/** Answers in this thread, which then does nothing else: for tests, and for tools. Closes the model. */
export function askedHere(model: SqliteReadModel): QueryAsker {
  return {
    ask: (call) => new Promise((resolve) => resolve(askNow(model, call))),
    close: () => {
      model.close();
      return Promise.resolve();
    },
  };
}

/** Throws what the read model and the query throw. */
export function askNow(model: SqliteReadModel, call: QueryCall): Asked {
  return model.read((now) => {
    const finding = answeredNow(queryOf(call), ({ sql, values }) =>
      now.prepare(sql).all(...values),
    );
    return { finding: asText(finding), cursor: now.cursor };
  });
}

export function queryOf({ name, arguments: given }: QueryCall): Asking<Finding<unknown>> {
  const query = LEDGER_QUERIES[name] as (...given: readonly unknown[]) => Asking<Finding<unknown>>;
  return query(...given);
}

export function asText(finding: Finding<unknown>): Asked['finding'] {
  if (finding.kind === 'missing') return finding;
  return { ...finding, body: new TextEncoder().encode(JSON.stringify(finding.body)) };
}
