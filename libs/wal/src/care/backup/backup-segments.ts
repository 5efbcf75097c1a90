import { withFile } from '../../disk/file-reading.js';
import { type FileSystem, orDiscard } from '../../disk/file-system.js';
import { sameSeal } from '../../format/segment-header.js';
import type { ArchivedSegment, PutOptions, SegmentSource } from '../../segment/archive-store.js';
import { corrupt, isOfNoUse, isRotten } from '../../wal.errors.js';
import { fileOf } from '../archive/archive-directory.js';
import { writeArchivedSegment } from '../archive/archive-writer.js';
import { describeArchived, readBlockTable, sha256OfArchived } from '../archive/archived-segment.js';

/** Names of segments in a backup, those of earlier versions among them, which had no digest in them. */
export const SEGMENT_FILE = /^[0-9a-f]{16}-[0-9a-f]{16}\.\d+(-[0-9a-f]{16})?\.walz(\.tmp)?$/;
export const TAIL_FILE =
  /^tail-[0-9a-f]{16}-[0-9a-f]{16}\.\d+(-[0-9a-f]{16})?\.walz(-[0-9a-f]{8})?(\.tmp)?$/;

/** A segment as it is to be in a backup: its data has this SHA-256. */
export interface WantedSegment {
  readonly source: SegmentSource;
  readonly sha256: string;
}

/**
 * The digest of the data is part of the name: two histories of a log have segments of one number, one beginning and one length, and the backup of one must stand
 * while that of the other is made beside it.
 */
export function segmentFileOf({ source, sha256 }: WantedSegment): string {
  return fileOf(source.name).replace(/\.walz$/, `-${sha256.slice(0, 16)}.walz`);
}

/** What such a name says; those of earlier versions too. */
export function firstSequenceIn(file: string): number {
  return Number.parseInt(/^(?:tail-)?[0-9a-f]{16}-([0-9a-f]{16})/.exec(file)?.[1] ?? '', 16);
}

/**
 * What stands there already, if it is what would be copied: the same segment header, the same end, the same digest, and no byte too few. `undefined` otherwise, and when nothing stands there. Its
 * content is not read.
 */
export function presentSegment(
  fileSystem: FileSystem,
  path: string,
  { source, sha256 }: WantedSegment,
): ArchivedSegment | undefined {
  const found = describedIfWhole(fileSystem, path);
  if (found === undefined) return undefined;
  try {
    const last = withFile(fileSystem, path, (file) => readBlockTable(file)).at(-1);
    const isSame =
      found.sha256 === sha256 &&
      found.dataLength === source.dataLength &&
      found.header.headerCrc === source.header.headerCrc &&
      sameSeal(found.seal, source.seal) &&
      found.storedBytes === (last?.offset ?? 0) + (last?.storedBytes ?? 0);
    return isSame ? found : undefined;
  } catch (error) {
    if (isRotten(error)) return undefined;
    throw error;
  }
}

/** What a segment that stands there says of itself; undefined when there is none, or it is rotten. */
export function describedIfWhole(
  fileSystem: FileSystem,
  path: string,
): ArchivedSegment | undefined {
  if (!fileSystem.exists(path)) return undefined;
  try {
    return describeArchived(fileSystem, path);
  } catch (error) {
    if (isOfNoUse(error)) return undefined;
    throw error;
  }
}

/**
 * Copies a segment; durable, read back and compared when it resolves. What bears its name and is not it, or cannot be read just now, is replaced as a whole: it may be what BACKUP names.
 * Crash anywhere: a temporary file, and the name with what it had or with the whole content.
 */
export async function copySegment(
  fileSystem: FileSystem,
  path: string,
  wanted: WantedSegment,
  options: PutOptions,
): Promise<ArchivedSegment> {
  const present = presentSegment(fileSystem, path, wanted);
  if (present !== undefined && (await isIntact(fileSystem, present))) return present;
  await writeArchivedSegment(fileSystem, `${path}.tmp`, wanted.source, options);
  await orDiscard(fileSystem, `${path}.tmp`, async () => {
    fileSystem.rename(`${path}.tmp`, path);
    return Promise.resolve();
  });
  const copied = presentSegment(fileSystem, path, wanted);
  if (copied !== undefined && (await isIntact(fileSystem, copied))) return copied;
  throw corrupt('what was copied is not what is read back', {
    file: path,
    offset: 0,
    firstSequence: wanted.source.name.firstSequence,
  });
}

async function isIntact(fileSystem: FileSystem, archived: ArchivedSegment): Promise<boolean> {
  try {
    const digest = await sha256OfArchived(fileSystem, archived);
    return Buffer.from(digest).toString('hex') === archived.sha256;
  } catch (error) {
    if (isRotten(error)) return false;
    throw error;
  }
}
