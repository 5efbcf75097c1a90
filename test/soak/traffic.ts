import { setTimeout } from 'node:timers/promises';
import type { Attempt, Journal, JournalEntry } from '../support/journal.js';
import type { JournalingClient } from '../support/journaling-client.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { Doubt } from './doubt.js';
import type { Pace } from './pace.js';
import { positionOf } from './position-of.js';
import type { Tally } from './tally.js';

const FIRST_ACCOUNTS = 40;
const ACCOUNTS_MAX = 2_000;
const AMOUNT_MAX = 50_000;
const BULK_MIN = 3;
const BULK_MAX = 60;
const BURST = 20;
const SENT_AGAIN = 0.9;
/** After a refusal or an unknown outcome, so that a service that is away is not stormed. */
const PAUSE_MILLIS = 200;

/** What a client may do next, and how often of all times. */
const ACTIONS = {
  post: 60,
  bulk: 6,
  open: 3,
  repeat: 8,
  twice: 4,
  misuse: 2,
  look: 17,
} as const;
type Action = keyof typeof ACTIONS;

export interface TrafficOptions {
  readonly journal: Journal;
  /** Each sends its share of the commands. */
  readonly commands: readonly JournalingClient[];
  readonly queries: JournalingClient;
  readonly connections: number;
  readonly random: SeededRandom;
  readonly pace: Pace;
  readonly tally: Tally;
  readonly onDoubt: (error: unknown) => void;
}

/** Several clients at once: transfers of which some lack the money, bulks, new accounts, keys used again, and queries for what was written. */
export class Traffic {
  private readonly accounts: string[] = [];
  private readonly refused: JournalEntry[] = [];
  private readonly stopping = new AbortController();
  private running: Promise<void>[] = [];
  private active = 0;
  private quiet: Promise<void> | undefined;
  private wake: () => void = () => undefined;
  private number = 0;

  constructor(private readonly options: TrafficOptions) {}

  /** The ledger, and its first accounts: money comes from the first, and no other may be overdrawn. */
  async prepare(): Promise<void> {
    const { journal, queries: client } = this.options;
    await client.json('PUT', `/v1/ledgers/${journal.ledger}`);
    await client.json('PUT', `/v1/ledgers/${journal.ledger}/assets/EUR`, { scale: 2 });
    await client.settle(Array.from({ length: FIRST_ACCOUNTS }, () => this.newAccount()));
  }

  start(): void {
    const { connections, commands } = this.options;
    this.running = Array.from({ length: connections }, (_, index) => {
      const client = commands[index % commands.length];
      return client === undefined ? Promise.resolve() : this.run(client);
    });
  }

  /** Many commands at once, for a fault to meet them on their way. */
  burst(): void {
    const { commands } = this.options;
    for (const client of commands) {
      void this.tracked(() => this.sendBulk(client));
      for (let count = 0; count < BURST; count++)
        void this.tracked(() => this.send(client, this.newTransfer()));
    }
  }

  /** Lets what was begun come to its end; nobody asks until `goOn`. */
  async hush(): Promise<void> {
    this.quiet ??= new Promise((resolve) => (this.wake = resolve));
    while (this.active > 0) await setTimeout(2);
    this.options.tally.nobodyAsks();
  }

  goOn(): void {
    this.quiet = undefined;
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.goOn();
    await Promise.all(this.running);
  }

