import { type OpenAccount, type PostTransfer, malformationOf } from '@holdfast/ledger';
import { type SignedAmount, parseAmount } from './amount.js';
import type { CsvRow } from './csv-rows.js';
import type { AccountMapping, Mapping, Rule } from './mapping.js';
import { ATTEMPT_DEFAULT } from './import-options.js';
import { ImportNames, countsRows, idOf } from './row-identity.js';
import type { Row, Template } from './template.js';

/** What a row asks of the ledger. */
export type MappedRow =
  | {
      readonly kind: 'transfer';
      readonly id: string;
      readonly key: string;
      readonly transfer: PostTransfer;
      /** The accounts of its legs, as they are to be opened if they are not there. */
      readonly accounts: readonly NeededAccount[];
    }
  | { readonly kind: 'skipped' }
  /** The id is undefined where none can be made of the row. */
  | { readonly kind: 'refused'; readonly id: string | undefined; readonly reason: string };

export interface NeededAccount {
  readonly id: string;
  readonly key: string;
  readonly command: OpenAccount;
}

/** Why a row is refused; its id comes to it. */
type Refusal = Omit<Extract<MappedRow, { kind: 'refused' }>, 'id'>;
type Transfer = Omit<Extract<MappedRow, { kind: 'transfer' }>, 'id' | 'key'>;

/** Turns rows into transfers. Pure: the same row gives the same commands and keys in every run of an attempt, which is what makes an import resumable. */
export class RowMapper {
  private readonly names: ImportNames;

  constructor(
    private readonly mapping: Mapping,
    private readonly ledger: string,
    attempt = ATTEMPT_DEFAULT,
  ) {
    this.names = new ImportNames(mapping.name, attempt);
  }

  /** Whether `map` has to be told which of the equal rows it is given. */
  get countsRows(): boolean {
    return countsRows(this.mapping.row.id);
  }

  map(row: CsvRow, occurrence = 1): MappedRow {
    const id = idOf(this.mapping.row.id, row, occurrence);
    const mapped = this.mapRow(row, id);
    if (mapped.kind === 'skipped') return mapped;
    if (mapped.kind === 'refused') return { ...mapped, id };
    if (id === undefined)
      return { ...refused(`${this.mapping.row.id.columns.join(', ')}: the id is empty`), id };
    return { ...mapped, id, key: this.names.keyOf(id) };
  }

  private mapRow(
    { row, fields }: CsvRow,
    id: string | undefined,
  ): Transfer | Refusal | { readonly kind: 'skipped' } {
    if (row === undefined)
      return refused(`it has ${fields.length} fields, not those of the header`);
    if (fields.some((field) => field.includes('\ufffd')))
      return refused('it is not in the encoding that the mapping names');
    const { column } = this.mapping.row.amount;
    const amount = parseAmount(
      row[column] ?? '',
      this.mapping.asset.scale,
      this.mapping.row.amount,
    );
    const rule = this.ruleFor(row, amount);
    if (rule === undefined)
      return refused(
        typeof amount === 'string' ? `${column}: ${amount}` : 'no rule of the mapping fits it',
      );
    if (rule.transfer === undefined) return { kind: 'skipped' };
    if (typeof amount === 'string') return refused(`${column}: ${amount}`);
    if (amount.minorUnits === '0') return refused(`${column}: nothing moves`);
    return this.transferOf(row, id, rule.transfer, amount.minorUnits);
  }

  /** A row without a readable amount may still be one that a rule skips. */
  private ruleFor(row: Row, amount: SignedAmount | string): Rule | undefined {
    const sign = typeof amount === 'object' && amount.negative ? 'negative' : 'positive';
    return this.mapping.rules.find(
      (rule) =>
        (rule.sign === sign || rule.transfer === undefined) &&
        rule.when.every(({ column, values }) => values.includes(row[column] ?? '')),
    );
  }

  private transferOf(
    row: Row,
    id: string | undefined,
    { debit, credit }: { debit: string; credit: string },
    amount: string,
  ): Transfer | Refusal {
    const { effectiveAt, metadata } = this.mapping.row;
    const reference = this.referenceOf(row, id);
    const instant = effectiveAt?.format.instant(row[effectiveAt.column] ?? '');
    if (effectiveAt !== undefined && instant === undefined)
      return refused(
        `${effectiveAt.column}: ${JSON.stringify(row[effectiveAt.column])} is not a time like ${effectiveAt.format.format}`,
      );
    const accounts = [debit, credit].map((name) => this.accountOf(row, name));
    const [debited, credited] = accounts.map((account) => account.id);
    const transfer: PostTransfer = {
      type: 'PostTransfer',
      ledger: this.ledger,
      legs: [
        { accountId: debited ?? '', side: 'debit', amount },
        { accountId: credited ?? '', side: 'credit', amount },
      ],
      ...(reference === undefined ? undefined : { reference }),
      ...(instant === undefined ? undefined : { effectiveAt: instant }),
      metadata: rendered(metadata, row),
    };
    for (const command of [...accounts.map((account) => account.command), transfer]) {
      const malformation = malformationOf(command);
      if (malformation !== undefined)
        return refused(`${malformation.field} ${malformation.problem}`);
    }
    return { kind: 'transfer', transfer, accounts };
  }

  /** What the mapping gives it, or its own. */
  private referenceOf(row: Row, id: string | undefined): string | undefined {
    const { reference } = this.mapping.row;
    if (reference === undefined) return undefined;
    const given = reference === 'own' ? '' : reference.render(row);
    if (given !== '') return given;
    return id === undefined ? undefined : this.names.referenceOf(id);
  }

  private accountOf(row: Row, name: string): NeededAccount {
    const account = this.mapping.accounts[name] as AccountMapping;
    const id = account.id.render(row);
    const command: OpenAccount = {
      type: 'OpenAccount',
      ledger: this.ledger,
      accountId: id,
      asset: this.mapping.asset.code,
      normalSide: account.normalSide,
      floor: account.floor,
      ceiling: account.ceiling,
      metadata: rendered(account.metadata, row),
    };
    return { id, key: this.names.accountKeyOf(command), command };
  }
}

/** What a row leaves empty is left out. */
function rendered(templates: Readonly<Record<string, Template>>, row: Row): Record<string, string> {
  const entries = Object.entries(templates).map(([key, template]) => [key, template.render(row)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== '')) as Record<string, string>;
}

function refused(reason: string): Refusal {
  return { kind: 'refused', reason };
}
