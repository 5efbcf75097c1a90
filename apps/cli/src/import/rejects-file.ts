import { type Hash, createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname, join, parse } from 'node:path';
import iconv from 'iconv-lite';
import type { CsvMarks } from './csv-records.js';
import type { CsvFile, CsvRow } from './csv-rows.js';
import { placeOf } from './import-files.js';
import { REJECT_COLUMNS } from './reject-columns.js';
import { recordText, rejectText } from './rejects-format.js';

/** A row that was not taken, and why. */
export interface Reject {
  /** Rows that come before it have lower ones. */
  readonly place: number;
  readonly row: CsvRow;
  readonly id: string | undefined;
  readonly reason: string;
}

/** What a rejects file was when somebody noted it. */
export interface RejectsState {
  readonly bytes: number;
  /** Of these bytes. */
  readonly digest: string;
}

/**
 * The rows that were not taken, as a CSV file: where each stood, its id and why, and then its text as it was read. Once mended it is imported as
 * another attempt, since a key that was refused stays refused. What is told of it is synced.
 */
export class RejectsFile {
  /** Over its bytes. */
  private hash: Hash;

  constructor(
    readonly path: string,
    private readonly columns: readonly string[],
    private readonly format: CsvMarks & Pick<CsvFile, 'encoding' | 'byteOrderMark'>,
  ) {
    this.hash = hashOfBeginning(path, this.bytes);
  }

  get bytes(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  get state(): RejectsState {
    return { bytes: this.bytes, digest: this.hash.copy().digest('hex') };
  }

  /** Whether there is nothing in it, or what an import has written, whoever has edited it since. */
  isOurs(): boolean {
    return this.bytes === 0 || this.hasColumns(this.path);
  }

  private hasColumns(path: string): boolean {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const read = readSync(file, head, 0, HEAD_BYTES, 0);
      const text = iconv.decode(head.subarray(0, read), this.format.encoding);
      return REJECT_COLUMNS.every((column) => text.includes(column));
    } finally {
      closeSync(file);
    }
  }

  /** Whether it still begins with what was noted of it. */
  isAsNoted({ bytes, digest }: RejectsState): boolean {
    return this.bytes >= bytes && hashOfBeginning(this.path, bytes).digest('hex') === digest;
  }

  /**
   * As it was at that moment of an earlier run. What came after it may never come again: it may be that run's only record of what was refused, or somebody's work.
   * So the file as it is stays beside it, `rows.rejects.csv` as `rows.rejects.1.csv`.
   */
  rewind(bytes: number): void {
    if (this.bytes <= bytes) return;
    const kept = keptPath(this.path, keptPathsOf(this.path).length + 1);
    if (bytes === 0) {
      renameSync(this.path, kept);
    } else {
      copyFileSync(this.path, kept, constants.COPYFILE_EXCL);
      sync(kept);
      truncateSync(this.path, bytes);
      sync(this.path);
    }
    sync(dirname(this.path));
    this.hash = hashOfBeginning(this.path, bytes);
  }

  remove(): void {
    rmSync(this.path, { force: true });
    this.hash = hashOfBeginning(this.path, 0);
  }

  /** Lets go of every file that was kept and has come again whole; returns the paths of the others. What no import wrote is neither. */
  releaseKept(): readonly string[] {
    const kept = keptPathsOf(this.path).filter(
      (path) => statSync(path).isFile() && this.hasColumns(path),
    );
    return kept.filter((path) => {
      const repeated = this.bytes > 0 && beginsWith(this.path, path);
      if (repeated) rmSync(path);
      return !repeated;
    });
  }

  add(rejects: readonly Reject[]): void {
    if (rejects.length === 0) return;
    const isNew = this.bytes === 0;
    const header = isNew ? [recordText([...REJECT_COLUMNS, ...this.columns], this.format)] : [];
    const lines = rejects.map(({ row, id = '', reason }) =>
      // As it was read: a field too many stays one, and is refused again until somebody mends it.
      [rejectText(row.line, id, reason, this.format), row.raw].join(this.format.delimiter),
    );
    const text = [...header, ...lines].map((line) => `${line}\n`).join('');
    const bytes = encoded(text, this.format.encoding, isNew && this.format.byteOrderMark);
    const file = openSync(this.path, 'a');
    try {
      writeWhole(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (isNew) sync(dirname(this.path));
    this.hash.update(bytes);
  }
}

/** Of earlier runs, in their order. */
export function keptPathsOf(path: string): readonly string[] {
  const paths: string[] = [];
  for (let kept = keptPath(path, 1); existsSync(kept); kept = keptPath(path, paths.length + 1))
    paths.push(kept);
  return paths;
}

/** Whether an earlier run's rejects are kept there some time. */
export function isKeptPath(path: string, other: string): boolean {
  const [{ dir, name, ext }, { dir: otherDir, base }] = [parse(path), parse(other)];
  const number = base.slice(name.length + 1, base.length - ext.length);
  return (
    placeOf(dir || '.') === placeOf(otherDir || '.') &&
    base === `${name}.${number}${ext}` &&
    /^[1-9][0-9]*$/.test(number)
  );
}

function keptPath(path: string, number: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${number}${ext}`);
}

/** The columns of an import's own are among them in any encoding. */
const HEAD_BYTES = 1024;
const READ_BYTES = 64 * 1024;

function beginsWith(path: string, beginning: string): boolean {
  const { size } = statSync(beginning);
  const [whole, part] = [path, beginning].map((each) => hashOfBeginning(each, size).digest('hex'));
  return statSync(path).size >= size && whole === part;
}

function hashOfBeginning(path: string, bytes: number): Hash {
  const hash = createHash('sha256');
  if (bytes === 0) return hash;
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(READ_BYTES);
    for (let at = 0; at < bytes;) {
      const read = readSync(file, buffer, 0, Math.min(READ_BYTES, bytes - at), at);
      if (read === 0) break;
      hash.update(buffer.subarray(0, read));
      at += read;
    }
  } finally {
    closeSync(file);
  }
  return hash;
}

/** No encoding of two bytes has a character that begins with it. */
const UNDECODABLE = Buffer.of(0xff);

/** What could not be decoded stays so: many encodings would make a question mark of it, and a row to be taken. */
function encoded(text: string, encoding: string, addBOM: boolean): Buffer {
  const whole = iconv.encode(text, encoding, { addBOM });
  if (!text.includes('\ufffd') || iconv.decode(whole, encoding).includes('\ufffd')) return whole;
  const parts = text.split('\ufffd').map((part) => iconv.encode(part, encoding, { addBOM: false }));
  return Buffer.concat(
    parts.flatMap((part, index) => (index === 0 ? [part] : [UNDECODABLE, part])),
  );
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

/** A file or a directory: what was written or renamed is so after a power cut. */
export function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
