import type { TransferResource } from '@holdfast/ledger';
import { defined } from '@holdfast/kernel';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { NumbersKey, Page, PageRequest } from '../page-request.js';
import { TRANSFER_COLUMNS, type TransferRow, transferResourceOf } from '../rows.js';
import type { TransferFilter } from './transfer-filter.js';

/**
 * How many transfers one page may look at. With two conditions that are common each and rare together, a page ends here, short
 * or empty, and its cursor goes on: no query holds up the others for long.
 */
const EXAMINED_MAX = 20_000;

/**
 * Transfers in the order of their time of effect, and of the log within it. One condition, the most selective, names the index
 * that is walked; the others are looked up for each candidate.
 */
export function listTransfers(
  snapshot: ReadModelSnapshot,
  ledger: string,
  filter: TransferFilter,
  page: PageRequest<NumbersKey>,
  examinedMax = EXAMINED_MAX,
): Finding<Page<TransferResource>> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const accountKey = accountKeyOf(snapshot, ledgerKey, filter.account);
  if (accountKey === 'unknown') return found({ items: [], nextCursor: null });
  const conditions = conditionsOf(ledgerKey, accountKey, filter);
  const { keys, unexamined } = matchingKeys(snapshot, conditions, filter, page, examinedMax);
  const { items, nextCursor } = page.pageOf(
    keys,
    (key) => key,
    ([, position]) => transferAt(snapshot, ledger, position),
  );
  return found({ items, nextCursor: nextCursor ?? (unexamined && page.cursorAt(unexamined)) });
}

function accountKeyOf(
  snapshot: ReadModelSnapshot,
  ledgerKey: number,
  account: string | undefined,
): number | 'unknown' | undefined {
  if (account === undefined) return undefined;
  const row = snapshot
    .prepare<[number, string], { account_key: number }>(
      'SELECT account_key FROM accounts WHERE ledger_key = ? AND account_id = ?',
    )
    .get(ledgerKey, account);
  return row?.account_key ?? 'unknown';
}

/** A table or index that knows which transfers meet a condition. */
interface Condition {
  readonly from: string;
  readonly where: string;
  readonly values: readonly (string | number)[];
}

/** The most selective first. Never empty: what there is besides conditions is the ledger. */
function conditionsOf(
  ledgerKey: number,
  accountKey: number | undefined,
  { reference, metadata }: TransferFilter,
): readonly [Condition, ...Condition[]] {
  const byLedger: Condition = {
    from: 'transfers INDEXED BY transfers_by_time',
    where: 'ledger_key = ?',
    values: [ledgerKey],
  };
  const conditions: Condition[] = [];
  if (reference !== undefined)
    conditions.push({
      from: 'transfers INDEXED BY transfers_by_reference',
      where: 'reference = ? AND ledger_key = ?',
      values: [reference, ledgerKey],
    });
  if (metadata !== undefined)
    conditions.push({
      from: 'transfer_metadata',
      where: 'ledger_key = ? AND key = ? AND value = ?',
      values: [ledgerKey, metadata.key, metadata.value],
    });
  if (accountKey !== undefined)
    conditions.push({
      from: 'statement_lines INDEXED BY transfers_by_account',
      where: 'account_key = ? AND line = 0',
      values: [accountKey],
    });
  const [first = byLedger, ...others] = conditions;
  return [first, ...others];
}

interface MatchingKeys {
  /** Those of the page and one more, if there are so many. */
  readonly keys: readonly NumbersKey[];
  /** Where to go on, when the search ended for its length; otherwise null. */
  readonly unexamined: NumbersKey | null;
}

function matchingKeys(
  snapshot: ReadModelSnapshot,
  [walked, ...others]: readonly [Condition, ...Condition[]],
  filter: TransferFilter,
  page: PageRequest<NumbersKey>,
  examinedMax: number,
): MatchingKeys {
  const keys: NumbersKey[] = [];
  let examined = 0;
  for (const { effective_at, position } of candidates(snapshot, walked, filter, page)) {
    const key: NumbersKey = [effective_at, position];
    examined++;
    if (others.every((condition) => meets(snapshot, condition, key))) keys.push(key);
    if (keys.length > page.limit) return { keys, unexamined: null };
    if (examined === examinedMax) return { keys, unexamined: key };
  }
  return { keys, unexamined: null };
}

interface Candidate {
  readonly effective_at: number;
  readonly position: number;
}

function candidates(
  snapshot: ReadModelSnapshot,
  { from, where, values }: Condition,
  filter: TransferFilter,
  page: PageRequest<NumbersKey>,
): IterableIterator<Candidate> {
  const { comparison, order } = page;
  const { beyond, end } = rangeOf(filter, page);
  return snapshot
    .prepare<(string | number)[], Candidate>(
      `SELECT effective_at, position FROM ${from}
       WHERE ${where} AND (effective_at, position) ${comparison} (?, ?) AND effective_at ${page.forward ? '<' : '>='} ?
       ORDER BY effective_at ${order}, position ${order}`,
    )
    .iterate(...values, ...beyond, end);
}

/** One bound where the walk starts and one where it ends: given two where it starts, SQLite might walk from the wrong one. */
function rangeOf(
  filter: TransferFilter,
  { forward, beyond }: PageRequest<NumbersKey>,
): { readonly beyond: NumbersKey; readonly end: number } {
  const earliest = filter.effectiveFromMillis ?? Number.MIN_SAFE_INTEGER;
  const latest = filter.effectiveBeforeMillis ?? Number.MAX_SAFE_INTEGER;
  // No position is 0, so (time, 0) lies before all that has this time of effect.
  if (forward) return { beyond: beyond[0] >= earliest ? beyond : [earliest, 0], end: latest };
  return { beyond: beyond[0] < latest ? beyond : [latest, 0], end: earliest };
}

function meets(snapshot: ReadModelSnapshot, condition: Condition, key: NumbersKey): boolean {
  const { from, where, values } = condition;
  const sql = `SELECT 1 FROM ${from} WHERE ${where} AND effective_at = ? AND position = ?`;
  return snapshot.prepare<(string | number)[]>(sql).get(...values, ...key) !== undefined;
}

function transferAt(
  snapshot: ReadModelSnapshot,
  ledger: string,
  position: number,
): TransferResource {
  const row = snapshot
    .prepare<[number], TransferRow>(`SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE position = ?`)
    .get(position);
  return transferResourceOf(ledger, defined(row, `the transfer at ${position}`));
}
