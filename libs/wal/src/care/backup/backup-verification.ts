import { errorMessage } from '@holdfast/kernel';
import { withFile } from '../../disk/file-reading.js';
import type { FileSystem } from '../../disk/file-system.js';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import { notRead, type VerifyProblem, verifySegments } from '../../read/verify.js';
import { isDamage } from '../../wal.errors.js';
import type { Sequence, WorkProgress } from '../../wal.types.js';
import { type StandsAt, usableFrom } from './backup-beginning.js';
import { BackupContent, type BackupPart } from './backup-content.js';
import { BACKUP_NAME, type BackupFile } from './backup-manifest.js';

export interface BackupSummary {
  readonly logId: string;
  readonly createdMillis: number;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly timeline: string;
  readonly segments: number;
  /** What travels along, and where it stands in the backup. */
  readonly files: readonly (BackupFile & { readonly path: string })[];
}

export interface BackupVerification extends BackupSummary {
  readonly frames: number;
  readonly records: number;
  readonly bytes: number;
  /** Empty when everything can be restored from it. */
  readonly problems: readonly VerifyProblem[];
  /** What could not be verified, each a sentence. */
  readonly unverified: readonly string[];
}

/**
 * What a backup holds, without reading its contents; `upTo` and `atMillis` ask for no more than a restore of that part needs.
 *
 * @throws `WAL_BACKUP_DAMAGED`: there is no complete backup.
 * @throws `WAL_MISSING_SEGMENT`, `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`.
 */
export async function describeBackup(
  backup: string,
  options: BackupPart & { readonly fileSystem?: FileSystem } = {},
): Promise<BackupSummary> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  try {
    const content = BackupContent.open(fileSystem, backup, options);
    content.close();
    return summaryOf(content);
  } finally {
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

/**
 * Reads every byte of a backup: digests, frames, records, the chain of segments, and the files that travel along. Damage is reported.
 *
 * @throws what `describeBackup` throws: it is not clear what belongs to the backup.
 */
export async function verifyBackup(
  backup: string,
  options: {
    readonly fileSystem?: FileSystem;
    readonly onProgress?: (progress: WorkProgress) => void;
    /** Ends the reading at its next slice; the report is then of what was read, and says so. */
    readonly signal?: AbortSignal;
    /** As it was for the backup: whether a backup that does not begin with the first record is of use. */
    readonly standsAt?: StandsAt;
  } = {},
): Promise<BackupVerification> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  try {
    const content = BackupContent.open(fileSystem, backup);
    const { catalog, entries, manifest } = content;
    const last = entries.at(-1);
    const bound = {
      sequence: manifest.lastSequence as Sequence,
      segment: last?.name.segment ?? 0,
      offset: last?.dataLength ?? 0,
    };
    const { onProgress } = options;
    const verified = await verifySegments(fileSystem, entries, bound, {
      catalog,
      signal: options.signal,
      ...(onProgress !== undefined && { onProgress }),
    });
    content.close();
    const problems = [...verified.problems];
    const whole: BackupFile[] = [];
    const unread: string[] = [];
    for (const file of manifest.files) {
      if (options.signal?.aborted === true) break;
      const path = content.pathOf(file);
      try {
        const reason = await problemOf(fileSystem, path, file);
        if (reason === undefined) whole.push(file);
        else problems.push({ file: path, offset: 0, firstSequence: 0, reason });
      } catch (error) {
        unread.push(notRead(path, error));
      }
    }
    const { frames, records, bytes } = verified;
    const { firstSequence } = manifest;
    const from = usableFrom(manifest, whole, options.standsAt);
    const isAsked = options.standsAt !== undefined && options.signal?.aborted !== true;
    // What was not read may be what stands for it.
    if (from === undefined && isAsked && unread.length === 0) {
      const reason = `the backup begins at sequence ${firstSequence} and holds nothing that stands for what came before: it cannot be restored`;
      problems.push({
        file: `${content.directory}/${BACKUP_NAME}`,
        offset: 0,
        firstSequence,
        reason,
      });
    }
    const beginning = withoutBeginning(firstSequence, from);
    const unverified = [...verified.unverified, ...unread, ...beginning];
    return { ...summaryOf(content), frames, records, bytes, problems, unverified };
  } finally {
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

function withoutBeginning(firstSequence: number, from: number | undefined): readonly string[] {
  if (firstSequence === 1) return [];
  const extent = from === undefined ? '' : ` and can be restored from sequence ${from} on`;
  return [
    `The backup begins at sequence ${firstSequence}${extent}: whether a snapshot in it stands for what came before is shown by a restore.`,
  ];
}

function summaryOf(content: BackupContent): BackupSummary {
  const { manifest } = content;
  const { logId, createdMicros, firstSequence, lastSequence, timeline, files } = manifest;
  return {
    logId,
    createdMillis: Math.floor(createdMicros / 1000),
    firstSequence: firstSequence as Sequence,
    lastSequence: lastSequence as Sequence,
    timeline,
    segments: manifest.segments.length + 1,
    files: files.map((file) => ({ ...file, path: content.pathOf(file) })),
  };
}

async function problemOf(
  fileSystem: FileSystem,
  path: string,
  { name, bytes, sha256 }: BackupFile,
): Promise<string | undefined> {
  try {
    if (withFile(fileSystem, path, (file) => file.size()) !== bytes)
      return `'${name}' has another length than when it was copied`;
    const digest = Buffer.from(await fileSystem.sha256(path, bytes)).toString('hex');
    return digest === sha256 ? undefined : `the SHA-256 of '${name}' differs`;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `'${name}' cannot be read: ${errorMessage(error)}`;
  }
}
