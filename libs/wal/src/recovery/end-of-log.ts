import { setTimeout } from 'node:timers/promises';
import { errorMessage } from '@holdfast/kernel';
import { ARCHIVE_FLOOR, readFloors } from '../directory/floors.js';
import { readWatermark } from '../directory/watermark.js';
import type { FileSystem } from '../disk/file-system.js';
import type { VisibleBound } from '../read/log-cursor.js';
import type { VerifyProblem } from '../read/verify.js';
import { isDamage, isRotten, WalError } from '../wal.errors.js';
import type { Sequence } from '../wal.types.js';
import { diagnose, type Diagnosis } from './recovery.js';

/** What a start would say of a log, and of its end above all: everything behind the last segment that a successor has sealed. */
export interface EndOfLog {
  /** Up to the last whole frame; undefined when a start would refuse the log. */
  readonly bound: VisibleBound | undefined;
  /** Why a start would refuse it. */
  readonly problem: VerifyProblem | undefined;
  /** What nothing here can tell. */
  readonly unverified: readonly string[];
}

/** A writer may be in the middle of a frame or of a rotation: what stays as it is in so many looks is no such moment. */
const LOOKS = 3;
/** More looks than this, with something else each time, and a writer is at work: then its WATERMARK speaks for the end. */
const LOOKS_MAX = 10;
const BETWEEN_LOOKS_MILLIS = 20;

interface Look {
  readonly diagnosis?: Diagnosis;
  readonly refusal?: WalError;
  /** Equal for two looks at the same thing; undefined when there is nothing to look at again. */
  readonly doubt: string | undefined;
}

/**
 * Judges a log as an open would, by the same code, and changes nothing: so that nothing is called sound which a start refuses. A writer may be at work meanwhile. Throws `WAL_READ_FAILED`
 * for what is no damage, and `WAL_UNSUPPORTED_FORMAT`.
 */
export async function judgeEnd(fileSystem: FileSystem, directory: string): Promise<EndOfLog> {
  let look = lookAt(fileSystem, directory);
  for (let [looks, same] = [1, 1]; look.doubt !== undefined && same < LOOKS; looks++) {
    if (looks === LOOKS_MAX) return { bound: undefined, problem: undefined, unverified: [] };
    await setTimeout(BETWEEN_LOOKS_MILLIS);
    const again = lookAt(fileSystem, directory);
    same = again.doubt === look.doubt ? same + 1 : 1;
    look = again;
  }
  const { refusal, diagnosis } = look;
  if (refusal !== undefined && !isDamage(refusal)) throw refusal;
  if (refusal !== undefined)
    return { bound: undefined, problem: problemOf(refusal, directory), unverified: [] };
  const tail = diagnosis?.tail;
  if (tail === undefined) return { bound: undefined, problem: undefined, unverified: [] };
  const { scan, name, torn, path } = tail;
  const sequence = scan.lastSequence as Sequence;
  const unverified: string[] = [];
  if (torn !== undefined)
    unverified.push(
      `${path}: ${torn.to - torn.from} bytes from offset ${torn.from} on are no whole frame. Nothing says that they were acknowledged, and a start sets them aside.`,
    );
  return {
    bound: { sequence, segment: name.segment, offset: scan.validEnd },
    problem: undefined,
    unverified,
  };
}

/** Whether WATERMARK says how far this history was acknowledged: without it a lost end looks like a log that ended there. */
export function unpromisedEnd(
  fileSystem: FileSystem,
  directory: string,
  timelineOf: (segment: number) => string | undefined,
): readonly string[] {
  const watermark = unlessRotten(() => readWatermark(fileSystem, directory));
  const isOurs = watermark !== undefined && timelineOf(watermark.segment) === watermark.timeline;
  return isOurs
    ? []
    : [
        'No WATERMARK of this history says how far the log was acknowledged: records that are missing from its end would not be noticed.',
      ];
}

/** What went to an archive is not looked at without it. */
export function unreadArchive(
  fileSystem: FileSystem,
  directory: string,
  firstSequence: number,
): readonly string[] {
  const floors = unlessRotten(() => readFloors(fileSystem, directory));
  const archived = floors?.get(ARCHIVE_FLOOR) ?? 0;
  if (firstSequence === 1 || archived === 0) return [];
  return [
    `Sequences below ${firstSequence} are in the archive, which was not read: it is not there, or was not named.`,
  ];
}

/** What has rotted is named as what a start says. */
function unlessRotten<Witness>(read: () => Witness): Witness | undefined {
  try {
    return read();
  } catch (error) {
    if (isRotten(error)) return undefined;
    throw error;
  }
}

function lookAt(fileSystem: FileSystem, directory: string): Look {
  try {
    const diagnosis = diagnose(fileSystem, directory);
    const { tail } = diagnosis;
    return { diagnosis, doubt: tail?.torn && `${tail.path} ${tail.torn.from}` };
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
    return { refusal: error, doubt: `${error.code} ${error.message}` };
  }
}

function problemOf(refusal: WalError, directory: string): VerifyProblem {
  const {
    file = directory,
    offset = 0,
    firstSequence = 0,
  } = refusal.details as Partial<VerifyProblem>;
  return { file, offset, firstSequence, reason: errorMessage(refusal) };
}
