import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import type { ServiceClient } from '../service/service-client.js';
import { type BatchSink, KnownAccounts } from './batch.js';
import { CheckSink } from './check-sink.js';
import { type CsvFile, fromItsEnd, openCsv } from './csv-rows.js';
import { assertWritable, placeOf, refuseFilesTwice } from './import-files.js';
import { ImportLock } from './import-lock.js';
import { ImportNote, type ImportProgress, notedReadings } from './import-note.js';
import { ImportError } from './import.errors.js';
import type { ImportOptions } from './import-options.js';
import { type ImportResult, ImportRun } from './import-run.js';
import { type Mapping, columnsOf, parseMapping } from './mapping.js';
import { Poster } from './poster.js';
import { RejectsFile, isKeptPath, keptPathsOf } from './rejects-file.js';
import { withoutRejectColumns } from './rejects-format.js';
import { otherId } from './other-ids.js';
import { ROW_TOKENS } from './row-identity.js';
import { RowMapper } from './row-mapper.js';

/** How far a job is: bytes tell how much is left, rows how fast it is. */
export interface JobProgress {
  readonly rows: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface JobListener {
  readonly onProgress: (progress: JobProgress) => void;
  readonly onNote: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** A restore under way, or a removal of answers, each costs one. */
const PASSES_MAX = 10;
/** Of the name of each note beside its file. */
const NOTE_END = '.progress.json';

/** An import with everything that belongs to it: where it goes on, where it posts, and where it puts what was not taken. */
export class ImportJob {
  readonly rejectsPath: string;
  private readonly known = new KnownAccounts();
  private readonly poster: Poster;
  private readonly sink: BatchSink;
  private readonly note: ImportNote;

  constructor(
    private readonly options: ImportOptions,
    private readonly mapping: Mapping,
    client: ServiceClient,
    private readonly listener: JobListener,
  ) {
    const { csv, ledger, check = false } = options;
    const beside = `${options.named ?? csv}.${ledger}.${mapping.name}${check ? '.check' : ''}`;
    this.rejectsPath = options.rejects ?? `${beside}.rejects.csv`;
    this.poster = new Poster(client, ledger, this.known);
    this.sink = check ? new CheckSink(this.known) : this.poster;
    this.note = new ImportNote(
      options.progress ?? beside + NOTE_END,
      identityOf(options, mapping),
      check ? undefined : { ledger, name: mapping.name },
      (reason) => listener.onNote(`no note of the progress can be kept: ${reason}`),
    );
  }

  /**
   * Throws `IMPORT_CSV_INVALID`, `IMPORT_REFUSED`, `SERVICE_UNREACHABLE`; rows before that may have been posted, and a job that is started again goes
   * on behind them. Throws `IMPORT_OPTION_INVALID` and `IMPORT_RUNNING` before it changes anything.
   */
  async run(): Promise<ImportResult> {
    // First: of a file that is not there nothing else is wrong.
    statSync(this.options.csv);
    this.refuseFilesTwice();
    // Before a row is posted: what becomes of it could not be told.
    assertWritable(this.rejectsPath, '--rejects');
    assertWritable(this.note.path, '--progress');
    const locks: ImportLock[] = [];
    try {
      for (const path of this.lockPaths) locks.push(ImportLock.take(path));
      await this.refuseOtherIds();
      return await this.runPasses();
    } finally {
      for (const lock of locks) lock.release();
    }
  }

  private async runPasses(): Promise<ImportResult> {
    for (let pass = 1; ; pass++) {
      try {
        return await this.runOnce();
      } catch (error) {
        if (errorCode(error) !== 'IMPORT_HISTORY_CHANGED' || pass === PASSES_MAX) throw error;
        this.known.forget();
        this.listener.onNote(`${errorMessage(error)}; looking at every row again, from row 1`);
      }
    }
  }

  private async runOnce(): Promise<ImportResult> {
    const file = await this.open();
    try {
      return await this.runOn(file);
    } finally {
      await file.close();
    }
  }

  private async runOn(file: CsvFile): Promise<ImportResult> {
    const rejects = this.rejectsOf(file);
    this.note.readAs({ mapping: this.mapping.text, encoding: file.encoding });
    const noted = this.notedProgress(rejects);
    if (this.options.check !== true) await this.poster.openLedger(this.mapping.asset);
    const from = await this.confirmed(noted);
    const resumed = from === undefined ? undefined : await this.pass(file, rejects, from);
    const result = resumed ?? (await this.passFromStart(file, rejects, from));
    if (result.finished) this.tellOfKept(rejects.releaseKept());
    return result;
  }

  /** What an earlier run posted is recognised by its keys. */
  private async passFromStart(
    file: CsvFile,
    rejects: RejectsFile,
    disbelieved: ImportProgress | undefined,
  ): Promise<ImportResult> {
    const { check, rejects: chosen } = this.options;
    const noted = this.note.read()?.rejects;
    // First: it tells of the rejects that were, and the first of the new ones would not be as it says.
    this.note.begin();
    // Of a check only the last one counts: it posts nothing, so nothing else tells of it. What somebody may have edited stays.
    const isUnedited = noted?.bytes === rejects.bytes && rejects.isAsNoted(noted);
    if (check === true && chosen === undefined && isUnedited) rejects.remove();
    rejects.rewind(0);
    const again = disbelieved === undefined ? file : await this.open();
    const result = await this.pass(again, rejects, undefined);
    if (result === undefined) throw new Error('a pass without a note cannot contradict one');
    return result;
  }

  private tellOfKept(paths: readonly string[]): void {
    if (paths.length > 0)
      this.listener.onNote(`what earlier runs did not take is kept in ${paths.join(', ')}`);
  }

  /** A row that is posted is known by its id, so what an earlier run has posted must have the same one now. */
  private async refuseOtherIds(): Promise<void> {
    const { csv, ledger } = this.options;
    const owner = { ledger, name: this.mapping.name };
    const noted = this.notesOfPostings().flatMap((path) =>
      notedReadings(path, owner).map((reading) => ({
        ...{ path, hasPosted: reading.hasPosted, encoding: reading.encoding },
        mapping: parseMapping(path, reading.mapping, true),
      })),
    );
    const own = noted.filter(({ path }) => path === this.notePath);
    const ofRejects = noted.filter(({ path, hasPosted }) => path !== this.notePath && hasPosted);
    const mendedUnder = ofRejects.map(({ mapping }) => mapping);
    const open = (mapping: Mapping): Promise<CsvFile> => this.open(mapping);
    // A reject has its id from the file, however it is saved since. Where nobody knows how that was read, its rejects may tell.
    for (const { path, hasPosted, ...reading } of own.length > 0 ? own : noted) {
      if (!hasPosted && ofRejects.length === 0) continue;
      const found = await otherId({ ...reading, mendedUnder }, this.mapping, { ledger, open });
      if (found === undefined) continue;
      const { line, changes } = found;
      throw new ImportError(
        'IMPORT_OPTION_INVALID',
        `${csv}, line ${line}: the row may be posted already, and would be posted once more: ${changes.join(', ')}. Put that back, and mend what was not taken in the rejects file; or reverse what is posted, and import the file with another --name. ${path} says how rows were read: remove it only if none of this file is posted`,
        { file: csv, line },
      );
    }
  }

  /** Of an import, also where this is a check. */
  private get notePath(): string {
    const { csv, named = csv, progress } = this.options;
    return progress ?? this.beside(named) + NOTE_END;
  }

  private beside(file: string): string {
    return `${file}.${this.options.ledger}.${this.mapping.name}`;
  }

  /** That of this file, and those of its rejects, also of those that were kept, of their rejects, and so on. */
  private notesOfPostings(): readonly string[] {
    const { csv, named = csv, rejects } = this.options;
    const first = rejects ?? `${this.beside(named)}.rejects.csv`;
    const notes = [this.notePath, this.beside(first) + NOTE_END];
    // It grows: whatever was imported has rejects of its own.
    const written = new Set([first, `${this.beside(first)}.rejects.csv`]);
    for (const path of written)
      for (const file of this.importedFrom(path)) {
        notes.push(this.beside(file) + NOTE_END);
        written.add(`${this.beside(file)}.rejects.csv`);
      }
    return [...new Set(notes)];
  }

  /** What of a rejects file, and of those that were kept of it, is imported as the notes say; the files themselves may have gone. */
  private importedFrom(rejects: string): readonly string[] {
    const end = this.beside('') + NOTE_END;
    const directory = dirname(rejects);
    return readdirSync(directory)
      .filter((name) => name.endsWith(end))
      .map((name) => join(directory, name.slice(0, -end.length)))
      .filter((file) => basename(file) === basename(rejects) || isKeptPath(rejects, file));
  }

  private async open(mapping = this.mapping): Promise<CsvFile> {
    const { csv } = this.options;
    const file = await openCsv(csv, mapping.csv, columnsOf(mapping));
    const token = ROW_TOKENS.find(
      (name) => file.columns.includes(name) && mapping.row.id.columns.includes(name),
    );
    if (token === undefined) {
      const own = withoutRejectColumns(file, mapping.csv);
      // Rejects were written in the order in which their rows were taken.
      const isReversed = own === file && mapping.csv.order === 'newest-first';
      return isReversed ? fromItsEnd(file) : own;
    }
    await file.close();
    throw new ImportError(
      'IMPORT_CSV_INVALID',
      `${csv}: in row.id, {${token}} is no column: the one that is called so needs another name`,
      { file: csv },
    );
  }

  private rejectsOf(file: CsvFile): RejectsFile {
    return new RejectsFile(this.rejectsPath, file.columns, { ...this.mapping.csv, ...file });
  }

  private get lockPaths(): readonly string[] {
    return [this.note.path, this.rejectsPath].map((path) => `${path}.lock`);
  }

  private refuseFilesTwice(): void {
    const { csv, mapping, named } = this.options;
    const others = [this.note.path, this.note.temporaryPath, ...this.lockPaths];
    const kept = others.find((path) => isKeptPath(this.rejectsPath, path));
    if (kept !== undefined)
      throw new ImportError(
        'IMPORT_OPTION_INVALID',
        `${kept} is what a kept rejects file of ${this.rejectsPath} is called: name another file with --progress`,
        { file: kept },
      );
    // Also where it is not kept yet: it would come to be one of them, which are removed when they come again.
    if (named === undefined && isKeptPath(this.rejectsPath, placeOf(csv)))
      throw new ImportError(
        'IMPORT_OPTION_INVALID',
        `${csv} is what a kept rejects file of ${this.rejectsPath} is called: name another file with --rejects`,
        { file: csv },
      );
    refuseFilesTwice(
      [
        ...(named === undefined ? [{ what: 'the CSV file', path: csv }] : []),
        { what: 'the mapping', path: mapping },
      ],
      [
        { what: 'the rejects file', path: this.rejectsPath },
        ...keptPathsOf(this.rejectsPath).map((path) => ({ what: 'the kept rejects file', path })),
        { what: 'the note of the progress', path: this.note.path },
        { what: 'the new note of the progress', path: this.note.temporaryPath },
        ...this.lockPaths.map((path) => ({ what: 'the lock of the import', path })),
      ],
    );
  }

  /** What the note says, if it may be true. */
  private notedProgress(rejects: RejectsFile): ImportProgress | undefined {
    if (!rejects.isOurs())
      throw new ImportError(
        'IMPORT_OPTION_INVALID',
        `${rejects.path} is no rejects file, and would be replaced: name another file with --rejects, or move it away`,
        { file: rejects.path },
      );
    const noted = this.note.read();
    if (noted === undefined || (rejects.bytes === 0 && noted.rejects.bytes > 0)) return undefined;
    if (rejects.isAsNoted(noted.rejects)) return noted.progress;
    throw new ImportError(
      'IMPORT_OPTION_INVALID',
      `${rejects.path} was edited since an import wrote it, and is not overwritten: import it with another --attempt, or move it away`,
      { file: rejects.path },
    );
  }

  /** An answer that still stands where it stood in the log has everything before it that it had: no restore has gone behind it. */
  private async confirmed(
    progress: ImportProgress | undefined,
  ): Promise<ImportProgress | undefined> {
    const newest = progress?.newest;
    return newest !== undefined && (await this.sink.confirms(newest)) ? progress : undefined;
  }

  private pass(
    file: CsvFile,
    rejects: RejectsFile,
    from: ImportProgress | undefined,
  ): Promise<ImportResult | undefined> {
    const { known, sink, note } = this;
    const { attempt, batch, csv, ledger } = this.options;
    const bytesTotal = statSync(csv).size;
    const parts = {
      mapper: new RowMapper(this.mapping, ledger, attempt),
      ...{ known, sink, note, rejects },
      commandsMax: batch,
      signal: this.listener.signal,
      onProgress: (rows: number, bytes: number) =>
        this.listener.onProgress({ rows, bytes, bytesTotal }),
    };
    return new ImportRun(parts, file).import(from);
  }
}

/** With another ledger, mapping or attempt, the same rows are other commands. */
function identityOf({ ledger, attempt, asset }: ImportOptions, { name, text }: Mapping): string {
  return createHash('sha256')
    .update(JSON.stringify([ledger, name, attempt, asset]))
    .update(text)
    .digest('hex');
}
