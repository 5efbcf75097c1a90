import {
  appendFileSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join, parse } from 'node:path';
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

  /**
   * As it was at that moment of an earlier run. What came after it may never come again: it may be that run's only record of what was refused, or somebody's work.
   * So the file as it is stays beside it, `rows.rejects.csv` as `rows.rejects.1.csv`.
   */
  rewind(bytes: number): void {
    if (this.bytes <= bytes) return;
    const kept = this.keptPath(this.keptPaths().length + 1);
    if (bytes === 0) {
      renameSync(this.path, kept);
    } else {
      copyFileSync(this.path, kept, constants.COPYFILE_EXCL);
      truncateSync(this.path, bytes);
    }
  }

  /** Lets go of every file that was kept and has come again whole; returns the paths of the others. */
  releaseKept(): readonly string[] {
    return this.keptPaths().filter((path) => {
      const repeated = this.bytes > 0 && beginsWith(this.path, path);
      if (repeated) rmSync(path);
      return !repeated;
    });
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

  /** Of earlier runs, in their order. */
  private keptPaths(): readonly string[] {
    const paths: string[] = [];
    while (existsSync(this.keptPath(paths.length + 1))) paths.push(this.keptPath(paths.length + 1));
    return paths;
  }

  private keptPath(number: number): string {
    const { dir, name, ext } = parse(this.path);
    return join(dir, `${name}.${number}${ext}`);
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

const COMPARED_BYTES = 64 * 1024;

function beginsWith(path: string, beginning: string): boolean {
  const [whole, part] = [openSync(path, 'r'), openSync(beginning, 'r')];
  try {
    const [one, other] = [Buffer.alloc(COMPARED_BYTES), Buffer.alloc(COMPARED_BYTES)];
    for (let at = 0; ; at += COMPARED_BYTES) {
      const bytes = readSync(part, other, 0, COMPARED_BYTES, at);
      if (bytes === 0) return true;
      if (readSync(whole, one, 0, bytes, at) < bytes) return false;
      if (one.compare(other, 0, bytes, 0, bytes) !== 0) return false;
    }
  } finally {
    closeSync(whole);
    closeSync(part);
  }
}
