import type { Position, RecordedEvent } from '@holdfast/event-store';
import { raisedBy } from '../balance.js';
import type { Side } from '../fields.js';
import type { PostedBalance, TransferLeg, TransferPosted } from '../ledger.events.js';
import { ledgerEventOf } from '../recorded-event.js';
import { epochMillis } from './epoch-millis.js';

/**
 * Inserted once by `ledger`, `accountId`, `entryVersion`, `line`, never changed; that is also a statement's order. One line
 * for each leg that names the account.
 */
export interface StatementLineRow {
  readonly ledger: string;
  readonly accountId: string;
  readonly entryVersion: number;
  /** 0, 1, 2 … within the entry: more than one when several legs of a transfer name the account. */
  readonly line: number;
  readonly transferId: string;
  readonly reference: string | null;
  readonly side: Side;
  readonly amount: bigint;
  /** The account's posted balance after this line; positive on its normal side. */
  readonly balance: bigint;
  readonly effectiveAtMillis: number;
  readonly recordedAtMillis: number;
  readonly position: Position;
}

export const STATEMENT_LINE_EVENTS = ['TransferPosted'] as const;

/** Account by account; the last line of each ends at the balance that the event says. */
export function statementLinesOf(recorded: RecordedEvent): readonly StatementLineRow[] {
  const event = ledgerEventOf(recorded);
  if (event.type !== 'TransferPosted') return [];
  const effectiveAtMillis = epochMillis(event.data.effectiveAt);
  const rows: StatementLineRow[] = [];
  for (const balance of event.data.balances) pushLines(rows, balance, event, effectiveAtMillis);
  return rows;
}

function pushLines(
  rows: StatementLineRow[],
  after: PostedBalance,
  { data, recordedAtMillis, position }: RecordedEvent<'TransferPosted', TransferPosted>,
  effectiveAtMillis: number,
): void {
  const { accountId, normalSide, entryVersion } = after;
  const own = data.legs.filter((leg) => leg.accountId === accountId);
  let balance = raisedBy(normalSide, BigInt(after.debitsPosted), BigInt(after.creditsPosted));
  for (const leg of own) balance -= raisedByLeg(normalSide, leg);
  let line = 0;
  for (const leg of own) {
    balance += raisedByLeg(normalSide, leg);
    rows.push({
      ledger: data.ledger,
      accountId,
      entryVersion,
      line,
      transferId: data.transferId,
      reference: data.reference ?? null,
      side: leg.side,
      amount: BigInt(leg.amount),
      balance,
      effectiveAtMillis,
      recordedAtMillis,
      position,
    });
    line += 1;
  }
}

function raisedByLeg(normalSide: Side, { side, amount }: TransferLeg): bigint {
  return side === normalSide ? BigInt(amount) : -BigInt(amount);
}
