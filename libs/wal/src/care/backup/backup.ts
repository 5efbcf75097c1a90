import { setImmediate } from 'node:timers/promises';
import { defined, isUnreadable } from '@holdfast/kernel';
import { CutFile } from '../../disk/cut-file.js';
import { ensureDirectory, type File } from '../../disk/file-system.js';
import type { CatalogEntry } from '../../read/segment-catalog.js';
import { summarizeWithEnd } from '../../segment/sealing.js';
import { encodeFooter, readFooter } from '../../segment/segment-footer.js';
import { corrupt, throwIfCancelled } from '../../wal.errors.js';
import type { Sequence, WorkOptions } from '../../wal.types.js';
import { notFinished } from '../archive/archived-segment.js';
import { type Extent, standingIn, type StandsAt, usableFrom } from './backup-beginning.js';
import {
  type BackupSource,
  copyFile,
  type DigestedFile,
  digestFile,
  lookAtFile,
} from './backup-files.js';
import {
  BACKUP_FILE_NAME,
  type BackupEntry,
  type BackupFile,
  FILES_DIRECTORY,
  readBackupManifest,
  SEGMENTS_DIRECTORY,
  writeBackupManifest,
} from './backup-manifest.js';
import {
  copySegment,
  presentSegment,
  SEGMENT_FILE,
  segmentFileOf,
  TAIL_FILE,
  type WantedSegment,
} from './backup-segments.js';
import { claimTarget, refused, removeOurs } from './backup-target.js';
import { EarlierBackup } from './earlier-backup.js';

const OUR_FILE = /^[0-9a-f]{64}(\.tmp)?$/;

export interface BackupOptions extends WorkOptions {
  /**
   * Files of the caller's that travel along, checksummed like the rest; they may be removed meanwhile, but must not change. They replace those of earlier runs. A backup that does not begin with the
   * first record keeps those while there are none: they may be all that stands for what came before. Later on it keeps the earliest that does, as `standsAt` tells: without it, what the backup holds of the log before the next one is of no use.
   */
  readonly files?: readonly { readonly name: string; readonly path: string }[];
  /** Names of such files whose source is damaged, in place of the file: what an earlier run has of it stays. */
  readonly damagedFiles?: readonly string[];
  readonly standsAt?: StandsAt;
  /** Directories of the live data beside the log's own: no backup is made in one of them, or around one. */
  readonly apartFrom?: readonly string[];
  /**
   * What is there may go although it holds what this log does not: the end of a history that the log has left by a restore or a salvage, or a beginning that does not lead up to the log's. Refused when left out.
   */
  readonly replace?: boolean;
}

export interface BackupReport {
  readonly logId: string;
  /** The backup holds everything from here … */
  readonly firstSequence: Sequence;
  /** … to here: what was durable when it began. */
  readonly lastSequence: Sequence;
  /** A restore to this sequence or a later one is of use: the first, or where the earliest file stands that stands for what came before. Undefined where none does. */
  readonly restorableFrom: Sequence | undefined;
  readonly segments: number;
  /** Those that no earlier run had copied. */
  readonly copiedSegments: number;
  /** Of their data, and of the growing segment's. */
  readonly copiedBytes: number;
  readonly files: number;
  /** Names of files that are in the backup only as an earlier run has copied them: their source is damaged, or gone. */
  readonly keptFiles: readonly string[];
  /** Names of files that are not in the backup, because their source is damaged, cannot be read or is gone, and what an earlier run has copied is not whole any more. */
  readonly leftOut: readonly string[];
}

/**
 * Brings a backup up to date. What an earlier run has copied is not copied again: what counts is the content, by segment header, end and digest, and never the name, because a log that was restored goes on under the names
 * of the history that it left. The file BACKUP, which says what the backup consists of, is replaced last and as a whole; what it no longer names is removed after that. Crash or cancel
 * anywhere before: the earlier backup, with some files beside it, of which the next run uses what it needs and first removes the rest: the room that they take may be what it is short of.
 */
