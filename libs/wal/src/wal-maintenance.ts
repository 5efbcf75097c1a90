import { randomBytes as systemRandomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { archivePin, type ArchiveReport, archiveSegments } from './care/archive/archiving.js';
import { backUp, type BackupOptions, type BackupReport } from './care/backup/backup.js';
import { openFiles } from './care/backup/backup-files.js';
import {
  type CompactionPolicy,
  type CompactionReport,
  compactSegments,
} from './care/compaction/compaction.js';
import {
  planRemoval,
  type RemovalOptions,
  type RemovalPlan,
  type RemovalReport,
  removeSegments,
} from './care/retention/removal.js';
import { ARCHIVE_FLOOR, type Floors } from './directory/floors.js';
import { segmentPath } from './format/segment-name.js';
import { withArchived } from './read/archived-part.js';
import type { VisibleBound } from './read/log-cursor.js';
import { type ScrubOptions, type ScrubReport, scrubSegments } from './read/scrub.js';
import type { CatalogEntry } from './read/segment-catalog.js';
import { finishLeftovers, finishSegment, isFinished, summarize } from './segment/sealing.js';
import type { WalParts } from './wal-opening.js';
import { WalError } from './wal.errors.js';
import { BEFORE_FIRST, type Sequence, type WorkOptions } from './wal.types.js';
import type { WorkSchedule } from './work-schedule.js';
import type { StartedSegment } from './write/segment-chain.js';

/** What maintenance must know of the log that it works on. */
export interface MaintainedLog {
  readonly floors: Floors;
  timeline(): string;
  /** Up to where everything is durable. */
  bound(): VisibleBound;
  isClosed(): boolean;
}

/** Maintenance of an open log, while appends and readers go on: archiving, compaction, backup, removal, scrubbing. */
export class WalMaintenance {
  constructor(
    private readonly parts: WalParts,
    private readonly log: MaintainedLog,
    private readonly schedule: WorkSchedule,
  ) {}

  /**
   * What `removeSegments` would do, and which floors keep the rest: a dry run.
   *
   * @throws `WAL_READ_FAILED`.
   */
  planRemoval(options: RemovalOptions): RemovalPlan {
    const { fileSystem, catalog } = this.parts;
    return planRemoval(fileSystem, catalog.live(), this.holdingFloors(), options);
  }

  /**
   * Removes sealed segments that lie wholly below the given sequence and below every floor, and that are in the archive if the log has one. Appends and
   * readers go on; readers get archived records from the archive, and `WAL_SEQUENCE_GONE` for others.
   *
   * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`, `WAL_MISSING_SEGMENT`: the archive does not hold what would go; nothing was removed.
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`: of a file of the archive or the log.
   * @throws `WAL_CLOSED`, `WAL_FENCED`, `WAL_POISONED`, and the errors of the disk.
   */
  removeSegments(options: RemovalOptions): Promise<RemovalReport> {
    return this.schedule.exclusively(() => {
      const { archive, catalog, manifest } = this.parts;
      // What leaves is then there only: believed is what the files say now, whatever was copied over them since.
      archive?.refresh(manifest.current.firstSegment);
      return removeSegments(this.parts, this.planRemoval(options), (firstSegment) => {
        const live = catalog.live().filter(({ name }) => name.segment >= firstSegment);
        // An archive that does not hold what goes, or is another's, ends it here: a MANIFEST that counts on it would never open.
        const entries = withArchived(archive, live);
        return () => catalog.replaceAll(entries);
      });
    });
  }

  /**
   * Copies sealed segments to the archive that it does not hold yet, and moves the floor `archive` behind each one that was read back.
   *
   * @throws `WAL_INVALID_OPTION`: the log was opened without an archive.
   * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`, `WAL_ARCHIVE_CONFLICT`: the archive is gone, is another log's, or holds other content under
   * a name.
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`: of a segment, or of a file of the archive.
   * @throws `WAL_CANCELLED`: also when the log closes meanwhile; what was finished stays.
   * @throws `WAL_CLOSED`, `WAL_FENCED`, `WAL_POISONED`, and the errors of the disk.
   */
  archiveSealed(options: WorkOptions = {}): Promise<ArchiveReport> {
    return this.schedule.exclusively(async () => {
      const { archive, catalog, lock } = this.parts;
      const { floors } = this.log;
      if (archive === undefined)
        throw new WalError('WAL_INVALID_OPTION', 'the log was opened without an archive');
      const entries = await this.finished();
      const floor = floors.all().get(ARCHIVE_FLOOR) ?? BEFORE_FIRST;
      return archiveSegments(
        entries,
        catalog,
        archive,
        floor,
        (sequence) => floors.set(ARCHIVE_FLOOR, sequence),
        { epoch: lock.epoch, timeline: this.log.timeline() },
        this.schedule.endingWithLog(options),
      );
    });
  }

  /**
   * Rewrites sealed segments without the records that the policy drops. Other records keep their sequences. Appends and readers go on; readers skip what
   * is gone. Archived segments stay as they are. Waits for running backups.
   *
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`: of a segment.
   * @throws `WAL_CANCELLED`: also when the log closes meanwhile; what was finished stays.
   * @throws `WAL_CLOSED`, `WAL_FENCED`, `WAL_POISONED`, what the policy throws, and the errors of the disk.
   */
  compact(policy: CompactionPolicy, options: WorkOptions = {}): Promise<CompactionReport> {
    return this.schedule.exclusively(async () => {
      await this.schedule.copiesEnded();
      const entries = await this.finished();
      const randomBytes = this.parts.options.randomBytes ?? systemRandomBytes;
      const randomU32 = (): number => randomBytes(4).readUInt32LE(0);
      const { space } = this.parts.spare;
      return compactSegments(
        { ...this.parts, space, randomU32 },
        entries,
        policy,
        this.schedule.endingWithLog(options),
      );
    });
  }

  /**
   * Copies everything durable, archived segments included, to a directory, while appends go on. Segments that an earlier backup there has copied are not
   * copied again. A crash or cancel leaves the earlier backup as it was.
   *
   * @throws `WAL_BACKUP_REFUSED`: the directory is not for a backup of this log, or holds what the log does not.
   * @throws `WAL_BACKUP_DAMAGED`: the file BACKUP of an earlier run is damaged.
   * @throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`: of the log or its archive.
   * @throws `WAL_CANCELLED`: also when the log closes meanwhile.
   * @throws `WAL_CLOSED`, `WAL_FENCED`, `WAL_POISONED`, and the errors of the disks.
   */
  async backup(directory: string, options: BackupOptions = {}): Promise<BackupReport> {
    // At once: what the caller has listed may be pruned while the backup waits for its turn.
    const files = openFiles(this.parts.fileSystem, options.files ?? []);
    try {
      return await this.schedule.beside(async () => {
        const release = this.log.floors.pin('backup', BEFORE_FIRST);
        try {
          const bound = this.log.bound();
          const entries = await this.finished();
          const { fileSystem, catalog, clock, archive, directory: own, logId } = this.parts;
          const nowMicros = clock.nowMillis() * 1000;
          const timelineBefore = (sequence: number): string | undefined =>
            this.parts.manifest.current.placesBefore.get(sequence);
          const contents = { fileSystem, catalog, entries, bound, files };
          const source = { ...contents, logId, timelineBefore, nowMicros };
          const live = [own, ...(archive?.directory === undefined ? [] : [archive.directory])];
          const apartFrom = [...live, ...(options.apartFrom ?? [])];
          const work = this.schedule.endingWithLog({ ...options, apartFrom });
          return await backUp(source, resolve(directory), work);
        } finally {
          release();
        }
      });
    } finally {
      for (const { file } of files) file.close();
    }
  }

  /**
   * One pass over the sealed segments at a bounded rate, in the background worker. Damage is reported, not thrown. If the log closes, the pass ends and
   * reports what it has read.
   *
   * @throws `WAL_CLOSED`.
   */
  scrub(options: ScrubOptions): Promise<ScrubReport> {
    const { catalog } = this.parts;
    return this.schedule.pass(() => scrubSegments(catalog, this.schedule.endingWithLog(options)));
  }

  /** The log's own: what the open before this one has left without a footer gets it. */
  finishLeftovers(): void {
    const { fileSystem, directory, sealed } = this.parts;
    this.schedule.inBackground(() =>
      finishLeftovers(
        fileSystem,
        ({ name }) => segmentPath(directory, name),
        sealed,
        () => this.log.isClosed(),
        () => this.parts.lock.assertHeld(),
      ),
    );
  }

  /** The log's own: gives a segment its footer after a rotation has sealed it. */
  finish({ writer, path, name }: StartedSegment): void {
    this.schedule.inBackground(async () => {
      writer.file.close();
      if (this.log.isClosed()) return;
      const { fileSystem, lock, catalog } = this.parts;
      await finishSegment(fileSystem, path, writer.summary(), () => lock.assertHeld());
      catalog.dropIndex(name.segment);
    });
  }

  /**
   * The segments as they are when it is called, of which those that are sealed by then have their footers when it resolves: one that is sealed meanwhile has none yet. One whose footer could not be
   * written when it was sealed, as on a full disk, gets it now; one that is damaged stays without, and whoever needs the footer says so.
   */
  private async finished(): Promise<readonly CatalogEntry[]> {
    const { fileSystem, lock, catalog } = this.parts;
    const entries = catalog.all();
    for (const { path, header, dataLength, archived } of entries) {
      if (archived !== undefined) continue;
      // Thousands of finished segments must not hold up the appends.
      await setImmediate();
      if (dataLength === undefined || isFinished(fileSystem, path, dataLength)) continue;
      const summary = await summarize(fileSystem, path, header, dataLength);
      if (summary !== undefined)
        await finishSegment(fileSystem, path, summary, () => lock.assertHeld());
    }
    return entries;
  }

  /** What keeps segments: floors, pins, and an archive that does not hold them yet. */
  private holdingFloors(): ReadonlyMap<string, Sequence> {
    const holding = this.log.floors.holding();
    const { archive, catalog } = this.parts;
    if (archive === undefined) return holding;
    const floor = holding.get(ARCHIVE_FLOOR) ?? BEFORE_FIRST;
    return new Map(holding).set(ARCHIVE_FLOOR, archivePin(archive, catalog.all(), floor));
  }
}
