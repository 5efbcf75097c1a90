import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { type BankRow, bankBalances, bankRows, hellers } from '../../support/bank-data.js';
import { Journal, type JournalEntry } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { checkMoney } from '../../support/money-check.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const BATCH = 50;
const KILLS_MIN = 5;
const UNKNOWN_MIN = 3;
const KILLS_MAX = 25;
const BATCHES_BETWEEN_KILLS_MAX = 60;
/** A batch is answered within some milliseconds: a kill in this time meets it anywhere on its way. */
const IN_FLIGHT_MILLIS_MAX = 12;
const PAGE = 1_000;

interface StatementLine {
  readonly transferId: string;
  readonly balance: string;
}

describe('a real year of a bank, through services that are killed', () => {
  const journal = new Journal('bank');
  const random = SeededRandom.announced('bank import');
  const rows = bankRows();
  let services: Services;
  let client: JournalingClient;

  beforeAll(async () => {
    services = await Services.start();
    client = new JournalingClient(services.front, journal);
  });

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  it('is imported to the heller, every row once', async () => {
    await client.json('PUT', '/v1/ledgers/bank');
    await client.json('PUT', '/v1/ledgers/bank/assets/CZK', { scale: 2 });
    for (const batch of batches(accountsOf(rows))) await client.settle(batch);

    let kills = 0;
    let unknown = 0;
    let untilKill = random.between(1, BATCHES_BETWEEN_KILLS_MAX);
    for (const batch of batches(rows.map(transferOf))) {
      const due = kills < KILLS_MIN || (unknown < UNKNOWN_MIN && kills < KILLS_MAX);
      if (due && --untilKill === 0) {
        untilKill = random.between(1, BATCHES_BETWEEN_KILLS_MAX);
        kills++;
        if (await killWhileInFlight(batch)) unknown++;
      }
      await client.settle(batch);
    }
    process.stdout.write(`bank import: ${kills} kills, ${unknown} with an unknown outcome\n`);
    expect(kills).toBeGreaterThanOrEqual(KILLS_MIN);
    expect(unknown).toBeGreaterThanOrEqual(UNKNOWN_MIN);

    const audit = await checkMoney(services, client);
    expect(journal.entries.filter((entry) => entry.answer?.status !== 201)).toEqual([]);
    expect(audit.commands.size).toBe(journal.entries.length);
  }, 240_000);

  it('shows each account with the balance and number of transactions of the oracle', async () => {
    const shown: Record<string, string> = {};
    const expected: Record<string, string> = {};
    await each(bankBalances(), async ({ account, balance, transactions }) => {
      expected[account] = `${hellers(balance)} after ${transactions}`;
      const path = `/v1/ledgers/bank/accounts/customer-${account}/balance`;
      const found = await client.json<{ balance: string; entryVersion: number }>('GET', path);
      shown[account] = `${found.balance} after ${found.entryVersion}`;
    });
    expect(shown).toEqual(expected);
  });

  it('shows the balances that the bank printed on its statements', async () => {
    const printed = rows.filter((row) => row.bank_balance_after !== '');
    const shown: Record<string, string> = {};
    const expected: Record<string, string> = {};
    await each([...new Set(printed.map((row) => row.account))], async (account) => {
      const lines = await statementOf(account);
      const ofAccount = rows.filter((row) => row.account === account);
      expect(lines.length).toBe(ofAccount.length);
      ofAccount.forEach((row, index) => {
        if (row.bank_balance_after === '') return;
        expected[row.transaction] = hellers(row.bank_balance_after);
        shown[row.transaction] = lines[index]!.balance;
      });
    });
    expect(Object.keys(expected).length).toBe(printed.length);
    expect(shown).toEqual(expected);
  });

  /** Sends a batch and kills the service at a moment that nobody chose. True when the client cannot know what came of it. */
  async function killWhileInFlight(batch: readonly JournalEntry[]): Promise<boolean> {
    const sent = client.sendBulk(batch);
    await setTimeout(random.next() * IN_FLIGHT_MILLIS_MAX);
    await services.crash('command-service');
    const attempt = await sent;
    await services.start('command-service');
    return attempt === 'unknown';
  }

  async function statementOf(account: string): Promise<readonly StatementLine[]> {
    const path = `/v1/ledgers/bank/accounts/customer-${account}/statement?limit=${PAGE}`;
    const { items, nextCursor } = await client.json<{
      items: readonly StatementLine[];
      nextCursor: string | null;
    }>('GET', path);
    expect(nextCursor).toBeNull();
    return items;
  }

  function accountsOf(all: readonly BankRow[]): readonly JournalEntry[] {
    const customers = new Set(all.map((row) => `customer-${row.account}`));
    const others = new Set(all.map(otherSideOf));
    const open = (id: string, normalSide: string): JournalEntry =>
      journal.note('OpenAccount', `open-${id}`, { id, asset: 'CZK', normalSide, floor: null });
    return [
      ...[...customers].map((id) => open(id, 'credit')),
      ...[...others].map((id) => open(id, 'debit')),
    ];
  }

  function transferOf(row: BankRow): JournalEntry {
    const customer = `customer-${row.account}`;
    const [debited, credited] =
      row.direction === 'credit' ? [otherSideOf(row), customer] : [customer, otherSideOf(row)];
    const amount = hellers(row.amount);
    return journal.note('PostTransfer', `transaction-${row.transaction}`, {
      legs: [
        { accountId: debited, side: 'debit', amount },
        { accountId: credited, side: 'credit', amount },
      ],
      reference: row.transaction,
      effectiveAt: `${row.date}T00:00:00Z`,
    });
  }
});

/** Cash, the bank itself, or the other bank. */
function otherSideOf(row: BankRow): string {
  if (row.counterparty_bank !== '') return `bank-${row.counterparty_bank}`;
  return row.kind === 'internal' ? 'bank' : 'cash';
}

function batches<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / BATCH);
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  );
}

/** Some at a time. */
async function each<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