export async function backUp(
  source: BackupSource,
  directory: string,
  options: BackupOptions,
): Promise<BackupReport> {
  const { fileSystem, logId } = source;
  const lock = claimTarget(fileSystem, directory, logId, options.apartFrom ?? []);
  try {
    const manifest = readBackupManifest(fileSystem, directory);
    const earlier = new EarlierBackup(source, directory, manifest);
    return await new BackupCopy(source, directory, earlier, options).run();
  } finally {
    lock.close();
  }
}

/** A sealed segment that is to be in the backup, under this name in it. */
interface PlannedSegment {
  readonly file: string;
  readonly wanted: WantedSegment;
  /** An earlier run has read it back and named it: it is copied once. A later verification finds what has rotted since. */
  readonly isNamed: boolean;
}

class BackupCopy {
  private bytesDone = 0;
  private copiedSegments = 0;
  private copiedBytes = 0;
  private readonly bytesTotal: number;
  private readonly entries: readonly CatalogEntry[];
  private readonly damagedFiles: Set<string>;

  constructor(
    private readonly source: BackupSource,
    private readonly directory: string,
    private readonly earlier: EarlierBackup,
    private readonly options: BackupOptions,
  ) {
    const { entries, bound } = source;
    this.damagedFiles = new Set(options.damagedFiles);
    this.entries = entries;
    this.bytesTotal = this.entries.reduce(
      (sum, entry) => sum + (entry.dataLength ?? bound.offset),
      0,
    );
  }

  async run(): Promise<BackupReport> {
    const { directory, source } = this;
    const { fileSystem, logId, nowMicros } = source;
    ensureDirectory(fileSystem, this.segmentsDirectory);
    const kept = await this.earlier.leadingUp();
    this.earlier.assertContinued(
      kept[0]?.archived.name.firstSequence,
      this.options.replace ?? false,
    );
    const planned = await this.planned();
    const asked = await this.digested();
    this.removeLeftOver(planned, asked);
    const segments: BackupEntry[] = [];
    for (const segment of planned) segments.push(await this.sealed(segment));
    const newest = defined(this.entries.at(-1), 'a log has a segment');
    const { tail, lastSequence } = await this.growing(newest);
    const all = [...kept.map(({ entry }) => entry), ...segments];
    const first = kept[0]?.archived.name ?? defined(this.entries[0], 'a log has a segment').name;
    const firstSequence = first.firstSequence;
    const copiedFiles = await this.files(asked);
    const { timeline } = newest.header;
    const isEarlier = kept.length > 0 && firstSequence === this.earlier.manifest?.firstSequence;
    const timelineBefore = isEarlier
      ? this.earlier.manifest.timelineBefore
      : source.timelineBefore(firstSequence - 1);
    const extent = { firstSequence, lastSequence, timelineBefore };
    const keptFiles = await this.keptFiles(extent, copiedFiles);
    const files = [...copiedFiles, ...keptFiles];
    // Everything that it names is durable. Crash before it is: the earlier backup counts.
    writeBackupManifest(fileSystem, directory, {
      ...{ logId, createdMicros: nowMicros, ...extent, timeline },
      ...{ segments: all, tail, files },
    });
    this.removeUnnamed(all, tail, files);
    return {
      logId,
      firstSequence: firstSequence as Sequence,
      lastSequence,
      restorableFrom: usableFrom(extent, files, this.options.standsAt),
      segments: all.length + 1,
      copiedSegments: this.copiedSegments,
      copiedBytes: this.copiedBytes,
      files: files.length,
      keptFiles: keptFiles.map(({ name }) => name),
      leftOut: [...this.damagedFiles].filter((name) => !files.some((file) => file.name === name)),
    };
  }

