import { type OpenAccount, type PostTransfer, instantText, malformationOf } from '@holdfast/ledger';
import type { Sign } from './amount.js';
import type { CsvRow } from './csv-rows.js';
import { UNDECODED } from './csv-text.js';
import { ATTEMPT_DEFAULT } from './import-options.js';
import type { AccountMapping, Mapping, Rule } from './mapping.js';
import { type SignedAmount, amountColumns, rowAmount } from './row-amount.js';
import {
  ImportNames,
  countsRows,
  idFault,
  idOf,
  tellsContent,
  withLineFeeds,
} from './row-identity.js';
import { shown } from './shown.js';
import type { Row, Template } from './template.js';

/** What a row asks of the ledger. */
export type MappedRow =
  | {
      readonly kind: 'transfer';
      readonly id: string;
      readonly key: string;
      /** The reference, where it is not made of the id: nothing says that no other row has it. */
      readonly givenReference?: string | undefined;
      readonly transfer: PostTransfer;
      /** The accounts of its legs, as they are to be opened if they are not there. */
      readonly accounts: readonly NeededAccount[];
    }
  | { readonly kind: 'skipped' }
  /** The id is undefined where none can be made of the row. */
  | {
      readonly kind: 'refused';
      readonly id: string | undefined;
      readonly givenReference?: string | undefined;
      readonly reason: string;
    };

export interface NeededAccount {
  readonly id: string;
  readonly key: string;
  readonly command: OpenAccount;
}

/** Why a row is refused; its id and reference come to it. */
type Refusal = Omit<Extract<MappedRow, { kind: 'refused' }>, 'id' | 'givenReference'>;
type Transfer = Omit<Extract<MappedRow, { kind: 'transfer' }>, 'id' | 'key' | 'givenReference'>;

