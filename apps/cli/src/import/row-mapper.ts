import { type OpenAccount, type PostTransfer, keyRule, malformationOf } from '@holdfast/ledger';
import { type SignedAmount, parseAmount } from './amount.js';
import type { CsvRow } from './csv-rows.js';
import type { AccountMapping, Mapping, Rule } from './mapping.js';
import type { Row, Template } from './template.js';

/** What a row asks of the ledger. */
export type MappedRow =
  | {
      readonly kind: 'transfer';
      readonly key: string;
      readonly transfer: PostTransfer;
      /** The accounts of its legs, as they are to be opened if they are not there. */
      readonly accounts: readonly NeededAccount[];
    }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface NeededAccount {
  readonly id: string;
  readonly key: string;
  readonly command: OpenAccount;
}

/** Turns rows into transfers. Pure: the same row gives the same commands and keys in every run, which is what makes an import resumable. */
export class RowMapper {
  constructor(
    private readonly mapping: Mapping,
    private readonly ledger: string,
  ) {}

  map({ row, fields }: CsvRow): MappedRow {
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
    return this.transferOf(row, rule.transfer, amount.minorUnits);
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
    { debit, credit }: { debit: string; credit: string },
    amount: string,
  ): MappedRow {
    const { id, effectiveAt, reference, metadata } = this.mapping.row;
    const key = `import-${this.mapping.name}-${id.render(row)}`;
    if (id.render(row) === '' || !keyRule.accepts(key))
      return refused(
        `id: ${JSON.stringify(id.render(row))} must be visible ASCII characters, not too many`,
      );
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
      ...(reference === undefined ? undefined : { reference: reference.render(row) }),
      ...(instant === undefined ? undefined : { effectiveAt: instant }),
      metadata: rendered(metadata, row),
    };
    for (const command of [...accounts.map((account) => account.command), transfer]) {
      const malformation = malformationOf(command);
      if (malformation !== undefined)
        return refused(`${malformation.field} ${malformation.problem}`);
    }
    return { kind: 'transfer', key, transfer, accounts };
  }

  private accountOf(row: Row, name: string): NeededAccount {
    const account = this.mapping.accounts[name] as AccountMapping;
    const id = account.id.render(row);
    return {
      id,
      key: `import-${this.mapping.name}-account-${id}`,
      command: {
        type: 'OpenAccount',
        ledger: this.ledger,
        accountId: id,
        asset: this.mapping.asset.code,
        normalSide: account.normalSide,
        floor: account.floor,
        ceiling: account.ceiling,
        metadata: rendered(account.metadata, row),
      },
    };
  }
}

/** What a row leaves empty is left out. */
function rendered(templates: Readonly<Record<string, Template>>, row: Row): Record<string, string> {
  const entries = Object.entries(templates).map(([key, template]) => [key, template.render(row)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== '')) as Record<string, string>;
}

function refused(reason: string): MappedRow {
  return { kind: 'refused', reason };
}