  private async planned(): Promise<readonly PlannedSegment[]> {
    const named = new Map(
      this.earlier.manifest?.segments.map(({ sha256, file }) => [sha256, file]),
    );
    const planned: PlannedSegment[] = [];
    for (const [at, entry] of this.entries.slice(0, -1).entries()) {
      const { name, path, header } = entry;
      const successor = defined(this.entries[at + 1], 'a successor');
      const dataLength = defined(entry.dataLength, 'the length of a sealed segment');
      const seal = successor.header.predecessor;
      const source = { name, path, header, seal, dataLength, open: () => this.openFile(entry) };
      const wanted = { source, sha256: this.digestOf(entry, dataLength) };
      const known = named.get(wanted.sha256);
      const file = known ?? segmentFileOf(wanted);
      planned.push({ file, wanted, isNamed: known !== undefined });
      // Thousands of segments must not hold up the appends.
      await setImmediate();
    }
    return planned;
  }

  private async sealed({ file, wanted, isNamed }: PlannedSegment): Promise<BackupEntry> {
    const { fileSystem } = this.source;
    const before = this.bytesDone;
    const target = `${this.segmentsDirectory}/${file}`;
    const isCopied = isNamed && presentSegment(fileSystem, target, wanted) !== undefined;
    if (!isCopied) await this.put(target, wanted);
    this.tell(before + wanted.source.dataLength - this.bytesDone);
    await setImmediate();
    return { file, sha256: wanted.sha256 };
  }

  private async put(target: string, wanted: WantedSegment): Promise<void> {
    throwIfCancelled(this.options.signal);
    const { fileSystem } = this.source;
    await copySegment(fileSystem, target, wanted, this.putOptions());
    // Also when it was there: whoever put it may have been killed before this.
    await fileSystem.syncDirectoryAsync(this.segmentsDirectory);
    this.copiedSegments++;
    this.copiedBytes += wanted.source.dataLength;
  }

  /** What the segment has said of its data since it was sealed. */
  private digestOf(entry: CatalogEntry, dataLength: number): string {
    if (entry.archived !== undefined) return entry.archived.sha256;
    const file = this.openFile(entry);
    try {
      const footer = readFooter(file, dataLength);
      if (footer === undefined) throw notFinished(entry.path, entry.name.firstSequence);
      return Buffer.from(footer.sha256).toString('hex');
    } finally {
      file.close();
    }
  }

  /** The newest segment up to the bound, as if it had been finished there. */
  private async growing(
    entry: CatalogEntry,
  ): Promise<{ tail: BackupEntry; lastSequence: Sequence }> {
    const { fileSystem, bound } = this.source;
    const { name, path, header } = entry;
    const dataLength = entry.dataLength ?? bound.offset;
    throwIfCancelled(this.options.signal);
    const summary = await summarizeWithEnd(this.openFile(entry), header, dataLength);
    if (summary === undefined)
      throw corrupt('a frame that was durable is damaged', {
        file: path,
        offset: 0,
        firstSequence: header.firstSequence,
      });
    const digest = await fileSystem.sha256(path, dataLength);
    const sha256 = Buffer.from(digest).toString('hex');
    const footer = encodeFooter({ ...summary.summary, sha256: digest });
    const open = (): File => new CutFile(this.openFile(entry), dataLength, footer);
    const source = { name, path, header, seal: summary.seal, dataLength, open };
    const wanted = { source, sha256 };
    const file = `tail-${segmentFileOf(wanted)}`;
    const target = `${this.directory}/${file}`;
    const isCopied = presentSegment(fileSystem, target, wanted) !== undefined;
    await copySegment(fileSystem, target, wanted, this.putOptions());
    if (!isCopied) this.copiedBytes += dataLength;
    // Also when it was there: whoever put it may have been killed before this.
    fileSystem.syncDirectory(this.directory);
    return { tail: { file, sha256 }, lastSequence: summary.seal.lastSequence as Sequence };
  }

  private async digested(): Promise<readonly DigestedFile[]> {
    const asked: DigestedFile[] = [];
    for (const file of this.source.files) {
      throwIfCancelled(this.options.signal);
      if (!BACKUP_FILE_NAME.test(file.name) || file.name.includes('..'))
        throw refused(this.directory, `'${file.name}' cannot be the name of a file in it`);
      try {
        asked.push(await digestFile(file));
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        // A bad sector below one file is no reason to have no backup.
        this.damagedFiles.add(file.name);
      }
    }
    return asked;
  }

