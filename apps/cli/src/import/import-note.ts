import { type Hash, createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { ImportError } from './import.errors.js';
import { type RejectsState, sync } from './rejects-file.js';
import type { Tally } from './tally.js';
import type { Witness } from './witness.js';

/** How far an import has come. */
export interface ImportProgress {
  /** Rows of the file that are done with, posted or not. */
  readonly rows: number;
  /** Over the content of those rows: a file that was edited is not skipped into. */
  readonly chain: string;
  /** Of what these rows and their accounts were answered, what stands last in the log: where it still stands, all of it does. */
  readonly newest?: Witness;
  readonly rejects: RejectsState;
  readonly tally: Tally;
}

/** How rows were read: read otherwise, they may have other ids. */
export interface Reading {
  /** The text of the mapping. */
  readonly mapping: string;
  /** As iconv-lite calls it: a byte order mark may have decided it. */
  readonly encoding: string;
  /** Whether rows are posted, or may be; otherwise all are rejects, which have ids too. */
  readonly hasPosted: boolean;
}

/** Whose rows they are: both stand in their keys. */
export interface RowsOwner {
  readonly ledger: string;
  readonly name: string;
}

interface Posting extends RowsOwner {
  /** All under which rows were posted, or may have been. */
  readonly readings: readonly Reading[];
}

/** What stands in a note. */
export interface NotedImport {
  /** Of the same import: ledger, mapping and attempt. */
  readonly progress: ImportProgress | undefined;
  /** As the run left it, whatever import it was. */
  readonly rejects: RejectsState;
}

interface NoteText extends NotedImport {
  readonly version: number;
  readonly identity: string;
  /** Undefined while no row is posted or refused. */
  readonly posting?: Posting;
}

const VERSION = 9;
/** What the file is, to whoever finds it, and to an import that would replace it. */
const KIND = 'progress of holdfast import';
const WRITE_MILLIS_MIN = 250;
const NO_REJECTS = { bytes: 0, digest: createHash('sha256').digest('hex') };

/**
 * A file that notes how far an import has come, what its rejects file was, and how its rows were read. The first only saves time: what makes an import exact are the keys of its rows, so one that does
 * not fit is not believed, and every row is looked at again. The last keeps a row that is read otherwise later from being posted under another key; without it nobody knows.
 */
export class ImportNote {
  private pending: ImportProgress | undefined;
  private writtenAt = 0;
  private unwritable = false;
  /** Of the runs before, … */
  private earlier: readonly Reading[] = [];
  /** By the file as it is. */
  private told: readonly Reading[] = [];
  /** … and of this one, which the note tells once rows are posted or refused. */
  private own: Omit<Reading, 'hasPosted'> | undefined;
  private tellsPosting = false;
  private hasRejects = false;

  constructor(
    readonly path: string,
    /** Names the ledger and the mapping: with others, the same rows make other commands. */
    private readonly identity: string,
    /** Undefined for a check, which posts nothing. */
    private readonly owner: RowsOwner | undefined,
    private readonly onUnwritable: (reason: string) => void,
  ) {}

  /** Where it is written before it has its name. */
  get temporaryPath(): string {
    return `${this.path}.tmp`;
  }

  /**
   * Undefined when there is none. Lets go of one that was not written to its end. Throws `IMPORT_OPTION_INVALID` for a file that is no note, or the
   * note of other rows: it would be overwritten.
   */
  read(): NotedImport | undefined {
    const text = textOf(this.path);
    const note = noteOf(text);
    if (text.trim() !== '' && note === undefined) throw noNote(this.path);
    if (existsSync(this.temporaryPath)) {
      if (!isNoteBegun(textOf(this.temporaryPath))) throw noNote(this.temporaryPath);
      this.change(() => rmSync(this.temporaryPath));
    }
    if (note === undefined) return undefined;
    // It would write over what keeps the rows of the other from being posted twice.
    if (note.version !== VERSION) throw noNote(this.path, 'is of another version of Holdfast');
    const { posting } = note;
    if (posting !== undefined && !isOf(posting, this.owner))
      throw noNote(this.path, `is of an import into ${posting.ledger} as ${posting.name}`);
    if (note.rejects === undefined) return undefined;
    const isOurs = note.identity === this.identity;
    this.earlier = this.owner ? readingsIn(note, this.owner) : [];
    this.told = this.earlier;
    return { progress: isOurs ? note.progress : undefined, rejects: note.rejects };
  }

  /** How the rows of this run are read. */
  readAs(reading: Omit<Reading, 'hasPosted'>): void {
    this.own = reading;
  }

  /** Of a pass from row 1: of what an earlier run left, it tells only how its rows were read. */
  begin(): void {
    this.pending = undefined;
    if (this.earlier.length > 0) this.write({ progress: undefined, rejects: NO_REJECTS });
    else this.remove();
  }

  /**
   * Before the first row is posted, and durable: without it a row that is read otherwise later would be posted once more. Throws `IMPORT_OPTION_INVALID` where it cannot be told, as
   * `take` does where there are rejects for the first time.
   */
  tellPosting(rejects: RejectsState): void {
    if (this.owner === undefined || this.tellsPosting) return;
    this.tellsPosting = true;
    const isNeeded = this.hasUntold;
    this.write({ progress: undefined, rejects });
    this.change(() => sync(dirname(this.path)), isNeeded);
  }

  /** Written now or with a later one. */
  take(progress: ImportProgress): void {
    this.pending = progress;
    this.hasRejects = progress.rejects.bytes > 0;
    if (this.hasUntold || performance.now() - this.writtenAt >= WRITE_MILLIS_MIN) this.flush();
  }

  flush(): void {
    if (this.pending === undefined) return;
    this.write({ progress: this.pending, rejects: this.pending.rejects });
    this.writtenAt = performance.now();
    this.pending = undefined;
  }

  /** Of a finished import is left what its rejects file is, so that one that is edited since is not taken for it, and how rows were read that it has posted. */
  finish(rejects: RejectsState, { posted, unknown }: Tally): void {
    this.pending = undefined;
    this.tellsPosting &&= posted + unknown > 0;
    this.hasRejects = rejects.bytes > 0;
    if (rejects.bytes > 0 || this.noted.length > 0) this.write({ progress: undefined, rejects });
    else this.remove();
  }

  private get noted(): readonly Reading[] {
    const isTold = this.owner !== undefined && (this.tellsPosting || this.hasRejects);
    const own = isTold && this.own ? [{ ...this.own, hasPosted: this.tellsPosting }] : [];
    return distinct([...this.earlier, ...own]);
  }

  /** Whether rows are posted or refused, and the file does not tell how they are read. */
  private get hasUntold(): boolean {
    return this.noted.some(
      ({ mapping, encoding, hasPosted }) =>
        !this.told.some(
          (told) =>
            told.mapping === mapping &&
            told.encoding === encoding &&
            (told.hasPosted || !hasPosted),
        ),
    );
  }

  private remove(): void {
    this.change(() => rmSync(this.path, { force: true }));
  }

  /** Whole or not at all, also after a power cut. */
  private write(noted: NotedImport): void {
    const readings = this.noted;
    const content = JSON.stringify({
      kind: KIND,
      version: VERSION,
      identity: this.identity,
      ...noted,
      ...(readings.length > 0 && { posting: { ...this.owner, readings } }),
    });
    this.change(() => {
      this.replace(`${content}\n`);
      this.told = readings;
    }, this.hasUntold);
  }

  private replace(content: string): void {
    try {
      writeFileSync(this.temporaryPath, content, { flag: 'wx', flush: true });
    } catch (error) {
      // Half of it is in the way of the next.
      if (errorCode(error) !== 'EEXIST') rmSync(this.temporaryPath, { force: true });
      throw error;
    }
    renameSync(this.temporaryPath, this.path);
  }

  /** Of what only saves time nobody needs a note. */
  private change(files: () => void, isNeeded = false): void {
    if (this.unwritable && !isNeeded) return;
    try {
      files();
    } catch (error) {
      if (isNeeded) throw unwritableNote(this.path, error);
      this.unwritable = true;
      this.onUnwritable(errorMessage(error));
    }
  }
}

/** How rows of an owner were read that may be posted, as the note at a path says; none where it is no note, or is of others. */
export function notedReadings(path: string, owner: RowsOwner): readonly Reading[] {
  return readingsIn(noteOf(textOf(path)) ?? {}, owner);
}

function readingsIn({ version, posting }: Partial<NoteText>, owner: RowsOwner): readonly Reading[] {
  return version === VERSION && posting && isOf(posting, owner) ? posting.readings : [];
}

function isOf({ ledger, name }: RowsOwner, owner: RowsOwner | undefined): boolean {
  return ledger === owner?.ledger && name === owner.name;
}

function distinct(readings: readonly Reading[]): readonly Reading[] {
  return [...new Map(readings.map((reading) => [JSON.stringify(reading), reading])).values()];
}

/** Whether it may be a note that was not written to its end. */
function isNoteBegun(text: string): boolean {
  return text.trim() === '' || text.startsWith(`{"kind":"${KIND}"`);
}

function noNote(path: string, why = 'is no note of an import'): ImportError {
  return new ImportError(
    'IMPORT_OPTION_INVALID',
    `${path} ${why}, and would be overwritten: name another file with --progress, or move it away`,
    { file: path },
  );
}

function unwritableNote(path: string, error: unknown): ImportError {
  return new ImportError(
    'IMPORT_OPTION_INVALID',
    `${path} cannot be written: ${errorMessage(error)}: without it rows would be posted once more when a changed mapping reads them otherwise; make room, or name another file with --progress`,
    { file: path },
    { cause: error },
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\0', '');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function noteOf(text: string): Partial<NoteText> | undefined {
  try {
    const note = JSON.parse(text) as Record<string, unknown> | null;
    return note?.['kind'] === KIND ? note : undefined;
  } catch {
    return undefined;
  }
}

/** A running hash over the columns and rows of a file. */
export class RowChain {
  private readonly hash: Hash = createHash('sha256');

  constructor(columns: readonly string[]) {
    this.add(columns);
  }

  add(fields: readonly (string | null)[]): void {
    this.hash.update(JSON.stringify(fields)).update('\n');
  }

  /** Up to here; more may be added. */
  digest(): string {
    return this.hash.copy().digest('hex');
  }
}
