import type { OpenAccount, PostTransfer } from '@holdfast/ledger';
import { ImportError } from './import.errors.js';

/** One command of a bulk request. */
export interface BulkItem {
  readonly key: string;
  readonly command: OpenAccount | PostTransfer;
}

/** What is told of an answer, in a bulk and by its key. */
export interface ToldAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Undefined when it was not recorded. */
  readonly position: string | undefined;
}

/** What the command would have been answered alone. */
export interface ItemAnswer extends ToldAnswer {
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
    const headers = isObject(result) ? result['headers'] : undefined;
    const replayed = isObject(headers) && headers['Idempotency-Replayed'] === 'true';
    return { ...toldAnswer(result), replayed };
  });
}

/** An answer as JSON: an item of a bulk, or what is found by a key. */
export function toldAnswer(value: unknown): ToldAnswer {
  const { status, headers, body } = isObject(value) ? value : {};
  const position = isObject(headers) ? headers['Holdfast-Position'] : undefined;
  return {
    status: Number(status),
    body,
    position: typeof position === 'string' ? position : undefined,
  };
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
