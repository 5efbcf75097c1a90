import { Batch, type BatchSink, type KnownAccounts } from './batch.js';
import type { CsvFile, CsvRow } from './csv-rows.js';
import { type ImportNote, type ImportProgress, RowChain } from './import-note.js';
import type { Reject, RejectsFile } from './rejects-file.js';
import type { MappedRow, RowMapper } from './row-mapper.js';
import { EMPTY_TALLY, type Tally, addTally } from './tally.js';
import { type Witness, laterOf } from './witness.js';

export interface ImportParts {
  readonly mapper: RowMapper;
  readonly sink: BatchSink;
  readonly known: KnownAccounts;
  readonly rejects: RejectsFile;
  readonly note: ImportNote;
  /** Most commands in one batch. */
  readonly commandsMax: number;
  readonly signal: AbortSignal;
  readonly onProgress: (rows: number, bytes: number) => void;
}

export interface ImportResult {
  readonly finished: boolean;
  readonly rows: number;
  /** Rows that an earlier run was done with, by its note. */
  readonly resumedAfter: number;
  readonly tally: Tally;
}

/**
 * One pass over the rows of a file. Rows go out in their order, one batch at a time: a floor must see earlier rows first. Between
 * two batches everything before is settled, and only there a note of the progress is true.
 */
export class ImportRun {
  private readonly chain = new RowChain();
  private rows = 0;
  private newest: Witness | undefined;
  private tally = EMPTY_TALLY;
  private refused: Reject[] = [];
  private batch: Batch;

  constructor(private readonly parts: ImportParts) {
    this.batch = this.emptyBatch();
  }

  /**
   * `from` is where an earlier run stopped. Undefined when the file is not the one that it is about: then nothing was posted. Throws what
   * the sink throws; what was settled before is noted.
   */
  async import(file: CsvFile, from: ImportProgress | undefined): Promise<ImportResult | undefined> {
    const { signal, note, onProgress } = this.parts;
    try {
      for await (const row of file.rows) {
        if (signal.aborted) break;
        if (from === undefined || this.rows >= from.rows) await this.take(row);
        else if (!this.skip(row, from)) return undefined;
        onProgress(this.rows, row.bytes);
      }
      if (!signal.aborted) {
        if (this.rows < (from?.rows ?? 0)) return undefined;
        await this.settle();
        note.remove();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      note.flush();
    }
    return {
      finished: !signal.aborted,
      rows: this.rows,
      resumedAfter: from?.rows ?? 0,
      tally: this.tally,
    };
  }

  /** Past a row that an earlier run was done with. False when, after the last of them, they are not the same rows. */
  private skip(row: CsvRow, from: ImportProgress): boolean {
    this.count(row);
    if (this.rows < from.rows) return true;
    if (this.chain.digest() !== from.chain) return false;
    this.tally = from.tally;
    this.newest = from.newest;
    this.batch = this.emptyBatch();
    this.parts.rejects.rewind(from.rejectsBytes);
    return true;
  }

  private async take(row: CsvRow): Promise<void> {
    const mapped = this.parts.mapper.map(row);
    if (mapped.kind === 'transfer' && !this.batch.canTake(mapped)) await this.settle();
    this.count(row);
    this.enqueue(row, mapped);
  }

  private count({ fields }: CsvRow): void {
    this.chain.add(fields);
    this.rows++;
  }

  private enqueue({ line, fields }: CsvRow, mapped: MappedRow): void {
    if (mapped.kind === 'skipped') {
      this.tally = addTally(this.tally, { skipped: 1 });
    } else if (mapped.kind === 'refused') {
      this.refused.push({ line, fields, reason: mapped.reason });
    } else {
      this.batch.add({ line, fields, mapped });
    }
  }

  /** Posts what waits. Afterwards every row so far is done with, and a note may say so. */
  private async settle(): Promise<void> {
    if (this.batch.rows.length > 0) {
      const { rejects, newest, ...counts } = await this.parts.sink.post(this.batch);
      this.newest = laterOf(this.newest, newest);
      this.tally = addTally(this.tally, counts);
      this.refused.push(...rejects);
      this.batch = this.emptyBatch();
    }
    this.tally = addTally(this.tally, { rejected: this.refused.length });
    this.parts.rejects.add(this.refused.sort((one, other) => one.line - other.line));
    this.refused = [];
    this.parts.note.take({
      rows: this.rows,
      chain: this.chain.digest(),
      ...(this.newest === undefined ? undefined : { newest: this.newest }),
      rejectsBytes: this.parts.rejects.bytes,
      tally: this.tally,
    });
  }

  private emptyBatch(): Batch {
    return new Batch(this.parts.commandsMax, this.parts.known, this.newest);
  }
}
