import type { TransferResource } from '@holdfast/ledger';
import { defined } from '@holdfast/kernel';
import { type Asking, rowOf, rowsOf } from '../asking.js';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { NumbersKey, Page, PageRequest } from '../page-request.js';
import { paged } from '../paged.js';
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
export function* listTransfers(
  ledger: string,
  filter: TransferFilter,
  page: PageRequest<NumbersKey>,
  examinedMax = EXAMINED_MAX,
): Asking<Finding<Page<TransferResource>>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const accountKey = yield* accountKeyOf(ledgerKey, filter.account);
  if (accountKey === 'unknown') return found({ items: [], nextCursor: null });
  const conditions = conditionsOf(ledgerKey, accountKey, filter);
  const { keys, unexamined } = yield* matchingKeys(conditions, filter, page, examinedMax);
  const { items, nextCursor } = yield* paged(page, {
    portionOf: (beyond, count) => transfersBehind(keys, beyond, count),
    keyOf: ({ effective_at, position }): NumbersKey => [effective_at, position],
    itemOf: (row) => transferResourceOf(ledger, row),
  });
  return found({ items, nextCursor: nextCursor ?? (unexamined && page.cursorAt(unexamined)) });
}

function* accountKeyOf(
  ledgerKey: number,
  account: string | undefined,
): Asking<number | 'unknown' | undefined> {
  if (account === undefined) return undefined;
  const row = yield* rowOf<{ readonly account_key: number }>(
    'SELECT account_key FROM accounts WHERE ledger_key = ? AND account_id = ?',
    [ledgerKey, account],
  );
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

interface Candidate {
  readonly effective_at: number;
  readonly position: number;
}

function* matchingKeys(
  [walked, ...others]: readonly [Condition, ...Condition[]],
  filter: TransferFilter,
  page: PageRequest<NumbersKey>,
  examinedMax: number,
): Asking<MatchingKeys> {
  const { comparison, order } = page;
  const { beyond, end } = rangeOf(filter, page);
  const candidates = `SELECT effective_at, position FROM ${walked.from}
    WHERE ${walked.where} AND (effective_at, position) ${comparison} (?, ?) AND effective_at ${page.forward ? '<' : '>='} ?
    ORDER BY effective_at ${order}, position ${order} LIMIT ?`;
  const among = [...walked.values, ...beyond, end];
  const meets = others.map(
    ({ from, where }) =>
      `EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND effective_at = examined.effective_at AND position = examined.position)`,
  );
  const matching = yield* rowsOf<Candidate>(
    `SELECT effective_at, position FROM (${candidates}) AS examined ${meets.length > 0 ? 'WHERE' : ''} ${meets.join(' AND ')}
     ORDER BY effective_at ${order}, position ${order} LIMIT ?`,
    [...among, examinedMax, ...others.flatMap(({ values }) => values), page.limit + 1],
  );
  const keys = matching.map(keyOf);
  if (keys.length > page.limit) return { keys, unexamined: null };
  const last = yield* rowOf<Candidate>(`${candidates} OFFSET ?`, [...among, 1, examinedMax - 1]);
  return { keys, unexamined: last === undefined ? null : keyOf(last) };
}

function keyOf({ effective_at, position }: Candidate): NumbersKey {
  return [effective_at, position];
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

/** So many at once, by one text: fewer are asked for with the last one repeated. */
const POSITIONS = 100;
const TRANSFERS_AT = `SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE position IN (${Array(POSITIONS).fill('?').join(', ')})`;
const TRANSFER_AT = `SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE position = ?`;

/** The transfers of the keys behind one of them, in their order. */
function* transfersBehind(
  keys: readonly NumbersKey[],
  beyond: NumbersKey,
  count: number,
): Asking<readonly TransferRow[]> {
  const before = keys.findIndex(([, position]) => position === beyond[1]);
  const positions = keys
    .slice(before + 1, before + 1 + Math.min(count, POSITIONS))
    .map((key) => key[1]);
  const last = positions.at(-1);
  if (last === undefined) return [];
  const isOne = positions.length === 1;
  const rows = yield* rowsOf<TransferRow>(
    isOne ? TRANSFER_AT : TRANSFERS_AT,
    isOne ? positions : [...positions, ...Array<number>(POSITIONS - positions.length).fill(last)],
  );
  const byPosition = new Map(rows.map((row) => [row.position, row]));
  return positions.map((at) => defined(byPosition.get(at), `the transfer at ${at}`));
}
