import type { Position, RecordedEvent } from '@holdfast/event-store';
import { raisedBy } from '../balance.js';
import type { Side } from '../fields.js';
import type { PostedBalance, TransferPosted } from '../ledger.events.js';
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
  const { data, recordedAtMillis, position } = event;
  const common = {
    ledger: data.ledger,
    transferId: data.transferId,
    reference: data.reference ?? null,
    effectiveAtMillis: epochMillis(data.effectiveAt),
    recordedAtMillis,
    position,
  };
  return data.balances.flatMap((balance) =>
    linesOf(balance, data).map((line) => ({ ...common, ...line })),
  );
}

type Line = Pick<
  StatementLineRow,
  'accountId' | 'entryVersion' | 'line' | 'side' | 'amount' | 'balance'
>;

function linesOf(after: PostedBalance, { legs }: TransferPosted): readonly Line[] {
  const { accountId, normalSide, entryVersion } = after;
  const own = legs
    .filter((leg) => leg.accountId === accountId)
    .map(({ side, amount }) => ({ side, amount: BigInt(amount) }));
  let balance = raisedBy(normalSide, BigInt(after.debitsPosted), BigInt(after.creditsPosted));
  for (const { side, amount } of own) balance -= side === normalSide ? amount : -amount;
  return own.map(({ side, amount }, line) => {
    balance += side === normalSide ? amount : -amount;
    return { accountId, entryVersion, line, side, amount, balance };
  });
}
