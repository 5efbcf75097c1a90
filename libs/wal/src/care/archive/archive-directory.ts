import { resolve } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { openToRead } from '../../disk/file-reading.js';
import { discard, type File, type FileSystem } from '../../disk/file-system.js';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import { ARCHIVE_BLOCK_BYTES } from '../../format/archive-format.js';
import type { StoredBlock } from '../../format/block-codec.js';
import { sameSeal } from '../../format/segment-header.js';
import { formatSegmentName, parseSegmentName } from '../../format/segment-name.js';
import type {
  ArchivedSegment,
  ArchiveOwner,
  ArchiveStore,
  ArchiveWriter,
  PutOptions,
  SegmentSource,
} from '../../segment/archive-store.js';
import { readFooter } from '../../segment/segment-footer.js';
import { isOfNoUse, WalError } from '../../wal.errors.js';
import {
  MARKER,
  TITLE,
  makeArchive,
  noArchive,
  readMarker,
  writeMarker,
} from './archive-marker.js';
import { writeArchivedSegment } from './archive-writer.js';
import { ArchivedFile, BlockCache } from './archived-file.js';
import {
  describeArchived,
  notFinished,
  readBlockTable,
  sha256OfArchived,
} from './archived-segment.js';

const SUFFIX = '.walz';
/** With the epoch of who writes it; of a version that had one name for all of them, none. */
const TEMPORARY = /\.walz(?:-([0-9]+)-[0-9a-f]{16})?\.tmp$/;
const READ_ONLY = ['EROFS', 'EACCES', 'EPERM'];
/** 4 MiB of blocks for reading single records. */
const CACHED_BLOCKS_MAX = 64;
/** Tables of blocks kept: one of a 64 MiB segment has 1,025 entries. */
const TABLES_MAX = 64;

export interface ArchiveDirectoryOptions {
  /** Makes it when it is not there. Off by default: an unmounted volume is an error, not an empty archive. */
  readonly create?: boolean;
  /** For a salvage: passes over files that do not say any more what they are, and a damaged mark, instead of throwing. What only hinders a reading is thrown. */
  readonly passDamaged?: boolean;
  readonly fileSystem?: FileSystem;
}

/**
 * An archive in a directory of its own, on any file system that has hard links: a file for each segment, compressed block by block. A file gets its name when it is
 * durable and was read back, and never changes after that.
 */
export class ArchiveDirectory implements ArchiveStore {
  damaged: { readonly path: string; readonly reason: string }[] = [];
  private marked: ArchiveOwner | undefined;
  private known = new Map<string, ArchivedSegment>();
  private readonly tables = new Map<string, readonly StoredBlock[]>();
  private cache = new BlockCache(CACHED_BLOCKS_MAX);
  /** Of the directory and its mark, when what is known was read: another volume that is mounted here has another. */
  private identity: string | undefined;
  /** Of the last writer: what those before it have left was removed once. */
  private epoch = -1;

  private constructor(
    readonly directory: string,
    private readonly fileSystem: FileSystem,
    private readonly ownsFileSystem: boolean,
    private readonly passDamaged: boolean,
  ) {}

  /**
   * Opens the archive in a directory, or makes it with `create`.
   *
   * @throws `WAL_ARCHIVE_NOT_FOUND`: there is none, or a volume is not mounted.
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`, and with `create` the errors of the disk.
   */
  static open(directory: string, options: ArchiveDirectoryOptions = {}): ArchiveDirectory {
    const fileSystem = options.fileSystem ?? new NodeFileSystem();
    const path = resolve(directory);
    if (options.create === true) makeArchive(fileSystem, path);
    const { passDamaged = false } = options;
    const isOwn = options.fileSystem === undefined;
    const archive = new ArchiveDirectory(path, fileSystem, isOwn, passDamaged);
    archive.refresh();
    return archive;
  }

  /** One that was made before its mark named a log is that of the log whose segments it holds. */
  get owner(): ArchiveOwner | undefined {
    return this.marked ?? ownerBy(this.known);
  }

  bind(owner: ArchiveOwner): void {
    if (this.marked !== undefined) return;
    const named = this.owner;
    const { logId, firstSegment } = named ?? owner;
    const lines = [TITLE, `log-id ${logId}`, `first-segment ${firstSegment}`];
    try {
      // Crash before it is durable: an archive that has no owner still, and the next open of the log binds it.
      writeMarker(this.fileSystem, this.directory, lines, logId);
    } catch (error) {
      // Its segments name the owner, and nothing can be put into an archive that is read-only: the mark is for one that can be written.
      if (named === undefined || !READ_ONLY.includes(errorCode(error) ?? '')) throw error;
      return;
    }
    this.marked = { logId, firstSegment };
  }