  private async run(client: JournalingClient): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const action = this.nextAction();
      await this.options.pace.take(action === 'bulk' ? (BULK_MIN + BULK_MAX) / 2 : 1);
      await this.quiet;
      const attempt = await this.tracked(() => this.act(client, action));
      if (attempt !== 'answered') await setTimeout(PAUSE_MILLIS);
    }
  }

  /** Begun work, which a hush waits for. */
  private async tracked(work: () => Promise<Attempt>): Promise<Attempt> {
    this.active++;
    try {
      return await work();
    } catch (error) {
      this.options.onDoubt(error);
      return 'unknown';
    } finally {
      this.active--;
    }
  }

  private nextAction(): Action {
    let left = this.options.random.next() * 100;
    for (const [action, share] of Object.entries(ACTIONS) as [Action, number][]) {
      left -= share;
      if (left < 0) return action;
    }
    return 'post';
  }

  private act(client: JournalingClient, action: Action): Promise<Attempt> {
    switch (action) {
      case 'post':
        return this.send(client, this.refused.pop() ?? this.newTransfer());
      case 'bulk':
        return this.sendBulk(client);
      case 'open':
        return this.send(client, this.newAccount());
      case 'repeat':
        return this.send(client, this.anEntry());
      case 'twice':
        return this.sendTwice(client);
      case 'misuse':
        return this.misuse(client);
      case 'look':
        return this.look();
    }
  }

  /**
   * What is not answered is left as it is: the check after the next restart asks the log first, and then sends it again. But most of what was refused is
   * sent again by and by, as clients do.
   */
  private async send(client: JournalingClient, entry: JournalEntry): Promise<Attempt> {
    const attempt = await client.send(entry);
    if (attempt === 'not-applied' && this.options.random.next() < SENT_AGAIN)
      this.refused.push(entry);
    return this.counted(1, attempt);
  }

  private async sendBulk(client: JournalingClient): Promise<Attempt> {
    const { random } = this.options;
    const count = random.between(BULK_MIN, BULK_MAX);
    const entries = Array.from({ length: count }, () => this.newTransfer());
    return this.counted(count, await client.sendBulk(entries));
  }

  private async sendTwice(client: JournalingClient): Promise<Attempt> {
    const entry = this.newTransfer();
    const [one, other] = await Promise.all([client.send(entry), client.send(entry)]);
    this.counted(1, one);
    return this.counted(1, other);
  }

  /** Another command under a key whose answer is known. */
  private async misuse(client: JournalingClient): Promise<Attempt> {
    const entry = this.anEntry();
    if (entry.answer?.position === undefined || entry.type !== 'PostTransfer') return 'answered';
    return client.misuse(entry, { ...entry.body, reference: 'another command' });
  }

  private counted(commands: number, attempt: Attempt): Attempt {
    const { tally } = this.options;
    tally.commandsSent += commands;
    if (attempt === 'answered') {
      tally.answered += commands;
      tally.served();
    } else if (attempt === 'unknown') tally.unknown += commands;
    else tally.notApplied += commands;
    return attempt;
  }

  /** A query that asks for a position shows what had been written by then, or says that it cannot. */
  private async look(): Promise<Attempt> {
    const { tally, journal, queries } = this.options;
    const { key, answer, type } = this.anEntry();
    if (answer?.position === undefined || answer.status !== 201) return 'answered';
    const { id } = JSON.parse(answer.body) as { id: string };
    const kind = type === 'OpenAccount' ? 'accounts' : 'transfers';
    const path = `/v1/ledgers/${journal.ledger}/${kind}/${id}?minPosition=${answer.position}`;
    const shown = await queries.query(path);
    if (shown === undefined) return 'not-applied';
    tally.queries++;
    if (shown.status !== 200)
      throw new Doubt(`${key} was answered ${answer.body}, and ${path}: ${shown.status}`);
    if (isBefore(shown.position, answer.position))
      throw new Doubt(`${path} is answered of an earlier moment, ${shown.position}`);
    return 'answered';
  }

  private newAccount(): JournalEntry {
    const { journal } = this.options;
    if (this.accounts.length >= ACCOUNTS_MAX) return this.newTransfer();
    const id = `account-${this.accounts.length}`;
    const floor = this.accounts.length === 0 ? { floor: null } : {};
    const body = { id, asset: 'EUR', normalSide: 'credit', ...floor };
    this.accounts.push(id);
    return journal.note('OpenAccount', `open-${id}`, body);
  }

  /** Half of them bring money in; of the others some lack it, and some go to accounts that are not open yet. */
  private newTransfer(): JournalEntry {
    const { journal, random } = this.options;
    const count = this.accounts.length;
    const from = random.next() < 0.5 ? 0 : random.between(1, count - 1);
    const to = (from + random.between(1, count - 1)) % count;
    const amount = String(random.between(1, AMOUNT_MAX));
    const key = `transfer-${++this.number}`;
    return journal.note('PostTransfer', key, {
      legs: [
        { accountId: `account-${from}`, side: 'debit', amount },
        { accountId: `account-${to}`, side: 'credit', amount },
      ],
      reference: key,
    });
  }

  private anEntry(): JournalEntry {
    const { journal, random } = this.options;
    const { entries } = journal;
    // Lately used keys more often than old ones: they are the ones that a crash has touched.
    const lately = random.next() < 0.5 ? Math.max(0, entries.length - 200) : 0;
    const entry = entries[random.between(lately, entries.length - 1)];
    if (entry === undefined) throw new Error('there are no entries yet');
    return entry;
  }
}

function isBefore(shown: string | undefined, asked: string): boolean {
  if (shown === undefined) return true;
  return positionOf(shown) < positionOf(asked);
}
