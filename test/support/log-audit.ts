import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BEFORE_FIRST_POSITION, EventLogReader, type Position } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { type RecordedLedgerEvent, ledgerEventOf } from '@holdfast/ledger';
import { BEFORE_FIRST, WalReader } from '@holdfast/wal';
import { ArchiveDirectory } from '@holdfast/wal/maintenance';

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

/** The whole log, audited once. */
export async function auditLog(walDirectory: string, ledger: string): Promise<Audit> {
  const auditor = new LogAuditor(walDirectory, [ledger]);
  await auditor.advance();
  return auditor.of(ledger);
}

/**
 * Audits a log that grows: each event is decoded and judged once, and all bytes of those that were seen before are compared with what they were.
 * What a reader was shown must stay, through any crash.
 */
export class LogAuditor {
  private readonly books: ReadonlyMap<string, Books>;
  private readonly commands = new Map<string, LoggedCommand>();
  private readonly faults: string[] = [];
  private logId = '';
  private position = BEFORE_FIRST_POSITION as number;
  private digest = 0;
  private removed = 0;

  constructor(
    private readonly walDirectory: string,
    ledgers: readonly string[],
    /** Where the log is archived, if it is. */
    private readonly archiveDirectory = join(dirname(walDirectory), 'archive'),
    /** Positions whose events compaction may have taken. */
    private readonly mayBeGone: (position: number) => boolean = () => false,
  ) {
    this.books = new Map(ledgers.map((ledger) => [ledger, new Books()]));
  }

  /** Reads what is durable now. */
  async advance(): Promise<void> {
    const upTo = await this.compare();
    const { archiveDirectory } = this;
    const reader = await EventLogReader.open(this.walDirectory, { archiveDirectory });
    try {
      for await (const batch of reader.readAll({ after: this.position as Position }))
        for (const event of batch.events) {
          if (event.position <= upTo) this.see(ledgerEventOf(event));
          else return;
        }
    } finally {
      await reader.close();
    }
    if (this.position < upTo)
      this.faults.push(`events end at ${this.position}, and the log at ${upTo}`);
  }

  /** How many positions were in the archive only when the log was read last: they are compared like the others. */
  get removedPositions(): number {
    return this.removed;
  }

  of(ledger: string): Audit {
    const books = defined(this.books.get(ledger), 'an audited ledger');
    const faults = [...this.faults, ...books.faults, ...books.imbalances()];
    const { logId, position, commands } = this;
    return { logId, position, commands, accounts: books.accounts, faults };
  }

  /** Returns how far the bytes were read. */
  private async compare(): Promise<number> {
    const archive = existsSync(join(this.archiveDirectory, 'ARCHIVE'))
      ? ArchiveDirectory.open(this.archiveDirectory)
      : undefined;
    const reader = await WalReader.open(this.walDirectory, { ...(archive && { archive }) });
    try {
      if (this.logId !== '' && this.logId !== reader.logId)
        this.faults.push(`the log ${this.logId} is the log ${reader.logId} now`);
      this.logId = reader.logId;
      const live = reader.segments().find(({ archived }) => archived === undefined);
      this.removed = (live?.name.firstSequence ?? 1) - 1;
      const durable = reader.durableSequence;
      if (durable < this.position)
        this.faults.push(`the log ends at ${durable}, and ${this.position} was shown to a reader`);
      let digest = 0;
      await reader.scan(
        BEFORE_FIRST,
        (sequence, buffer, start, end) => {
          digest = crc32(buffer.subarray(start, end), digest);
          if (sequence === this.position && digest !== this.digest)
            this.faults.push(`an event up to ${this.position} is not what a reader was shown`);
        },
        durable,
      );
      this.digest = digest;
      return durable;
    } finally {
      await reader.close();
      await archive?.close();
    }
  }

  private see(event: RecordedLedgerEvent): void {
    if (!this.isNext(event.position))
      this.faults.push(`position ${event.position} follows ${this.position}`);
    this.position = event.position;
    this.seeKey(event);
    const books = this.books.get(event.data.ledger);
    if (event.type === 'AccountOpened') books?.open(event);
    if (event.type === 'TransferPosted') books?.post(event);
  }

  private isNext(position: number): boolean {
    let expected = this.position + 1;
    while (expected < position && this.mayBeGone(expected)) expected++;
    return position === expected;
  }

  private seeKey({ metadata, position, type }: RecordedLedgerEvent): void {
    const { key } = metadata;
    if (typeof key !== 'string') return;
    const known = this.commands.get(key);
    if (known === undefined) this.commands.set(key, { position, type, commits: 1 });
    else known.commits++;
  }
}

/**
 * The books of one ledger by an auditor who trusts nothing but the legs of transfers: adds them up, knows nothing of the service's state, and looks
 * at every rule at every event.
 */
class Books {
  readonly accounts = new Map<string, AuditedAccount>();
  readonly faults: string[] = [];

  imbalances(): readonly string[] {
    return this.totals()
      .filter(({ debits, credits }) => debits !== credits)
      .map((total) => `${total.asset}: debits ${total.debits} and credits ${total.credits} differ`);
  }

  /** By asset. */
  private totals(): { asset: string; debits: bigint; credits: bigint }[] {
    const totals = new Map<string, { asset: string; debits: bigint; credits: bigint }>();
    for (const { asset, debits, credits } of this.accounts.values()) {
      const total = totals.get(asset) ?? { asset, debits: 0n, credits: 0n };
      totals.set(asset, { asset, debits: total.debits + debits, credits: total.credits + credits });
    }
    return [...totals.values()];
  }

  open({ data: { account } }: Extract<RecordedLedgerEvent, { type: 'AccountOpened' }>): void {
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

  post({ data, position }: Extract<RecordedLedgerEvent, { type: 'TransferPosted' }>): void {
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
