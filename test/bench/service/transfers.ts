import { assert } from '@holdfast/kernel';
import { SeededRandom } from '@holdfast/wal/testing';
import type { LoadRequest } from './load.js';

const LEDGER = '/v1/ledgers/main';
const ACCOUNTS = 1_000;
const HOT_ACCOUNT = 'account-0';
const JSON_HEADERS = { 'content-type': 'application/json' };

/** The requests of the bench, each with a key of its own. */
export class Transfers {
  private readonly random = new SeededRandom(1);
  private nextKey = 0;

  /** Accounts without a floor, so that every transfer is accepted. */
  async openLedger(address: string): Promise<void> {
    const ledger = `${address}${LEDGER}`;
    await send('PUT', ledger);
    await send('PUT', `${ledger}/assets/EUR`, { scale: 2 });
    const commands = Array.from({ length: ACCOUNTS }, (_, at) => ({
      type: 'OpenAccount',
      idempotencyKey: `open-${at}`,
      body: { id: `account-${at}`, asset: 'EUR', normalSide: 'credit', floor: null },
    }));
    await send('POST', `${ledger}/bulk`, { commands });
  }

  /** Between two accounts at random. */
  alone(): LoadRequest {
    return this.request(this.pair());
  }

  /** Out of the one account that all of them touch. */
  hot(): LoadRequest {
    return this.request([HOT_ACCOUNT, `account-${1 + this.random.below(ACCOUNTS - 1)}`]);
  }

  bulk(count: number): LoadRequest {
    const commands = Array.from({ length: count }, () => ({
      type: 'PostTransfer',
      idempotencyKey: this.key(),
      body: bodyOf(this.pair()),
    }));
    return { path: `${LEDGER}/bulk`, headers: JSON_HEADERS, body: JSON.stringify({ commands }) };
  }

  private request(pair: Pair): LoadRequest {
    return {
      path: `${LEDGER}/transfers`,
      headers: { ...JSON_HEADERS, 'idempotency-key': this.key() },
      body: JSON.stringify(bodyOf(pair)),
    };
  }

  private pair(): Pair {
    const from = this.random.below(ACCOUNTS);
    const to = (from + 1 + this.random.below(ACCOUNTS - 1)) % ACCOUNTS;
    return [`account-${from}`, `account-${to}`];
  }

  private key(): string {
    return `key-${this.nextKey++}`;
  }
}

type Pair = readonly [from: string, to: string];

function bodyOf([from, to]: Pair): object {
  return {
    legs: [
      { accountId: from, side: 'debit', amount: '1250' },
      { accountId: to, side: 'credit', amount: '1250' },
    ],
  };
}

async function send(method: string, url: string, body?: object): Promise<void> {
  const answer = await fetch(url, {
    method,
    ...(body !== undefined && { headers: JSON_HEADERS, body: JSON.stringify(body) }),
  });
  assert(answer.ok, `${url} is answered ${answer.status}: ${await answer.text()}`);
}
