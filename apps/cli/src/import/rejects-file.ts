import { appendFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import type { CsvFormat } from './csv-rows.js';

/** A row that was not taken, and why. */
export interface Reject {
  readonly line: number;
  readonly fields: readonly string[];
  readonly reason: string;
}

/**
 * The rows that were not taken, as a CSV file with the columns of the import and two more: where it stood and why. Once mended it can be imported
 * under another name, since a key that was refused stays refused.
 */
export class RejectsFile {
  private readonly quote: string;

  constructor(
    readonly path: string,
    private readonly columns: readonly string[],
    private readonly format: CsvFormat,
  ) {
    this.quote = format.quote === '' ? '"' : format.quote;
  }

  get bytes(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** As it was at that moment of an earlier run: what came after it comes again. */
  rewind(bytes: number): void {
    if (bytes === 0) rmSync(this.path, { force: true });
    else truncateSync(this.path, bytes);
  }

  add(rejects: readonly Reject[]): void {
    if (rejects.length === 0) return;
    const lines = rejects.map(({ line, fields, reason }) => {
      // A row with too few fields or too many keeps the columns of the others in their places.
      const aligned = this.columns.map((_, index) => fields[index] ?? '');
      return this.line([...aligned, String(line), reason]);
    });
    const header =
      this.bytes === 0 ? [this.line([...this.columns, 'import_line', 'import_reason'])] : [];
    appendFileSync(this.path, [...header, ...lines].join(''), { encoding: this.format.encoding });
  }

  private line(fields: readonly string[]): string {
    return `${fields.map((field) => this.field(field)).join(this.format.delimiter)}\n`;
  }

  private field(text: string): string {
    const { quote } = this;
    const special = [this.format.delimiter, quote, '\n', '\r'].some((mark) => text.includes(mark));
    return special ? `${quote}${text.replaceAll(quote, quote + quote)}${quote}` : text;
  }
}