  segments(): readonly ArchivedSegment[] {
    return newestOf(this.known);
  }

  /**
   * Files that are known already are not read again: they never change, as long as it is the same directory, and nobody copies over them. One that has become another log's, or has no owner any more, is refused, and
   * what was known stays.
   *
   * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`, and what `open` throws.
   */
  refresh(anewFrom = Infinity): void {
    this.damaged = [];
    // Of a volume that was unmounted meanwhile the directory is there still, and empty.
    const mark = this.orPass(`${this.directory}/${MARKER}`, { owner: undefined }, () =>
      readMarker(this.fileSystem, this.directory),
    );
    if (mark === undefined) throw noArchive(this.directory);
    const { owner } = this;
    const identity = this.identityNow();
    const known = identity === this.identity ? this.known : new Map<string, ArchivedSegment>();
    const found = new Map<string, ArchivedSegment>();
    for (const file of this.fileSystem.list(this.directory)) {
      const name = nameIn(file);
      if (name === undefined) continue;
      const described = name.segment < anewFrom ? known.get(file) : undefined;
      const path = `${this.directory}/${file}`;
      const archived = described ?? this.orPass(path, undefined, () => this.describe(path));
      if (archived !== undefined) found.set(file, archived);
    }
    const logId = (mark.owner ?? ownerBy(found))?.logId;
    // Mounted in the wrong place: nothing of our log is put here, and nothing leaves our log because it is here.
    if (owner !== undefined && logId !== owner.logId) throw swapped(this.directory);
    if (identity !== this.identity) {
      this.tables.clear();
      this.cache = new BlockCache(CACHED_BLOCKS_MAX);
    }
    this.identity = identity;
    this.marked = mark.owner;
    this.known = found;
  }

  private identityNow(): string {
    const [mark, directory] = this.fileSystem.ancestry(`${this.directory}/${MARKER}`);
    return `${mark} ${directory}`;
  }

