import { dirname } from 'node:path';
import { defined, errorCode } from '@holdfast/kernel';
import { ArchiveDirectory, fileOf } from './archive-directory.js';
import { type ArchivedSegment, sameSeal, type SegmentSource } from './archive-store.js';
import { throwIfCancelled, writeArchivedSegment } from './archive-writer.js';
import { describeArchived, sha256OfArchived } from './archived-segment.js';
import { type WorkOptions } from './archiving.js';
import {
  BACKUP_FILE_NAME,
  type BackupEntry,
  type BackupFile,
  type BackupManifest,
  readBackupManifest,
  writeBackupManifest,
} from './backup-manifest.js';
import { CutFile } from './cut-file.js';
import { type File, type FileSystem, writeFullyAsync } from './file-system.js';
import type { VisibleBound } from './log-cursor.js';
import { summarizeWithEnd } from './sealing.js';
import type { CatalogEntry, SegmentCatalog } from './segment-catalog.js';
import { encodeFooter } from './segment-footer.js';
import { withFile } from './segment-file.js';
import { corrupt, WalError } from './wal.errors.js';
import type { Sequence } from './wal.types.js';

export const SEGMENTS_DIRECTORY = 'segments';
export const FILES_DIRECTORY = 'files';
const LOCK = 'LOCK';
const COPY_BYTES = 1024 * 1024;

export interface BackupOptions extends WorkOptions {
  /** Files of the caller's that travel along, checksummed like the rest; they must not change meanwhile. */
  readonly files?: readonly { readonly name: string; readonly path: string }[];
}

export interface BackupReport {
  readonly logId: string;
  /** The backup holds everything from here … */
  readonly firstSequence: Sequence;
  /** … to here: what was durable when it began. */
  readonly lastSequence: Sequence;
  readonly segments: number;
  /** Those that no earlier run had copied. */
  readonly copiedSegments: number;
  /** Of their data, and of the growing segment's. */
  readonly copiedBytes: number;
  readonly files: number;
}

/** What of a log is backed up: everything up to a durable bound, which never changes again. */
export interface BackupSource {
  readonly fileSystem: FileSystem;
  readonly catalog: SegmentCatalog;
  readonly bound: VisibleBound;
  readonly logId: string;
  readonly nowMicros: number;
}

/**
 * Brings a backup up to date. What an earlier run has copied is not copied again. The file BACKUP, which says what the backup consists of, is replaced last and as a whole; what it no longer
 * names is removed after that. Crash or cancel anywhere before: the earlier backup, with some files beside it that the next run uses.
 */
export async function backUp(
  source: BackupSource,
  directory: string,
  options: BackupOptions,
): Promise<BackupReport> {
  const { fileSystem, logId } = source;
  makeDirectory(fileSystem, directory);
  const lock = lockDirectory(fileSystem, directory);
  try {
    const previous = readBackupManifest(fileSystem, directory);
    if (previous !== undefined && previous.logId !== logId)
      throw refused(directory, 'it is the backup of another log');
    const copy = new BackupCopy(source, directory, previous, options);
    return await copy.run();
  } finally {
    lock.close();
  }
}

class BackupCopy {
  private bytesDone = 0;
  private copiedSegments = 0;
  private copiedBytes = 0;
  private readonly bytesTotal: number;
  private readonly entries: readonly CatalogEntry[];

  constructor(
    private readonly source: BackupSource,
    private readonly directory: string,
    private readonly previous: BackupManifest | undefined,
    private readonly options: BackupOptions,
  ) {
    const { catalog, bound } = source;
    this.entries = catalog.all().filter(({ name }) => name.segment <= bound.segment);
    this.bytesTotal = this.entries.reduce(
      (sum, entry) => sum + (entry.dataLength ?? bound.offset),
      0,
    );
  }

