import type { Audit, LogAuditor } from '../support/log-audit.js';
import { balanceOf } from '../support/log-audit.js';
import type { Journal, JournalEntry } from '../support/journal.js';
import type { JournalingClient } from '../support/journaling-client.js';
import {
  appliedAfterAll,
  checkLog,
  checkRebuild,
  checkTrialBalance,
  settleAll,
} from '../support/money-check.js';
import type { SeededRandom } from '../support/seeded-random.js';
import type { Services } from '../support/services.js';
import { Doubt } from './doubt.js';
import type { ImportRuns } from './import-runs.js';
import type { Tally } from './tally.js';

/** How many answered keys are sent again after a crash, besides all that nobody knows the outcome of. */
const SAMPLE = 200;
const LATEST = 100;
const BALANCES = 5;

export interface MoneyChecksOptions {
  readonly services: Services;
  readonly client: JournalingClient;
  readonly journal: Journal;
  readonly auditor: LogAuditor;
  readonly imports: ImportRuns;
  readonly random: SeededRandom;
  readonly tally: Tally;
}

/** The money check of a soak: to be asked while no client sends. Each throws at the first fault. */
export class MoneyChecks {
  constructor(private readonly options: MoneyChecksOptions) {}

  /** After each start of the command service. */
  async afterRestart(): Promise<void> {
    await this.checkLog();
    const { journal, tally } = this.options;
    const again = [...journal.unanswered, ...this.sample()];
    await settleAll(this.options.client, again);
    tally.answersChecked += again.length;
    await this.checkBooks();
  }

  /** At the end: every key is sent again. */
  async ofEverything(): Promise<void> {
    await this.checkLog();
    const { journal, tally, client } = this.options;
    await settleAll(client, journal.entries);
    tally.answersChecked += journal.entries.length;
    await this.checkBooks();
    if (journal.unanswered.length > 0)
      throw new Doubt(`${journal.unanswered.length} commands were never answered`);
  }

  /** The read model that lived through it all equals one that a second worker makes from nothing. Nobody may write meanwhile. */
  async rebuilt(): Promise<void> {
    const { auditor, journal, services, tally } = this.options;
    await auditor.advance();
    await checkRebuild(services, auditor.of(journal.ledger));
    tally.rebuildChecks++;
  }

  /** What the log says, before anything is sent again. */
  private async checkLog(): Promise<void> {
    const { services, journal, auditor, imports, tally } = this.options;
    const { audit, faults } = await checkLog(services, journal, auditor);
    const all = [...faults, ...appliedAfterAll(journal, audit), ...imports.faults(auditor)];
    if (all.length > 0) throw Doubt.of(all);
    tally.logChecks++;
    tally.removedPositions = Math.max(tally.removedPositions, auditor.removedPositions);
  }

  /** What the log and the read model say, after everything is known. */
  private async checkBooks(): Promise<void> {
    const { services, journal, auditor, client } = this.options;
    const { audit, faults } = await checkLog(services, journal, auditor);
    if (faults.length > 0) throw Doubt.of(faults);
    await checkTrialBalance(client, audit);
    await this.checkHealth();
    for (let count = 0; count < BALANCES; count++) await this.checkBalance(audit);
  }

  /** Nothing here damages a finished segment, so whoever scrubs the log finds nothing. */
  private async checkHealth(): Promise<void> {
    const answer = await fetch(`${this.options.services.commands}/health/ready`);
    const text = await answer.text();
    if (text.includes('degraded')) throw new Doubt(`the command service says of itself ${text}`);
  }

  private async checkBalance(audit: Audit): Promise<void> {
    const { client, journal, random } = this.options;
    const accounts = [...audit.accounts];
    const [id, account] = accounts[random.between(0, accounts.length - 1)] ?? [];
    if (account === undefined) return;
    const path = `/v1/ledgers/${journal.ledger}/accounts/${id}/balance`;
    const shown = await client.json<{ balance: string; entryVersion: number }>('GET', path);
    const expected = `${balanceOf(account)} after ${account.entries}`;
    const found = `${shown.balance} after ${shown.entryVersion}`;
    if (found !== expected) throw new Doubt(`${path} shows ${found}, not ${expected}`);
  }

  private sample(): JournalEntry[] {
    const { journal, random } = this.options;
    const answered = journal.entries.filter((entry) => entry.answer !== undefined);
    const picked = new Set(answered.slice(-LATEST));
    for (let count = 0; count < SAMPLE && answered.length > 0; count++) {
      const entry = answered[random.between(0, answered.length - 1)];
      if (entry !== undefined) picked.add(entry);
    }
    return [...picked];
  }
}
