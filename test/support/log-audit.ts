import { BEFORE_FIRST_POSITION, EventLogReader } from '@holdfast/event-store';
import { type RecordedLedgerEvent, ledgerEventOf } from '@holdfast/ledger';

/** What the log says of one key: where its commit ends. */
export interface LoggedCommand {
  readonly position: number;
  readonly type: RecordedLedgerEvent['type'];
  /** 1, unless something went wrong. */
  commits: number;
}

export interface AuditedAccount {
  readonly asset: string;
  readonly normalSide: 'debit' | 'credit';
  readonly floor: bigint | undefined;
  debits: bigint;
  credits: bigint;
  entries: number;
}

export interface Audit {
  readonly logId: string;
  readonly position: number;
  readonly commands: ReadonlyMap<string, LoggedCommand>;
  readonly accounts: ReadonlyMap<string, AuditedAccount>;
  /** Every rule of bookkeeping that an event broke, as sentences. */
  readonly faults: readonly string[];
}

/**
 * An auditor that trusts nothing but the legs of transfers: it adds them up itself, knows nothing of the service's state, and looks at every rule at
 * every event.
 */
export async function auditLog(walDirectory: string, ledger: string): Promise<Audit> {
  const reader = await EventLogReader.open(walDirectory);
  const auditor = new Auditor(ledger);
  try {
    const events = reader.readAll({ after: BEFORE_FIRST_POSITION });
    for await (const batch of events)
      for (const event of batch.events) auditor.see(ledgerEventOf(event));
    const { commands, accounts, faults } = auditor;
    for (const total of auditor.totals())
      if (total.debits !== total.credits)
        faults.push(`${total.asset}: debits ${total.debits} and credits ${total.credits} differ`);
    return { logId: reader.logId, position: reader.durablePosition, commands, accounts, faults };
  } finally {
    await reader.close();
  }
}

class Auditor {
  readonly commands = new Map<string, LoggedCommand>();
  readonly accounts = new Map<string, AuditedAccount>();
  readonly faults: string[] = [];
  private expected = 1;

  constructor(private readonly ledger: string) {}

  see(event: RecordedLedgerEvent): void {
    if (event.position !== this.expected)
      this.faults.push(`position ${event.position} follows ${this.expected - 1}`);
    this.expected = event.position + 1;
    this.seeKey(event);
    if (event.data.ledger !== this.ledger) return;
    if (event.type === 'AccountOpened') this.open(event);
    if (event.type === 'TransferPosted') this.post(event);
  }

  totals(): { asset: string; debits: bigint; credits: bigint }[] {
    const totals = new Map<string, { asset: string; debits: bigint; credits: bigint }>();
    for (const { asset, debits, credits } of this.accounts.values()) {
      const total = totals.get(asset) ?? { asset, debits: 0n, credits: 0n };
      totals.set(asset, { asset, debits: total.debits + debits, credits: total.credits + credits });
    }
    return [...totals.values()];
  }

  private seeKey({ metadata, position, type }: RecordedLedgerEvent): void {
    const { key } = metadata;
    if (typeof key !== 'string') return;
    const known = this.commands.get(key);
    if (known === undefined) this.commands.set(key, { position, type, commits: 1 });
    else known.commits++;
  }

  private open({
    data: { account },
  }: Extract<RecordedLedgerEvent, { type: 'AccountOpened' }>): void {
    const { accountId, asset, normalSide, floor } = account;
    if (this.accounts.has(accountId)) this.faults.push(`${accountId} was opened twice`);
    this.accounts.set(accountId, {
      asset,
      normalSide,
      floor: floor === null ? undefined : BigInt(floor),
      debits: 0n,
      credits: 0n,
      entries: 0,
    });
  }

  private post({ data, position }: Extract<RecordedLedgerEvent, { type: 'TransferPosted' }>): void {
    let difference = 0n;
    const touched = new Set<string>();
    for (const { accountId, side, amount } of data.legs) {
      const account = this.accounts.get(accountId);
      if (account === undefined) {
        this.faults.push(
          `position ${position} moves money of ${accountId}, which was never opened`,
        );
        continue;
      }
      if (side === 'debit') account.debits += BigInt(amount);
      else account.credits += BigInt(amount);
      difference += side === 'debit' ? BigInt(amount) : -BigInt(amount);
      touched.add(accountId);
    }
    if (difference !== 0n) this.faults.push(`position ${position} is not balanced`);
    for (const accountId of touched) this.checkAccount(accountId, data, position);
  }

  private checkAccount(
    accountId: string,
    data: Extract<RecordedLedgerEvent, { type: 'TransferPosted' }>['data'],
    position: number,
  ): void {
    const account = this.accounts.get(accountId);
    if (account === undefined) return;
    account.entries++;
    const balance = balanceOf(account);
    if (account.floor !== undefined && balance < account.floor)
      this.faults.push(`position ${position} leaves ${accountId} at ${balance}, below its floor`);
    const recorded = data.balances.find((candidate) => candidate.accountId === accountId);
    const same =
      recorded?.debitsPosted === String(account.debits) &&
      recorded.creditsPosted === String(account.credits) &&
      recorded.entryVersion === account.entries;
    if (!same) this.faults.push(`position ${position} records a wrong balance of ${accountId}`);
  }
}

/** On the account's normal side. */
export function balanceOf({ normalSide, debits, credits }: AuditedAccount): bigint {
  return normalSide === 'credit' ? credits - debits : debits - credits;
}
