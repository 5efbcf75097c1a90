import type { Reject } from './rejects-file.js';
import type { MappedRow, NeededAccount } from './row-mapper.js';
import type { Witness } from './witness.js';

export type TransferRow = Extract<MappedRow, { readonly kind: 'transfer' }>;

/** A row with its place in the file, waiting to be posted. */
export interface WaitingRow {
  readonly line: number;
  readonly fields: readonly string[];
  readonly mapped: TransferRow;
}

/** Where batches go: a ledger, or nowhere for a check. */
export interface BatchSink {
  /** Whether the answer is still the one that its key was given, at its place in the log. */
  confirms(witness: Witness): Promise<boolean>;
  /** Throws `IMPORT_HISTORY_CHANGED` when the ledger that takes the batch is not the one in which the batch's witness stands. */
  post(batch: Batch): Promise<Posted>;
}

/** What became of a batch. */
export interface Posted {
  readonly posted: number;
  readonly repeated: number;
  readonly unknown: number;
  readonly accountsOpened: number;
  readonly rejects: readonly Reject[];
  /** Of the transfers that its rows made, the one that stands last in the log. */
  readonly newest?: Witness | undefined;
}

/** Accounts remembered as open. Forgetting one costs a repeated command, so that memory does not grow with the file. */
const KNOWN_ACCOUNTS_MAX = 100_000;

export class KnownAccounts {
  private readonly ids = new Set<string>();

  has(id: string): boolean {
    return this.ids.has(id);
  }

  add(id: string): void {
    this.ids.add(id);
    const [oldest] = this.ids;
    if (this.ids.size > KNOWN_ACCOUNTS_MAX && oldest !== undefined) this.ids.delete(oldest);
  }

  forget(): void {
    this.ids.clear();
  }
}

/** The commands of one bulk request besides the witness: accounts before the rows that need them, rows in their order. */
export class Batch {
  readonly rows: WaitingRow[] = [];
  readonly accounts = new Map<string, NeededAccount>();
  private readonly keys = new Set<string>();

  constructor(
    private readonly commandsMax: number,
    private readonly known: KnownAccounts,
    /** The newest transfer so far. */
    readonly witness?: Witness,
  ) {}

  get commands(): number {
    return this.rows.length + this.accounts.size;
  }

  /** Whether a row in it has the key. */
  has(key: string): boolean {
    return this.keys.has(key);
  }

  /**
   * False when it must go out before this row can be taken: it is full, or a row in it has the same key. A bulk takes no key twice, and what the second
   * row is, a repetition or another transfer, the ledger alone decides.
   */
  canTake(row: TransferRow): boolean {
    if (this.has(row.key)) return false;
    return this.commands + 1 + this.openings(row).length <= this.commandsMax;
  }

  add(row: WaitingRow): void {
    for (const account of this.openings(row.mapped)) this.accounts.set(account.id, account);
    this.rows.push(row);
    this.keys.add(row.mapped.key);
  }

  private openings({ accounts }: TransferRow): readonly NeededAccount[] {
    return accounts.filter(({ id }) => !this.known.has(id) && !this.accounts.has(id));
  }
}