  async run(): Promise<BackupReport> {
    const { directory, source } = this;
    const { fileSystem, logId, bound, nowMicros } = source;
    const store = ArchiveDirectory.open(`${directory}/${SEGMENTS_DIRECTORY}`, {
      create: true,
      fileSystem,
    });
    const segments: BackupEntry[] = [];
    for (const [at, entry] of this.entries.slice(0, -1).entries())
      segments.push(await this.sealed(store, entry, defined(this.entries[at + 1], 'a successor')));
    const newest = defined(this.entries.at(-1), 'a log has a segment');
    const tail = await this.growing(newest);
    const files = await this.files();
    const kept = this.earlier(store);
    const all = [...kept.map(entryOf), ...segments];
    const first = kept[0]?.name ?? defined(this.entries[0], 'a log has a segment').name;
    const firstSequence = first.firstSequence;
    const { timeline } = newest.header;
    const lastSequence = bound.sequence;
    // Everything that it names is durable. Crash before it is: the earlier backup counts.
    writeBackupManifest(fileSystem, directory, {
      ...{ logId, createdMicros: nowMicros, firstSequence, lastSequence, timeline },
      ...{ segments: all, tail, files },
    });
    this.removeUnnamed(all, tail, files);
    return {
      logId,
      firstSequence: firstSequence as Sequence,
      lastSequence,
      segments: all.length + 1,
      copiedSegments: this.copiedSegments,
      copiedBytes: this.copiedBytes,
      files: files.length,
    };
  }

  private async sealed(
    store: ArchiveDirectory,
    entry: CatalogEntry,
    successor: CatalogEntry,
  ): Promise<BackupEntry> {
    const { name, path, header } = entry;
    const dataLength = defined(entry.dataLength, 'the length of a sealed segment');
    const seal = successor.header.predecessor;
    const named = this.previous?.segments.find(({ file }) => file === fileOf(name));
    const present = store.segments().find((archived) => archived.path.endsWith(`/${fileOf(name)}`));
    const before = this.bytesDone;
    // An earlier run has read it back and named it: it is copied once. A later verification finds what has rotted since.
    const isCopied =
      present?.sha256 === named?.sha256 &&
      present?.header.headerCrc === header.headerCrc &&
      sameSeal(present.seal, seal);
    const source = { name, path, header, seal, dataLength, open: () => this.openFile(entry) };
    const archived = isCopied ? present : await this.put(store, source);
    this.tell(before + dataLength - this.bytesDone);
    return entryOf(archived);
  }

  private async put(store: ArchiveDirectory, source: SegmentSource): Promise<ArchivedSegment> {
    throwIfCancelled(this.options.signal);
    const archived = await store.put(source, this.putOptions());
    this.copiedSegments++;
    this.copiedBytes += source.dataLength;
    return archived;
  }

  /** The newest segment up to the bound, as if it had been finished there, under a name that says how far. */
  private async growing(entry: CatalogEntry): Promise<BackupEntry> {
    const { fileSystem, bound } = this.source;
    const { name, path, header } = entry;
    const dataLength = entry.dataLength ?? bound.offset;
    const file = `tail-${fileOf(name)}-${dataLength.toString(16).padStart(8, '0')}`;
    const target = `${this.directory}/${file}`;
    if (!fileSystem.exists(target)) {
      throwIfCancelled(this.options.signal);
      const summary = await summarizeWithEnd(this.openFile(entry), header, dataLength);
      if (summary === undefined)
        throw corrupt('a frame that was durable is damaged', {
          file: path,
          offset: 0,
          firstSequence: header.firstSequence,
        });
      const sha256 = await fileSystem.sha256(path, dataLength);
      const footer = encodeFooter({ ...summary.summary, sha256 });
      const open = (): File => new CutFile(this.openFile(entry), dataLength, footer);
      const { seal } = summary;
      const source = { name, path, header, seal, dataLength, open };
      await writeArchivedSegment(fileSystem, `${target}.tmp`, source, this.putOptions());
      await fileSystem.publish(`${target}.tmp`, target);
      this.copiedBytes += dataLength;
    }
    // Also when it was there: whoever put it may have been killed before this.
    fileSystem.syncDirectory(this.directory);
    const archived = describeArchived(fileSystem, target);
    const digest = Buffer.from(await sha256OfArchived(fileSystem, archived)).toString('hex');
    if (digest !== archived.sha256)
      throw corrupt('what was copied is not what is read back', {
        file: target,
        offset: 0,
        firstSequence: header.firstSequence,
      });
    return { file, sha256: digest };
  }

  private async files(): Promise<BackupFile[]> {
    const { fileSystem } = this.source;
    const asked = this.options.files ?? [];
    const directory = `${this.directory}/${FILES_DIRECTORY}`;
    if (asked.length > 0) makeDirectory(fileSystem, directory);
    const files: BackupFile[] = [];
    for (const { name, path } of asked) {
      throwIfCancelled(this.options.signal);
      if (!BACKUP_FILE_NAME.test(name) || name.includes('..'))
        throw refused(this.directory, `'${name}' cannot be the name of a file in it`);
      files.push({ name, ...(await copyFile(fileSystem, path, directory)) });
    }
    return files;
  }