/** A row's own reference is made of its id, and undefined where that is. */
interface References {
  readonly given: string | undefined;
  readonly own: string | undefined;
}

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
    const references = this.referencesOf(row, id);
    const mapped = this.mapRow(row, references);
    if (mapped.kind === 'skipped') return mapped;
    const givenReference = references.given;
    if (mapped.kind === 'refused') return { ...mapped, id, givenReference };
    if (id === undefined) return { ...refused(this.missingId(row)), id, givenReference };
    const fault = idFault(id);
    if (fault !== undefined) return { ...refused(`import_id: ${fault}`), id, givenReference };
    return { ...mapped, id, givenReference, key: this.names.keyOf(id) };
  }

  private missingId({ givenId }: CsvRow): string {
    const { id } = this.mapping.row;
    return givenId === null && tellsContent(id)
      ? 'import_id: the id is empty, and cannot be made of a row that was mended; give it one that no other row has'
      : `${id.columns.join(', ')}: the id is empty`;
  }

  private mapRow(
    { row, fields, raw, givenId }: CsvRow,
    references: References,
  ): Transfer | Refusal | { readonly kind: 'skipped' } {
    const { ignoreLines } = this.mapping.csv;
    // A rejects file has rows only, and what saved it may have written them otherwise.
    if (givenId === undefined && ignoreLines.some((condition) => condition.fits(raw)))
      return { kind: 'skipped' };
    if (row === undefined)
      return refused(`it has ${fields.length} fields, not those of the header`);
    const undecoded = Object.entries(row).find(([, value]) => value.includes(UNDECODED));
    if (undecoded !== undefined)
      return refused(`${undecoded[0]}: ${shown(undecoded[1])} is not in the encoding of the file`);
    const { asset, row: mapped } = this.mapping;
    const amount = rowAmount(row, asset.scale, mapped.amount);
    const rule = this.ruleFor(row, amount);
    if (typeof amount === 'string')
      return rule !== undefined && mayBeAnyAmount(rule) ? { kind: 'skipped' } : refused(amount);
    if (rule === undefined) return refused(this.misfit(row, amount));
    if (rule.transfer === undefined) return { kind: 'skipped' };
    if (amount.minorUnits === '0')
      return refused(`${amountColumns(mapped.amount).join(', ')}: nothing moves`);
    return this.transferOf(row, references, rule.transfer, amount.minorUnits);
  }

  /** The first that fits. An amount that cannot be read may have any sign. */
  private ruleFor(row: Row, amount: SignedAmount | string): Rule | undefined {
    return this.mapping.rules.find(
      ({ sign, when }) =>
        (sign === undefined || typeof amount === 'string' || sign === signOf(amount)) &&
        when.every(({ column, condition }) => condition.fits(row[column] ?? '')),
    );
  }

  private misfit(row: Row, amount: SignedAmount): string {
    const columns = new Set(
      this.mapping.rules.flatMap(({ when }) => when.map(({ column }) => column)),
    );
    const values = [...columns].map((column) => `${column} ${shown(row[column] ?? '')}`);
    return `no rule of the mapping fits it: ${['a ' + signOf(amount) + ' amount', ...values].join(', ')}`;
  }

  private transferOf(
    row: Row,
    { given, own }: References,
    { debit, credit }: { debit: string; credit: string },
    amount: string,
  ): Transfer | Refusal {
    const { effectiveAt, metadata } = this.mapping.row;
    if (given !== undefined && this.names.isOwn(given))
      return refused(`reference: ${shown(given)} is what an import makes of another row's id`);
    const reference = given ?? own;
    const time = row[effectiveAt?.column ?? ''] ?? '';
    const millis = time === '' ? undefined : effectiveAt?.format.millis(time);
    if (typeof millis === 'string') return refused(`${effectiveAt?.column ?? ''}: ${millis}`);
    const accounts = [debit, credit].map((name) => this.accountOf(row, name));
    const [debited, credited] = accounts.map((account) => account.id);
    const fault = this.accountFault(row, [debit, credit]);
    if (fault !== undefined) return refused(fault);
    const transfer: PostTransfer = {
      type: 'PostTransfer',
      ledger: this.ledger,
      legs: [
        { accountId: debited ?? '', side: 'debit', amount },
        { accountId: credited ?? '', side: 'credit', amount },
      ],
      ...(reference === undefined ? undefined : { reference }),
      ...(millis === undefined ? undefined : { effectiveAt: instantText(millis) }),
      metadata: rendered(metadata, row),
    };
    for (const command of [...accounts.map((account) => account.command), transfer]) {
      const malformation = malformationOf(command);
      if (malformation !== undefined)
        return refused(`${malformation.field} ${malformation.problem}`);
    }
    return { kind: 'transfer', transfer, accounts };
  }

  /** What the mapping gives it, and its own. */
  private referencesOf({ row }: CsvRow, id: string | undefined): References {
    const { reference } = this.mapping.row;
    if (reference === undefined) return { given: undefined, own: undefined };
    const own = id === undefined ? undefined : this.names.referenceOf(id);
    const given = reference === 'own' || row === undefined ? '' : reference.render(row);
    return { given: given === '' || given === own ? undefined : given, own };
  }

  /** Of rows that leave out who is meant, all would go to one account without a name. */
  private accountFault(row: Row, names: readonly [string, string]): string | undefined {
    const templates = names.map((name) => (this.mapping.accounts[name] as AccountMapping).id);
    for (const [index, template] of templates.entries())
      if (template.isEmptyIn(row))
        return `${template.columns.join(', ')}: the id of the account ${names[index] ?? ''} is empty`;
    const [debited, credited] = templates.map((template) => template.render(row));
    if (debited !== credited) return undefined;
    const columns = templates.flatMap((template) => template.columns);
    const place = columns.length === 0 ? '' : `${columns.join(', ')}: `;
    return `${place}the accounts ${names.join(' and ')} are both ${debited ?? ''}, and nothing moves`;
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

function signOf({ negative }: SignedAmount): Sign {
  return negative ? 'negative' : 'positive';
}

/** Whatever the amount is, the row moves no money. */
function mayBeAnyAmount({ sign, transfer }: Rule): boolean {
  return sign === undefined && transfer === undefined;
}

/** What a row leaves empty is left out. Where its hash is the same, so is this. */
function rendered(templates: Readonly<Record<string, Template>>, row: Row): Record<string, string> {
  const entries = Object.entries(templates).map(([key, template]) => [
    key,
    withLineFeeds(template.render(row)),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== '')) as Record<string, string>;
}

function refused(reason: string): Refusal {
  return { kind: 'refused', reason };
}
