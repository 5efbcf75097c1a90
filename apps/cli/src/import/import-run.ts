import { errorCode } from '@holdfast/kernel';
import { Batch, type BatchSink, type KnownAccounts } from './batch.js';
import type { CsvFile, CsvRow } from './csv-rows.js';
import { type ImportNote, type ImportProgress, RowChain } from './import-note.js';
import type { Reject, RejectsFile } from './rejects-file.js';
import { hashOf, isTaken, takenId } from './row-identity.js';
import type { MappedRow, RowMapper } from './row-mapper.js';
import { SeenRows } from './seen-rows.js';
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

/** Rows that are not taken and wait to be written, so that memory does not grow with a file of which none is. */
const REFUSED_MAX = 1_000;

/**
 * One pass over the rows of a file. Rows go out in their order, one batch at a time: a floor must see earlier rows first. Between
 * two batches everything before is settled, and only there a note of the progress is true.
 */
export class ImportRun {
  private readonly seen = new SeenRows();
  private readonly chain: RowChain;
  private rows = 0;
  private newest: Witness | undefined;
  private tally = EMPTY_TALLY;
  private refused: Reject[] = [];
  private batch: Batch;

  constructor(
    private readonly parts: ImportParts,
    private readonly file: CsvFile,
  ) {
    this.chain = new RowChain(file.columns);
    this.batch = this.emptyBatch();
  }

  /**
   * Once. `from` is where an earlier run stopped. Undefined when the file is not the one that it is about: then nothing was posted. Throws what
   * the sink throws, and `IMPORT_CSV_INVALID` behind the rows that could be read; what was settled before is noted.
   */
  async import(from: ImportProgress | undefined): Promise<ImportResult | undefined> {
    const { signal, note, rejects } = this.parts;
    try {
      if (!(await this.pass(from))) return undefined;
      if (!signal.aborted) {
        await this.settle();
        note.finish(rejects.state, this.tally);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.seen.close();
      note.flush();
    }
    return {
      finished: !signal.aborted,
      rows: this.rows,
      resumedAfter: from?.rows ?? 0,
      tally: this.tally,
    };
  }

  /** Over the rows up to the end, or until it is told to stop. False when they are not those that the note is about. */
  private async pass(from: ImportProgress | undefined): Promise<boolean> {
    const { signal, onProgress } = this.parts;
    const passedOver = from?.rows ?? 0;
    try {
      for await (const row of this.file.rows) {
        if (signal.aborted) return true;
        const mapped = this.mapped(row);
        if (from === undefined || this.rows >= passedOver) await this.take(row, mapped);
        else if (!this.skip(row, from)) return false;
        onProgress(this.rows, row.bytes);
      }
    } catch (error) {
      if (errorCode(error) === 'IMPORT_CSV_INVALID' && this.rows > passedOver) await this.settle();
      throw error;
    }
    return signal.aborted || this.rows >= passedOver;
  }

  /** Of each row, also of one that is passed over: later ones may be equal, or have its id or its reference. */
  private mapped(row: CsvRow): MappedRow {
    const { mapper } = this.parts;
    const occurrence = mapper.countsRows ? this.seen.occurrence(hashOf(row.fields)) : 1;
    const mapped = mapper.map(row, occurrence);
    if (mapped.kind === 'skipped') return mapped;
    const { id, givenReference } = mapped;
    // Both of a refused row, too: once it is mended it must not be taken for a later one that was posted.
    const sameId = this.sameName('id', id, row.line);
    const reason = sameId ?? this.sameName('reference', givenReference, row.line);
    // Under the id of the other it would be taken for that one.
    const own = id === undefined || isTaken(id) || sameId === undefined ? id : takenId(id);
    if (mapped.kind === 'refused') return { ...mapped, id: own };
    return reason === undefined ? mapped : { kind: 'refused', id: own, givenReference, reason };
  }

  private sameName(
    what: 'id' | 'reference',
    name: string | undefined,
    line: number,
  ): string | undefined {
    const earlier = name === undefined ? undefined : this.seen.earlierLine(what, name, line);
    return earlier === undefined
      ? undefined
      : `lines ${earlier} and ${line} have one ${what}, ${JSON.stringify(name)}`;
  }

  /** Past a row that an earlier run was done with. False when, after the last of them, they are not the same rows. */
  private skip(row: CsvRow, from: ImportProgress): boolean {
    this.count(row);
    if (this.rows < from.rows) return true;
    if (this.chain.digest() !== from.chain) return false;
    this.tally = from.tally;
    this.newest = from.newest;
    this.batch = this.emptyBatch();
    this.parts.rejects.rewind(from.rejects.bytes);
    return true;
  }

  private async take(row: CsvRow, mapped: MappedRow): Promise<void> {
    const isFull = mapped.kind === 'transfer' && !this.batch.canTake(mapped);
    if (isFull || this.refused.length === REFUSED_MAX) await this.settle();
    this.count(row);
    this.enqueue(row, mapped);
  }

  private count({ fields, givenId }: CsvRow): void {
    this.chain.add(givenId === undefined ? fields : [...fields, givenId]);
    this.rows++;
  }

  private enqueue(row: CsvRow, mapped: MappedRow): void {
    const place = this.rows;
    if (mapped.kind === 'skipped') {
      this.tally = addTally(this.tally, { skipped: 1 });
    } else if (mapped.kind === 'refused') {
      this.refused.push({ place, row, id: mapped.id, reason: mapped.reason });
    } else {
      this.batch.add({ place, row, mapped });
    }
  }

  /** Posts what waits. Afterwards every row so far is done with, and a note may say so. */
  private async settle(): Promise<void> {
    if (this.batch.rows.length > 0) {
      this.parts.note.tellPosting(this.parts.rejects.state);
      const { rejects, newest, ...counts } = await this.parts.sink.post(this.batch);
      this.newest = laterOf(this.newest, newest);
      this.tally = addTally(this.tally, counts);
      this.refused.push(...rejects);
      this.batch = this.emptyBatch();
    }
    this.tally = addTally(this.tally, { rejected: this.refused.length });
    this.parts.rejects.add(this.refused.sort((one, other) => one.place - other.place));
    this.refused = [];
    this.parts.note.take({
      rows: this.rows,
      chain: this.chain.digest(),
      ...(this.newest === undefined ? undefined : { newest: this.newest }),
      rejects: this.parts.rejects.state,
      tally: this.tally,
    });
  }

  private emptyBatch(): Batch {
    return new Batch(this.parts.commandsMax, this.parts.known, this.newest);
  }
}
