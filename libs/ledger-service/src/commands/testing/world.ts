import { assert } from '@holdfast/kernel';
import type { TestCommandService, TestRequest } from './command-service.js';

export const LEDGER = '/v1/ledgers/main';

/** The body of a transfer of EUR from one account to another; both are of normal side credit. */
export function transfer(from: string, to: string, amount: string, more: object = {}): object {
  return {
    legs: [
      { accountId: from, side: 'debit', amount },
      { accountId: to, side: 'credit', amount },
    ],
    ...more,
  };
}

/** Ledger `main` with EUR, `world` without a floor, and `alice` and `bob` with one; `alice` has 1,000. */
export async function openWorld(service: TestCommandService): Promise<void> {
  await mustMake(service, 'PUT', LEDGER);
  await mustMake(service, 'PUT', `${LEDGER}/assets/EUR`, { body: { scale: 2 } });
  for (const [id, floor] of [
    ['world', null],
    ['alice', '0'],
    ['bob', '0'],
  ])
    await mustMake(service, 'POST', `${LEDGER}/accounts`, {
      key: `open-${id}`,
      body: { id, asset: 'EUR', normalSide: 'credit', floor },
    });
  await mustMake(service, 'POST', `${LEDGER}/transfers`, {
    key: 'fund-alice',
    body: transfer('world', 'alice', '1000'),
  });
}

async function mustMake(
  service: TestCommandService,
  method: string,
  path: string,
  request: TestRequest = {},
): Promise<void> {
  const { status, text } = await service.send(method, path, request);
  assert(status === 201, `${method} ${path}: ${text}`);
}
