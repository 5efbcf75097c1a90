import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { inRepository } from './repository.js';

export interface BankRow {
  readonly transaction: string;
  readonly date: string;
  readonly account: string;
  readonly direction: 'credit' | 'debit';
  readonly amount: string;
  readonly kind: string;
  readonly purpose: string;
  readonly counterparty_bank: string;
  readonly bank_balance_after: string;
}

export interface BankBalance {
  readonly account: string;
  readonly balance: string;
  readonly transactions: string;
}

/** The year of a bank, in booking order. */
export function bankRows(): readonly BankRow[] {
  return rowsOf('bank-1993.csv') as BankRow[];
}

/** Summed independently of this project. */
export function bankBalances(): readonly BankBalance[] {
  return rowsOf('bank-1993-balances.csv') as BankBalance[];
}

/** `-1234.50` to `-123450`, by digits. */
export function hellers(crowns: string): string {
  const found = /^(-?)(\d+)\.(\d\d)$/.exec(crowns);
  if (found === null) throw new Error(`${crowns} is no amount`);
  return String(BigInt(`${found[1] ?? ''}${found[2] ?? ''}${found[3] ?? ''}`));
}

function rowsOf(file: string): unknown {
  return parse(readFileSync(inRepository('test', 'data', file)), { columns: true });
}
