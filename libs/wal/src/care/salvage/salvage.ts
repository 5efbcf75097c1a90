import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { FileSystem } from '../../disk/file-system.js';
import { assertPlaceForLog, type PlaceOptions } from '../../disk/network-file-systems.js';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import { lastSequenceOf } from '../../format/frame-decoder.js';
import type { ArchiveStore } from '../../segment/archive-store.js';
import type { SalvageLoss } from './salvage-candidate.js';
import { piecesOf, type SalvageLeftOut } from './salvage-frames.js';
import { findSegments, type SourceLog } from './salvage-segments.js';
import { refused, SalvagedLog, type SalvagedRecords } from './salvaged-log.js';

export type { SalvageLoss, SalvageLeftOut };

export interface SalvageReport extends SalvagedRecords {
  /** Read from, archived ones included. */
  readonly segments: number;
  /** Stretches of files in which no valid frame was found although data stood there, and files that are not there. */
  readonly losses: readonly SalvageLoss[];
  /** Records that verify and were not brought over, because another history of the log has their sequences or ends before them. */
  readonly leftOut: readonly SalvageLeftOut[];
  /** Sequences behind the last one that were promised to be durable. */
  readonly lostTail?: { readonly firstSequence: number; readonly lastSequence: number };
}

export interface SalvageOptions extends PlaceOptions {
  readonly fileSystem?: FileSystem;
  /** Where segments are taken from that the log's directory lacks, or holds damaged. */
  readonly archive?: ArchiveStore;
  readonly onProgress?: (progress: {
    readonly segmentsDone: number;
    readonly segmentsTotal: number;
  }) => void;
}

/**
 * Copies every frame that still verifies from a damaged log into a new one. The damaged log and its archive are only read. Records keep their sequences,
 * and what is gone is named. Gaps become gap records, the first of which begins another timeline; if the beginning is gone, the new log begins behind
 * it. What a transaction across a gap meant is for its owner to judge: a salvaged log opens, but it is not the log that was promised.
 *
 * The header of a segment bounds the one before it: after a takeover, what the old writer wrote behind the length that its successor sealed is not part
 * of the log. Live files come before archived ones, because an archive may hold a history that the log has left by a restore; nothing of that is copied.
 *
 * There is no MANIFEST until everything is in place, so an interrupted salvage does not open as a log. Behind the last segment stands an empty one that
 * promises it, as in a restored log.
 *
 * @throws `WAL_SALVAGE_REFUSED`: the target exists, or nothing can be read.
 * @throws `WAL_UNSUPPORTED_FILE_SYSTEM`: of the target, before anything is read.
 * @throws `WAL_READ_FAILED`: something other than damage, such as a lack of descriptors, keeps it from a file.
 * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`: of the archive; and the errors of the disk.
 */
export async function salvage(
  from: string,
  to: string,
  options: SalvageOptions = {},
): Promise<SalvageReport> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  const [source, target] = [resolve(from), resolve(to)];
  try {
    if (fileSystem.exists(target)) throw refused(`${target} exists`, target);
    assertPlaceForLog(fileSystem, target, options);
    const log = findSegments(fileSystem, source, options.archive);
    const { segments, logId } = log;
    if (logId === undefined || segments.length === 0)
      throw refused(`${source} holds no segment with a readable header`, source);
    const copy = new SalvagedLog(fileSystem, target, { ...log, logId });
    try {
      return await copyAll(log, copy, options);
    } finally {
      await copy.close();
    }
  } finally {
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

async function copyAll(
  log: SourceLog,
  copy: SalvagedLog,
  options: SalvageOptions,
): Promise<SalvageReport> {
  const { segments } = log;
  const losses = [...log.losses];
  const leftOut: SalvageLeftOut[] = [];
  let { promised } = log;
  let done = 0;
  for (const segment of segments) {
    for (const piece of piecesOf(segment)) {
      if (piece.kind === 'loss') losses.push(piece.loss);
      else if (piece.kind === 'left out') add(leftOut, piece.records);
      else {
        const { header } = piece.frame;
        promised = Math.max(promised, header.durableSequence);
        if (header.sequenceSpan > 0 && !(await copy.add(piece.frame, segment.header.timeline)))
          add(leftOut, {
            file: segment.path,
            firstSequence: header.firstSequence,
            lastSequence: lastSequenceOf(header),
            mayBeAcknowledged: true,
          });
      }
      if (copy.shouldYield()) await setImmediate();
    }
    options.onProgress?.({ segmentsDone: ++done, segmentsTotal: segments.length });
  }
  const records = await copy.finish();
  const firstSequence = records.lastSequence + 1;
  return {
    ...records,
    segments: segments.length,
    losses,
    leftOut,
    ...(promised >= firstSequence && { lostTail: { firstSequence, lastSequence: promised } }),
  };
}

/** Frame after frame of one file is one entry. */
function add(leftOut: SalvageLeftOut[], found: SalvageLeftOut): void {
  const last = leftOut.at(-1);
  const continues =
    last?.file === found.file &&
    last.lastSequence + 1 === found.firstSequence &&
    last.mayBeAcknowledged === found.mayBeAcknowledged;
  if (continues) leftOut[leftOut.length - 1] = { ...last, lastSequence: found.lastSequence };
  else leftOut.push(found);
}
