import type { Side } from '@holdfast/ledger';
import type { CsvRow } from './csv-rows.js';
import type { Reject } from './rejects-file.js';
import type { MappedRow, NeededAccount } from './row-mapper.js';
import type { Witness } from './witness.js';

export type TransferRow = Extract<MappedRow, { readonly kind: 'transfer' }>;

/** A row waiting to be posted. */
export interface WaitingRow {
  /** Rows go out in the order of their places. */
  readonly place: number;
  readonly row: CsvRow;
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
  /** Of what its rows and accounts were answered, what stands last in the log. */
  readonly newest?: Witness | undefined;
}

/** What of an account never changes, and what amounts and sides of rows rest on. */
export interface AccountKind {
  readonly asset: string;
  readonly normalSide: Side;
}

/** Accounts remembered as open. Forgetting one costs a repeated command, so that memory does not grow with the file. */
const KNOWN_ACCOUNTS_MAX = 100_000;

export class KnownAccounts {
  private readonly kinds = new Map<string, AccountKind>();

  constructor(private readonly max = KNOWN_ACCOUNTS_MAX) {}

  has(id: string): boolean {
    return this.kinds.has(id);
  }

  add(id: string, kind: AccountKind): void {
    this.kinds.set(id, kind);
  }

  /** Once the rows of a batch were compared: they may need an account that its others would push out. */
  trim(): void {
    for (const oldest of this.kinds.keys()) {
      if (this.kinds.size <= this.max) return;
      this.kinds.delete(oldest);
    }
  }

  forget(): void {
    this.kinds.clear();
  }

  /** Why the account that is there is not the one that a row needs. */
  misfit({ id, command }: NeededAccount): string | undefined {
    const there = this.kinds.get(id);
    if (there === undefined) return undefined;
    if (there.asset !== command.asset)
      return `account ${id} is there in ${there.asset}, the mapping's asset is ${command.asset}`;
    if (there.normalSide !== command.normalSide)
      return `account ${id} is there with the normal side ${there.normalSide}, in the mapping it is ${command.normalSide}`;
    return undefined;
  }
}

/** The commands of one bulk request besides the witness: accounts before the rows that need them, rows in their order. */
export class Batch {
  readonly rows: WaitingRow[] = [];
  readonly accounts = new Map<string, NeededAccount>();

  constructor(
    private readonly commandsMax: number,
    private readonly known: KnownAccounts,
    /** The newest answer so far. */
    readonly witness?: Witness,
  ) {}

  get commands(): number {
    return this.rows.length + this.accounts.size;
  }

  /** False when it is full: it must go out before this row can be taken. */
  canTake(row: TransferRow): boolean {
    return this.commands + 1 + this.openings(row).length <= this.commandsMax;
  }

  add(row: WaitingRow): void {
    for (const account of this.openings(row.mapped)) this.accounts.set(account.id, account);
    this.rows.push(row);
  }

  private openings({ accounts }: TransferRow): readonly NeededAccount[] {
    return accounts.filter(({ id }) => !this.known.has(id) && !this.accounts.has(id));
  }
}

/** The rows that cannot be posted, because `faultOf` says so of an account that they need, and the others. */
export function divided(
  rows: readonly WaitingRow[],
  faultOf: (account: NeededAccount) => string | undefined,
): { readonly postable: readonly WaitingRow[]; readonly rejects: readonly Reject[] } {
  const postable: WaitingRow[] = [];
  const rejects: Reject[] = [];
  for (const waiting of rows) {
    const [fault] = waiting.mapped.accounts.flatMap((account) => faultOf(account) ?? []);
    if (fault === undefined) postable.push(waiting);
    else rejects.push(rejectOf(waiting, fault));
  }
  return { postable, rejects };
}

export function rejectOf({ place, row, mapped }: WaitingRow, reason: string): Reject {
  return { place, row, id: mapped.id, reason };
}
