import type { OpenAccount, PostTransfer } from '@holdfast/ledger';
import { ImportError } from './import.errors.js';

/** One command of a bulk request. */
export interface BulkItem {
  readonly key: string;
  readonly command: OpenAccount | PostTransfer;
}

/** What the command would have been answered alone. */
export interface ItemAnswer {
  readonly status: number;
  readonly body: unknown;
  /** It had been answered before, and this is the answer given then. */
  readonly replayed: boolean;
}

export function bulkPath(ledgerPath: string): string {
  return `${ledgerPath}/bulk?atomic=false`;
}

export function bulkBody(items: readonly BulkItem[]): object {
  return {
    commands: items.map(({ key, command }) => ({
      type: command.type,
      idempotencyKey: key,
      body: bodyOf(command),
    })),
  };
}

/** Throws `IMPORT_REFUSED` for an answer that is none to such a request. */
export function itemAnswers(body: unknown, items: number): readonly ItemAnswer[] {
  const results = isObject(body) ? body['results'] : undefined;
  if (!Array.isArray(results) || results.length !== items)
    throw new ImportError('IMPORT_REFUSED', 'this is no answer of a ledger; is the address right?');
  return results.map((result: unknown) => {
    const { status, headers, body: answer } = isObject(result) ? result : {};
    return {
      status: Number(status),
      body: answer,
      replayed: isObject(headers) && headers['Idempotency-Replayed'] === 'true',
    };
  });
}

function bodyOf(command: OpenAccount | PostTransfer): object {
  if (command.type === 'OpenAccount') {
    const { accountId, asset, normalSide, floor, ceiling, metadata } = command;
    return { id: accountId, asset, normalSide, floor, ceiling, metadata };
  }
  const { legs, reference, effectiveAt, metadata } = command;
  return { legs, reference, effectiveAt, metadata };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