  open(segment: ArchivedSegment): File {
    const { path, contentBytes, name } = segment;
    const file = openToRead(this.fileSystem, path);
    try {
      const blocks = this.tableOf(path, file);
      const content = { contentBytes, blocks, firstSequence: name.firstSequence };
      return new ArchivedFile(file, { ...content, blockBytes: ARCHIVE_BLOCK_BYTES }, this.cache);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  sha256(segment: ArchivedSegment): Promise<Uint8Array> {
    return sha256OfArchived(this.fileSystem, segment);
  }

  async put(source: SegmentSource, options: PutOptions = {}): Promise<ArchivedSegment> {
    const file = fileOf(source.name);
    const path = `${this.directory}/${file}`;
    const present = this.lookUp(file);
    this.assertSameHistory(source);
    const { writer } = options;
    const suffix = writer === undefined ? '' : `-${writer.epoch}-${writer.timeline}`;
    const temporary = `${path}${suffix}.tmp`;
    if (writer !== undefined && writer.epoch !== this.epoch) this.removeStrays(writer);
    if (present === undefined) {
      await writeArchivedSegment(this.fileSystem, temporary, source, options);
      try {
        // Crash before this: a temporary file, which the next attempt makes again. Between link and unlink: the file has its name, and it is durable.
        await this.fileSystem.publish(temporary, path);
      } catch (error) {
        discard(this.fileSystem, temporary);
        // Another writer of the same log was faster; what it has put here is compared with ours.
        if (errorCode(error) !== 'EEXIST') throw error;
      }
    }
    // Also of what was there already: whoever put it may have been killed before this.
    await this.fileSystem.syncDirectoryAsync(this.directory);
    if (this.fileSystem.exists(temporary)) this.fileSystem.unlink(temporary);
    const archived = present ?? this.describe(path);
    this.known.set(file, archived);
    await this.compare(archived, source);
    return archived;
  }

  async close(): Promise<void> {
    if (this.ownsFileSystem) await this.fileSystem.close();
  }

  /** Of writers before this one. Whoever of them is only stopped finds its file gone, and links nothing. */
  private removeStrays(writer: ArchiveWriter): void {
    for (const file of this.fileSystem.list(this.directory)) {
      const epoch = TEMPORARY.exec(file)?.[1];
      const isOlder = epoch === undefined ? TEMPORARY.test(file) : Number(epoch) < writer.epoch;
      if (!isOlder) continue;
      try {
        this.fileSystem.unlink(`${this.directory}/${file}`);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    this.epoch = writer.epoch;
  }

  /** What is in the archive under this name now. Nothing else is looked at, unless another directory is in its place: a log of many segments puts them one by one. */
  private lookUp(file: string): ArchivedSegment | undefined {
    const mark = readMarker(this.fileSystem, this.directory);
    const isOurs = mark?.owner?.logId === this.marked?.logId;
    if (!isOurs || this.identityNow() !== this.identity) this.refresh();
    const path = `${this.directory}/${file}`;
    if (!this.fileSystem.exists(path)) return undefined;
    return this.known.get(file) ?? this.describe(path);
  }

  /**
   * Another generation of the segment has another name, and its own header and digest. What its successor says of its end is the same for all generations of one history, and for no two histories.
   */
  private assertSameHistory({ name, header, seal }: SegmentSource): void {
    for (const one of this.known.values()) {
      if (one.name.segment !== name.segment) continue;
      const isSame = one.header.timeline === header.timeline && sameSeal(one.seal, seal);
      if (!isSame) throw conflict(one.path, 'is of another history of the log');
    }
  }

  /** Reads back what is there, and throws unless it is the source's content. */
  private async compare(archived: ArchivedSegment, source: SegmentSource): Promise<void> {
    const wanted = sourceDigest(source);
    const same =
      archived.sha256 === wanted &&
      archived.header.logId === source.header.logId &&
      archived.header.headerCrc === source.header.headerCrc &&
      archived.dataLength === source.dataLength &&
      sameSeal(archived.seal, source.seal);
    if (!same) throw conflict(archived.path, 'describes another content');
    let digest: Uint8Array;
    try {
      digest = await this.sha256(archived);
    } catch (error) {
      if (errorCode(error) !== 'WAL_CORRUPT') throw error;
      throw conflict(archived.path, errorMessage(error));
    }
    if (Buffer.from(digest).toString('hex') !== wanted)
      throw conflict(archived.path, 'holds another content');
  }

  /** As it stands in the file; its name must agree. */
  private describe(path: string): ArchivedSegment {
    const described = describeArchived(this.fileSystem, path);
    if (path.endsWith(`/${fileOf(described.name)}`)) return described;
    throw notFinished(path, described.name.firstSequence);
  }

  private orPass<Found, Instead>(
    path: string,
    instead: Instead,
    read: () => Found,
  ): Found | Instead {
    try {
      return read();
    } catch (error) {
      if (!this.passDamaged || !isOfNoUse(error)) throw error;
      this.damaged.push({ path, reason: errorMessage(error) });
      return instead;
    }
  }

  private tableOf(path: string, file: File): readonly StoredBlock[] {
    const known = this.tables.get(path);
    if (known !== undefined) return known;
    const table = readBlockTable(file);
    this.tables.set(path, table);
    const oldest = this.tables.keys().next().value;
    if (this.tables.size > TABLES_MAX && oldest !== undefined) this.tables.delete(oldest);
    return table;
  }
}

/** Lowest first; of several generations the highest. */
function newestOf(known: ReadonlyMap<string, ArchivedSegment>): readonly ArchivedSegment[] {
  const all = [...known.values()].sort(
    (a, b) => a.name.segment - b.name.segment || b.name.generation - a.name.generation,
  );
  return all.filter(({ name }, at) => name.segment !== all[at - 1]?.name.segment);
}

/** Of an archive whose mark names none. */
function ownerBy(known: ReadonlyMap<string, ArchivedSegment>): ArchiveOwner | undefined {
  const first = newestOf(known)[0];
  return first && { logId: first.header.logId, firstSegment: first.name.segment };
}

export function fileOf(name: Parameters<typeof formatSegmentName>[0]): string {
  return formatSegmentName(name).replace(/\.wal$/, SUFFIX);
}

function nameIn(file: string): ReturnType<typeof parseSegmentName> {
  return file.endsWith(SUFFIX)
    ? parseSegmentName(`${file.slice(0, -SUFFIX.length)}.wal`)
    : undefined;
}

function sourceDigest(source: SegmentSource): string {
  const file = source.open();
  try {
    const footer = readFooter(file, source.dataLength);
    if (footer !== undefined) return Buffer.from(footer.sha256).toString('hex');
  } finally {
    file.close();
  }
  throw notFinished(source.path, source.name.firstSequence);
}

function swapped(directory: string): WalError {
  return new WalError(
    'WAL_ARCHIVE_MISMATCH',
    `${directory} no longer holds the archive of this log; perhaps another volume is mounted there; nothing was changed`,
    { file: directory },
  );
}

function conflict(file: string, reason: string): WalError {
  return new WalError('WAL_ARCHIVE_CONFLICT', `${file} ${reason}; it was not overwritten`, {
    file,
    reason,
  });
}
