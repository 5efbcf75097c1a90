import { resolve } from 'node:path';
import { defined } from '@holdfast/kernel';
import { openToRead } from '../../disk/file-reading.js';
import type { File, FileSystem } from '../../disk/file-system.js';
import { ARCHIVE_BLOCK_BYTES } from '../../format/archive-format.js';
import { sameSeal } from '../../format/segment-header.js';
import { type CatalogEntry, SegmentCatalog } from '../../read/segment-catalog.js';
import type { ArchivedSegment, ArchiveStore } from '../../segment/archive-store.js';
import { corrupt, missingSegment, WalError } from '../../wal.errors.js';
import { ArchivedFile, BlockCache } from '../archive/archived-file.js';
import { describeArchived, readBlockTable, sha256OfArchived } from '../archive/archived-segment.js';
import {
  type BackupFile,
  type BackupManifest,
  FILES_DIRECTORY,
  readBackupManifest,
  SEGMENTS_DIRECTORY,
} from './backup-manifest.js';

const CACHED_BLOCKS_MAX = 32;

/** What of a backup is asked for. A time may be that of any frame: where one is given, everything is looked at. */
export interface BackupPart {
  readonly upTo?: number;
  readonly atMillis?: number;
}

/** A backup as it is read: its segments in order, behind the catalog that readers of a log use. */
export class BackupContent {
  readonly catalog: SegmentCatalog;
  /** Where the contents of its segments are read. */
  readonly store: ArchiveStore;
  /** Oldest first; the last one is the segment that grew while the backup was made. */
  readonly entries: readonly CatalogEntry[];

  private constructor(
    readonly fileSystem: FileSystem,
    readonly directory: string,
    readonly manifest: BackupManifest,
    readonly segments: readonly ArchivedSegment[],
  ) {
    this.entries = segments.map((archived) => {
      const { name, path, header, dataLength } = archived;
      return { name, path, header, dataLength, index: undefined, archived };
    });
    this.store = storeOf(fileSystem, segments);
    this.catalog = new SegmentCatalog(fileSystem, undefined, this.store);
    this.catalog.replaceAll(this.entries);
  }

  /**
   * Reads what the backup says of itself and checks that it is whole: each file there, of this log, with the digest that BACKUP names, each segment going on
   * where the one before it ends. Contents are checked when they are read. Of a part that reaches up to a sequence, what is behind the segment that holds it may be damaged, and is left away then.
   * Throws `WAL_BACKUP_DAMAGED`, `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`.
   */
  static open(fileSystem: FileSystem, backup: string, part: BackupPart = {}): BackupContent {
    const directory = resolve(backup);
    const manifest = readBackupManifest(fileSystem, directory);
    if (manifest === undefined) {
      throw new WalError('WAL_BACKUP_DAMAGED', `there is no complete backup in ${directory}`, {
        directory,
      });
    }
    const named = [
      ...manifest.segments.map((entry) => ({
        ...entry,
        path: `${directory}/${SEGMENTS_DIRECTORY}/${entry.file}`,
      })),
      { ...manifest.tail, path: `${directory}/${manifest.tail.file}` },
    ];
    const segments: ArchivedSegment[] = [];
    try {
      for (const [at, { path, sha256 }] of named.entries()) {
        if (!fileSystem.exists(path)) throw missingSegment(path, { segment: at + 1 });
        const described = describeArchived(fileSystem, path);
        if (described.sha256 !== sha256 || described.header.logId !== manifest.logId)
          throw damaged(described, 'this is not the file that BACKUP names');
        assertFollows(segments.at(-1), described);
        // First: what is of another history is no part of any.
        if (at === named.length - 1) assertEnd(manifest, described);
        segments.push(described);
      }
    } catch (error) {
      const upTo = part.atMillis === undefined ? part.upTo : undefined;
      const isThere = (segments.at(-1)?.seal.lastSequence ?? -1) >= (upTo ?? Infinity);
      if (!isThere) throw error;
    }
    const first = defined(segments[0], 'a backup has a segment');
    if (first.name.firstSequence !== manifest.firstSequence)
      throw damaged(first, 'the backup does not begin where BACKUP says');
    return new BackupContent(fileSystem, directory, manifest, segments);
  }

  pathOf({ sha256 }: BackupFile): string {
    return `${this.directory}/${FILES_DIRECTORY}/${sha256}`;
  }

  close(): void {
    this.catalog.close();
  }
}

function assertFollows(previous: ArchivedSegment | undefined, segment: ArchivedSegment): void {
  const follows =
    previous === undefined ||
    (segment.name.segment === previous.name.segment + 1 &&
      sameSeal(previous.seal, segment.header.predecessor));
  if (!follows) throw damaged(segment, 'the segment does not continue the one before it');
}

/**
 * The end is what BACKUP says of it. The chain alone does not tell the growing segments of two histories that part at a segment's border: both continue the same one. Their timelines do.
 */
function assertEnd(manifest: BackupManifest, last: ArchivedSegment): void {
  if (last.header.timeline !== manifest.timeline)
    throw damaged(last, 'the segment belongs to another history of the log than BACKUP says');
  if (last.seal.lastSequence < manifest.lastSequence)
    throw damaged(last, 'the backup ends before the place that BACKUP says');
}

/** Read-only: what an archive is for its readers. */
function storeOf(fileSystem: FileSystem, segments: readonly ArchivedSegment[]): ArchiveStore {
  const cache = new BlockCache(CACHED_BLOCKS_MAX);
  return {
    owner: undefined,
    bind: () => undefined,
    segments: () => segments,
    refresh: () => undefined,
    open: ({ path, contentBytes, name }): File => {
      const file = openToRead(fileSystem, path);
      try {
        const blocks = readBlockTable(file);
        const content = { contentBytes, blocks, firstSequence: name.firstSequence };
        return new ArchivedFile(file, { ...content, blockBytes: ARCHIVE_BLOCK_BYTES }, cache);
      } catch (error) {
        file.close();
        throw error;
      }
    },
    sha256: (segment) => sha256OfArchived(fileSystem, segment),
    put: () => Promise.reject(new Error('a backup is read here, not written')),
    close: () => Promise.resolve(),
  };
}

function damaged({ path, name }: ArchivedSegment, reason: string): WalError {
  return corrupt(reason, { file: path, offset: 0, firstSequence: name.firstSequence });
}