  /**
   * Segments that the log has given up since an earlier run, and that still lead up to its beginning: what a backup has, it does not lose because retention has
   * passed over it.
   */
  private earlier(store: ArchiveDirectory): ArchivedSegment[] {
    const kept: ArchivedSegment[] = [];
    let successor = defined(this.entries[0], 'a log has a segment').header;
    for (;;) {
      const { segment } = successor;
      const before = store.segments().find(({ name }) => name.segment === segment - 1);
      const named = this.previous?.segments.some(({ file }) => before?.path.endsWith(`/${file}`));
      if (before === undefined || named !== true) return kept;
      if (!sameSeal(before.seal, successor.predecessor)) return kept;
      kept.unshift(before);
      successor = before.header;
    }
  }

  private removeUnnamed(
    segments: readonly BackupEntry[],
    tail: BackupEntry,
    files: readonly BackupFile[],
  ): void {
    const { fileSystem } = this.source;
    const remove = (directory: string, isNamed: (file: string) => boolean): void => {
      if (!fileSystem.exists(directory)) return;
      const unnamed = fileSystem.list(directory).filter((file) => !isNamed(file));
      for (const file of unnamed) fileSystem.unlink(`${directory}/${file}`);
      if (unnamed.length > 0) fileSystem.syncDirectory(directory);
    };
    const named = new Set(segments.map(({ file }) => file));
    remove(
      `${this.directory}/${SEGMENTS_DIRECTORY}`,
      (file) => !/\.walz(\.tmp)?$/.test(file) || named.has(file),
    );
    remove(this.directory, (file) => !file.startsWith('tail-') || file === tail.file);
    const digests = new Set(files.map(({ sha256 }) => sha256));
    remove(`${this.directory}/${FILES_DIRECTORY}`, (file) => digests.has(file));
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

function entryOf({ name, sha256 }: ArchivedSegment): BackupEntry {
  return { file: fileOf(name), sha256 };
}

/** Under its digest, so that what is there already is not copied again. */
async function copyFile(
  fileSystem: FileSystem,
  path: string,
  directory: string,
): Promise<{ bytes: number; sha256: string }> {
  const bytes = withFile(fileSystem, path, (file) => file.size());
  const sha256 = Buffer.from(await fileSystem.sha256(path, bytes)).toString('hex');
  const target = `${directory}/${sha256}`;
  if (!fileSystem.exists(target)) {
    await copyBytes(fileSystem, path, `${target}.tmp`, bytes);
    await fileSystem.publish(`${target}.tmp`, target);
  }
  fileSystem.syncDirectory(directory);
  const copied = Buffer.from(await fileSystem.sha256(target, bytes)).toString('hex');
  if (copied !== sha256) throw refused(directory, `${path} changed while it was copied`);
  return { bytes, sha256 };
}

async function copyBytes(
  fileSystem: FileSystem,
  from: string,
  to: string,
  bytes: number,
): Promise<void> {
  if (fileSystem.exists(to)) fileSystem.unlink(to);
  const source = fileSystem.open(from, 'read');
  const target = fileSystem.open(to, 'create');
  try {
    const chunk = Buffer.alloc(COPY_BYTES);
    for (let at = 0; at < bytes; at += chunk.length) {
      const read = await source.readAsync(
        chunk.subarray(0, Math.min(chunk.length, bytes - at)),
        at,
      );
      await writeFullyAsync(target, chunk.subarray(0, read), at);
    }
    await target.dataSyncAsync();
  } finally {
    source.close();
    target.close();
  }
}

function makeDirectory(fileSystem: FileSystem, directory: string): void {
  if (!fileSystem.exists(directory)) {
    try {
      fileSystem.makeDirectory(directory);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
  // Also when it was there: whoever made it may have been killed before this.
  fileSystem.syncDirectory(dirname(directory));
}

function lockDirectory(fileSystem: FileSystem, directory: string): File {
  const path = `${directory}/${LOCK}`;
  const lock = fileSystem.open(path, fileSystem.exists(path) ? 'write' : 'create');
  if (fileSystem.tryLock(lock)) return lock;
  lock.close();
  throw refused(directory, 'another backup is being made there');
}

export function refused(directory: string, reason: string): WalError {
  return new WalError('WAL_BACKUP_REFUSED', `${directory}: ${reason}`, { directory, reason });
}
