import { setImmediate } from 'node:timers/promises';
import { defined } from '@holdfast/kernel';
import { sameSeal } from '../../format/segment-header.js';
import type { ArchivedSegment } from '../../segment/archive-store.js';
import type { BackupSource } from './backup-files.js';
import { type BackupEntry, type BackupManifest, SEGMENTS_DIRECTORY } from './backup-manifest.js';
import { describedIfWhole, firstSequenceIn } from './backup-segments.js';
import { refused } from './backup-target.js';

/** A segment that only the backup still has. */
export interface KeptSegment {
  readonly entry: BackupEntry;
  readonly archived: ArchivedSegment;
}

/** What an earlier run has left in the directory of a backup, as the log sees it now: what of it leads up to the log, and whether the log is still of its history. */
export class EarlierBackup {
  private brokenAt: string | undefined;

  constructor(
    private readonly source: Pick<
      BackupSource,
      'fileSystem' | 'logId' | 'entries' | 'bound' | 'timelineBefore'
    >,
    private readonly directory: string,
    /** Undefined: there is none. */
    readonly manifest: BackupManifest | undefined,
  ) {}

  /**
   * Segments that the log has given up since an earlier run, and that still lead up to its beginning: what a backup has, it does not lose because retention has
   * passed over it. One that is gone or rotten ends them, as `brokenAt`: without it nothing leads from what comes before it.
   */
  async leadingUp(): Promise<readonly KeptSegment[]> {
    const { fileSystem, logId } = this.source;
    const kept: KeptSegment[] = [];
    let successor = defined(this.source.entries[0], 'a log has a segment').header;
    for (const entry of [...(this.manifest?.segments ?? [])].reverse()) {
      if (Number.parseInt(entry.file, 16) >= successor.segment) continue;
      const path = `${this.directory}/${SEGMENTS_DIRECTORY}/${entry.file}`;
      const archived = describedIfWhole(fileSystem, path);
      if (archived?.sha256 !== entry.sha256) {
        this.brokenAt = path;
        break;
      }
      const leadsUp =
        archived.header.logId === logId &&
        archived.name.segment === successor.segment - 1 &&
        sameSeal(archived.seal, successor.predecessor);
      if (!leadsUp) break;
      kept.push({ entry, archived });
      successor = archived.header;
      await setImmediate();
    }
    return kept.reverse();
  }

  /** What only the earlier backup holds may be all that is left of it. */
  assertContinued(keptFrom: number | undefined, replace: boolean): void {
    if (this.manifest === undefined || replace) return;
    const { firstSequence, lastSequence, files } = this.manifest;
    // Made of a log without a record: there is nothing that it could lose, unless a file stands for what retention has removed.
    if (lastSequence < firstSequence && (firstSequence === 1 || files.length === 0)) return;
    const { bound } = this.source;
    const begins = defined(this.source.entries[0], 'a log has a segment').name.firstSequence;
    const beginsLater = (keptFrom ?? begins) > firstSequence;
    if (!beginsLater && this.isContinued()) return;
    const timeline = this.lastTimelineOf(this.manifest);
    const broken = this.brokenAt === undefined ? '' : `: ${this.brokenAt} is gone or damaged`;
    const why = beginsLater
      ? `nothing leads from there to where the log begins${broken}`
      : 'the log does not hold that place: it was restored to before it, or salvaged';
    throw refused(
      this.directory,
      `it holds ${contentOf(this.manifest)}, the last in timeline ${timeline}, the log ${begins} to ${bound.sequence}, and ${why}. Nothing was changed. Name another directory, or say that this one may be replaced (--replace)`,
    );
  }

  /** Whether the log is still of the history that the earlier backup ends in, and holds that place. */
  isContinued(): boolean {
    const { manifest } = this;
    return (
      manifest !== undefined && this.holds(manifest.lastSequence, this.lastTimelineOf(manifest))
    );
  }

  /**
   * Whether a segment of the timeline holds the sequence; or one of the backup's growing segment is begun right behind it; or the log begins there, and remembers the timeline: retention may have
   * removed the one before.
   */
  private holds(sequence: number, timeline: string): boolean {
    if (sequence > this.source.bound.sequence) return false;
    if (this.source.timelineBefore(sequence) === timeline) return true;
    const timelines = new Set([timeline, this.manifest?.timeline]);
    return this.source.entries.some(({ header, name }, at) => {
      const next = this.source.entries[at + 1]?.name.firstSequence ?? Infinity;
      return (
        timelines.has(header.timeline) && name.firstSequence <= sequence + 1 && sequence < next
      );
    });
  }

  /**
   * Of the segment that holds the last record, the one that a restore ends with: the growing one may hold none, and then a restored log does not know of it. Where that one is gone or rotten, what
   * BACKUP says of the growing one has to do. Where there is no record, of the one before the first.
   */
  private lastTimelineOf(manifest: BackupManifest): string {
    const { segments, firstSequence, lastSequence, timeline, timelineBefore, tail } = manifest;
    if (lastSequence < firstSequence) return timelineBefore ?? timeline;
    const behind = [...segments, tail].findIndex(
      ({ file }) => firstSequenceIn(file) > lastSequence,
    );
    const holder = segments[Math.max(behind, 1) - 1];
    if (behind < 0 || holder === undefined) return timeline;
    const path = `${this.directory}/${SEGMENTS_DIRECTORY}/${holder.file}`;
    const found = describedIfWhole(this.source.fileSystem, path);
    return found?.sha256 === holder.sha256 ? found.header.timeline : timeline;
  }
}

function contentOf({ firstSequence, lastSequence, files }: BackupManifest): string {
  return lastSequence < firstSequence
    ? `no record, but ${files.length} files of up to sequence ${lastSequence}`
    : `sequences ${firstSequence} to ${lastSequence}`;
}