  private async files(asked: readonly DigestedFile[]): Promise<BackupFile[]> {
    const { fileSystem } = this.source;
    if (asked.length > 0) ensureDirectory(fileSystem, this.filesDirectory);
    for (const file of asked) {
      throwIfCancelled(this.options.signal);
      await copyFile(fileSystem, file, this.filesDirectory);
    }
    return asked.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
  }

  /**
   * Of sources that are damaged now, or of all: the copy may be the only whole one. One that cannot be read just now stays named, and a verification tells; one that has rotted or is gone is left
   * out, and the report names it. Of a log whose beginning is gone also the earliest that stands for it: the segments that it makes usable are kept too.
   */
  private async keptFiles(extent: Extent, copied: readonly BackupFile[]): Promise<BackupFile[]> {
    const lacksBeginning = extent.firstSequence > 1;
    const standing = standingIn(extent, this.options.standsAt);
    const placeOf = ({ name }: BackupFile): number => standing(name) ?? Number.MAX_SAFE_INTEGER;
    // Where the log has left the history of the earlier backup, nothing of it is worth more than what travels.
    let earliest =
      lacksBeginning && this.earlier.isContinued() ? Math.min(...copied.map(placeOf)) : 0;
    const all = lacksBeginning && copied.length === 0;
    const kept: BackupFile[] = [];
    const had = [...(this.earlier.manifest?.files ?? [])].sort((a, b) => placeOf(a) - placeOf(b));
    for (const file of had) {
      const isWanted = all || this.damagedFiles.has(file.name) || placeOf(file) < earliest;
      if (!isWanted) continue;
      const found = await lookAtFile(this.source.fileSystem, this.filesDirectory, file);
      if (found !== 'another') kept.push(file);
      else this.damagedFiles.add(file.name);
      if (found === 'whole') earliest = Math.min(earliest, placeOf(file));
    }
    return kept;
  }

  /** What runs have left that came to no BACKUP, but for what this one needs. Nothing that BACKUP names goes, once it is sure that no power cut brings back the one before it. */
  private removeLeftOver(planned: readonly PlannedSegment[], asked: readonly DigestedFile[]): void {
    const { segments = [], tail, files = [] } = this.earlier.manifest ?? {};
    this.source.fileSystem.syncDirectory(this.directory);
    this.removeUnnamed([...segments, ...planned], tail, [...files, ...asked]);
  }

  /** Only what bears a name that we give, whatever else a hand may have put here. */
  private removeUnnamed(
    segments: readonly Pick<BackupEntry, 'file'>[],
    tail: BackupEntry | undefined,
    files: readonly Pick<BackupFile, 'sha256'>[],
  ): void {
    const { fileSystem } = this.source;
    const named = new Set(segments.map(({ file }) => file));
    removeOurs(fileSystem, this.segmentsDirectory, SEGMENT_FILE, (file) => named.has(file));
    removeOurs(fileSystem, this.directory, TAIL_FILE, (file) => file === tail?.file);
    const digests = new Set(files.map(({ sha256 }) => sha256));
    removeOurs(fileSystem, this.filesDirectory, OUR_FILE, (file) => digests.has(file));
  }

  private get filesDirectory(): string {
    return `${this.directory}/${FILES_DIRECTORY}`;
  }

  private get segmentsDirectory(): string {
    return `${this.directory}/${SEGMENTS_DIRECTORY}`;
  }

  private openFile(entry: CatalogEntry): File {
    const { entry: current, file } = this.source.catalog.open(entry);
    if (current.name.generation === entry.name.generation) return file;
    file.close();
    throw refused(this.directory, 'a segment was compacted while it was copied');
  }

  private putOptions(): { signal?: AbortSignal; onBytes: (bytes: number) => void } {
    const { signal } = this.options;
    return { ...(signal !== undefined && { signal }), onBytes: (bytes) => this.tell(bytes) };
  }

  private tell(bytes: number): void {
    this.bytesDone = Math.min(this.bytesTotal, this.bytesDone + bytes);
    const { bytesDone, bytesTotal } = this;
    this.options.onProgress?.({ bytesDone, bytesTotal });
  }
}
