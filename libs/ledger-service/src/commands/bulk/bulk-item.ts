import { keySpelledAs } from '@holdfast/commands';
import type { LedgerCommand } from '@holdfast/ledger';
import { type FieldError, type Validated, compileValidator } from '@holdfast/platform';
import { resourcePaths } from '../../shared/resource-paths.js';
import { type HashedRequest, requestHash } from '@holdfast/nestjs/http';
import { OpenAccountDto, openAccountCommand } from '../open-account/open-account.dto.js';
import { PostTransferDto, postTransferCommand } from '../post-transfer/post-transfer.dto.js';
import { BulkItemDto } from './bulk.dto.js';

/** One command of a bulk as it would have come alone: the same command, the same key, the same hash. */
export interface BulkItem {
  readonly command: LedgerCommand;
  /** As it was spelled; absent in a dry run only. */
  readonly spelledKey: string | undefined;
  readonly request: HashedRequest;
}

const checkItem = compileValidator(BulkItemDto);
const checkOpenAccount = compileValidator(OpenAccountDto);
const checkPostTransfer = compileValidator(PostTransferDto);

/** The item, or what is wrong with it. */
export function bulkItemOf(ledger: string, value: unknown, pointer: string): Validated<BulkItem> {
  const item = checkItem(value, pointer);
  if (!item.valid) return item;
  const { type, idempotencyKey, body } = item.value;
  const bodyPointer = `${pointer}/body`;
  switch (type) {
    case 'OpenAccount':
      return mapped(checkOpenAccount(body, bodyPointer), (account) => ({
        command: openAccountCommand(ledger, account),
        spelledKey: idempotencyKey,
        request: { method: 'POST', path: resourcePaths.ofAccounts(ledger), body: account },
      }));
    case 'PostTransfer':
      return mapped(checkPostTransfer(body, bodyPointer), (transfer) => ({
        command: postTransferCommand(ledger, transfer),
        spelledKey: idempotencyKey,
        request: { method: 'POST', path: resourcePaths.ofTransfers(ledger), body: transfer },
      }));
  }
}

/** As alone: an item that was sent alone before, or is sent alone later, is recognised. */
export function bulkItemHash(item: BulkItem): string {
  return requestHash(item.request);
}

/**
 * Keys that are used twice within the bulk, each where it stands the second time: which of the two should a client
 * ask for by it?
 */
export function repeatedKeys(commands: readonly unknown[]): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  commands.forEach((command, index) => {
    const key = keyOf(command);
    if (key === undefined) return;
    if (seen.has(key))
      errors.push({
        pointer: `/commands/${index}/idempotencyKey`,
        detail: 'idempotencyKey must not be used twice in one bulk',
      });
    seen.add(key);
  });
  return errors;
}

/** The item of a dry run, which ignores its key whatever it is. */
export function withoutKey(command: unknown): unknown {
  if (typeof command !== 'object' || command === null || Array.isArray(command)) return command;
  const item: { idempotencyKey?: unknown } = { ...command };
  delete item.idempotencyKey;
  return item;
}

/** Whether an item has no key at all, which is a problem of its own. */
export function lacksKey(command: unknown): boolean {
  return typeof command === 'object' && command !== null && !('idempotencyKey' in command);
}

function keyOf(command: unknown): string | undefined {
  if (typeof command !== 'object' || command === null || !('idempotencyKey' in command))
    return undefined;
  const { idempotencyKey } = command;
  return typeof idempotencyKey === 'string' ? keySpelledAs(idempotencyKey) : undefined;
}

function mapped<From, To>(validated: Validated<From>, map: (value: From) => To): Validated<To> {
  return validated.valid ? { valid: true, value: map(validated.value) } : validated;
}
