import { readSmallFile } from '../../disk/file-reading.js';
import { type FileSystem, replaceFile } from '../../disk/file-system.js';
import { checkedLines, withChecksum } from '../../format/checked-lines.js';
import { WalError } from '../../wal.errors.js';

/** A file of a backup, by its name in there, with the SHA-256 of what it holds: 64 hex digits. */
export interface BackupEntry {
  readonly file: string;
  readonly sha256: string;
}

/** Something that travels along with the log: the caller's own. */
export interface BackupFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a backup consists of. Text with a checksum, replaced as a whole when all that it names is durable. */
export interface BackupManifest {
  readonly logId: string;
  readonly createdMicros: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Of the segment that holds the last sequence when the backup was made. */
  readonly timeline: string;
  /** Of the place right before the first sequence, where the log remembers it. */
  readonly timelineBefore?: string | undefined;
  /** Sealed segments, oldest first, in `segments/`. */
  readonly segments: readonly BackupEntry[];
  /** The segment that grew while the backup was made, up to what was durable; in the backup's own directory. */
  readonly tail: BackupEntry;
  readonly files: readonly BackupFile[];
}

export const BACKUP_NAME = 'BACKUP';
const TITLE = 'holdfast-wal-backup 1';
const BYTES_MAX = 64 * 1024 * 1024;
export const BACKUP_FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$/;

export function writeBackupManifest(
  fileSystem: FileSystem,
  directory: string,
  manifest: BackupManifest,
): void {
  const lines = [
    TITLE,
    `log-id ${manifest.logId}`,
    `created ${manifest.createdMicros}`,
    `sequences ${manifest.firstSequence} ${manifest.lastSequence}`,
    `timeline ${manifest.timeline}`,
    ...(manifest.timelineBefore === undefined ? [] : [`before ${manifest.timelineBefore}`]),
    ...manifest.segments.map(({ file, sha256 }) => `segment ${sha256} ${file}`),
    `tail ${manifest.tail.sha256} ${manifest.tail.file}`,
    ...manifest.files.map(({ name, bytes, sha256 }) => `file ${sha256} ${bytes} ${name}`),
  ];
  replaceFile(fileSystem, directory, BACKUP_NAME, Buffer.from(withChecksum(lines), 'latin1'));
}

/** Undefined when there is none. Throws `WAL_BACKUP_DAMAGED`. */
export function readBackupManifest(
  fileSystem: FileSystem,
  directory: string,
): BackupManifest | undefined {
  const path = `${directory}/${BACKUP_NAME}`;
  const content = readSmallFile(fileSystem, path, BYTES_MAX);
  if (content === undefined) return undefined;
  const manifest = parse(checkedLines(content.toString('latin1')) ?? []);
  if (manifest !== undefined) return manifest;
  throw new WalError('WAL_BACKUP_DAMAGED', `${path} is damaged`, { file: path });
}

function parse(lines: readonly string[]): BackupManifest | undefined {
  const text = lines.join('\n');
  const head =
    /^holdfast-wal-backup 1\nlog-id ([0-9a-f]{32})\ncreated (\d+)\nsequences (\d+) (\d+)\ntimeline ([0-9a-f]{16})(?:\nbefore ([0-9a-f]{16}))?(?:\n|$)/.exec(
      text,
    );
  if (head === null) return undefined;
  const [, logId = '', created, first, last, timeline = '', timelineBefore] = head;
  const rest = lines
    .slice(timelineBefore === undefined ? 5 : 6)
    .map((line) => /^(segment|tail|file) ([0-9a-f]{64}) (.+)$/.exec(line));
  if (rest.includes(null)) return undefined;
  const named = (kind: string): BackupEntry[] =>
    rest.flatMap((match) =>
      match?.[1] === kind ? [{ sha256: match[2] ?? '', file: match[3] ?? '' }] : [],
    );
  const [tail, ...others] = named('tail');
  if (tail === undefined || others.length > 0) return undefined;
  const files = named('file').map(({ sha256, file }) => {
    const [bytes = '', ...name] = file.split(' ');
    return { sha256, bytes: Number(bytes), name: name.join(' ') };
  });
  return {
    logId,
    createdMicros: Number(created),
    firstSequence: Number(first),
    lastSequence: Number(last),
    timeline,
    timelineBefore,
    segments: named('segment'),
    tail,
    files,
  };
}

export const SEGMENTS_DIRECTORY = 'segments';

export const FILES_DIRECTORY = 'files';
