import type { Position, RecordedEvent } from '@holdfast/event-store';
import { ledgerEventOf } from '../recorded-event.js';
import { epochMillis } from './epoch-millis.js';

/** Inserted once by `ledger`, never changed. */
export interface LedgerRow {
  readonly ledger: string;
  readonly openedAtMillis: number;
  readonly position: Position;
}

export const LEDGER_ROW_EVENTS = ['LedgerOpened'] as const;

export function ledgerRowOf(recorded: RecordedEvent): LedgerRow | undefined {
  const event = ledgerEventOf(recorded);
  if (event.type !== 'LedgerOpened') return undefined;
  const { ledger, openedAt } = event.data;
  return { ledger, openedAtMillis: epochMillis(openedAt), position: event.position };
}
