import type { Journal, JournalEntry } from './journal.js';
import type { JournalingClient } from './journaling-client.js';
import type { SeededRandom } from './seeded-random.js';

const BULK_COMMANDS = 100;
const AMOUNT_MAX = 100_000;

/** Transfers between the accounts of one ledger, as many as a test wants, each noted in the journal before it is sent. */
export class LedgerTraffic {
  private sent = 0;

  constructor(
    private readonly client: JournalingClient,
    private readonly random: SeededRandom,
    private readonly accounts = 24,
  ) {}

  /** Opens the ledger, its asset and its accounts. */
  async begin(): Promise<void> {
    const { ledger } = this.journal;
    await this.client.json('PUT', `/v1/ledgers/${ledger}`);
    await this.client.json('PUT', `/v1/ledgers/${ledger}/assets/EUR`, { scale: 2 });
    const opened = Array.from({ length: this.accounts }, (_, index) =>
      this.journal.note('OpenAccount', `open-${index}`, {
        id: `account-${index}`,
        asset: 'EUR',
        normalSide: 'credit',
        // Money comes from account 0; the others must not be overdrawn, so some transfers are refused.
        ...(index === 0 ? { floor: null } : {}),
      }),
    );
    await this.client.settle(opened);
  }

  /** Sends so many transfers, each until it is answered. */
  async transfer(count: number): Promise<void> {
    for (let left = count; left > 0; left -= BULK_COMMANDS) {
      const entries = Array.from({ length: Math.min(left, BULK_COMMANDS) }, () => this.note());
      await this.client.settle(entries);
    }
  }

  private note(): JournalEntry {
    const { random, accounts } = this;
    const key = `transfer-${(this.sent += 1)}`;
    const from = random.between(0, accounts - 1);
    const to = (from + random.between(1, accounts - 1)) % accounts;
    const amount = String(random.between(1, AMOUNT_MAX));
    return this.journal.note('PostTransfer', key, {
      legs: [
        { accountId: `account-${from}`, side: 'debit', amount },
        { accountId: `account-${to}`, side: 'credit', amount },
      ],
      reference: key,
    });
  }

  private get journal(): Journal {
    return this.client.journal;
  }
}
