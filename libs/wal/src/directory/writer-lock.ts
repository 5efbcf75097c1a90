import { hostname } from 'node:os';
import type { Clock } from '@holdfast/kernel';
import { readSmallFile } from '../disk/file-reading.js';
import { type File, type FileSystem, writeFully } from '../disk/file-system.js';
import { parseSegmentName } from '../format/segment-name.js';
import { inspectSegment } from '../segment/segment-file.js';
import { isOfNoUse, walClosed, WalError } from '../wal.errors.js';
import { floorsEpochs } from './floors.js';
import { readWatermark } from './watermark.js';

export const LOCK_NAME = 'LOCK';
const CLAIM = /^claim-([1-9][0-9]*)$/;
const LOCK_BYTES_MAX = 1024;
/** Openers that claim at once try again; more than this many rounds means that something else is wrong. */
const CLAIM_ATTEMPTS_MAX = 100;

/**
 * One writer. The operating system's lock on LOCK keeps an ordinary second opener out, and the kernel frees it when the holder
 * dies. A stopped process keeps it, so a takeover goes past it, and the claim file decides: the writer looks for its own claim after each
 * sync and before it tells anybody: for the very file that it has made and holds open, because a copy of the directory that is put in its place has a file of that name too. A successor first makes its claim, removes ours, syncs the directory, and only then scans the log:
 * so whatever we acknowledged was on disk before its scan, and whatever comes later we do not acknowledge.
 */
export class WriterLock {
  private lockHeld: boolean;
  private released = false;

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly lockFile: File,
    private readonly claimFile: File,
    /** Rises with each claim: names the writer in segments and watermarks. */
    readonly epoch: number,
    lockHeld: boolean,
  ) {
    this.lockHeld = lockHeld;
  }

  /** Throws `WAL_LOCKED` naming the holder, unless `takeover`. */
  static acquire(
    fileSystem: FileSystem,
    directory: string,
    options: { takeover: boolean; clock: Clock },
  ): WriterLock {
    const path = `${directory}/${LOCK_NAME}`;
    const lockFile = openLockFile(fileSystem, path);
    try {
      const lockHeld = fileSystem.tryLock(lockFile);
      if (!lockHeld && !options.takeover) throw locked(fileSystem, path);
      const { epoch, file } = claim(fileSystem, directory);
      try {
        describeHolder(lockFile, options.clock);
      } catch (error) {
        file.close();
        throw error;
      }
      return new WriterLock(fileSystem, directory, lockFile, file, epoch, lockHeld);
    } catch (error) {
      lockFile.close();
      throw error;
    }
  }

  /** Whether nobody has taken over, and the directory is the one that was opened. */
  isHeld(): boolean {
    return this.fileSystem.isAt(this.claimFile, this.claimPath);
  }

  /**
   * Throws `WAL_FENCED` when another writer has taken over, or another directory or file has taken the place of ours, and `WAL_CLOSED` after the release: the next
   * writer may have begun.
   */
  assertHeld(): void {
    if (this.released) throw walClosed();
    if (this.isHeld()) return;
    if (this.fileSystem.exists(this.claimPath)) throw replaced(this.claimPath, this.epoch);
    throw new WalError(
      'WAL_FENCED',
      'another writer has taken this log over; what was in flight is decided by it',
      { directory: this.directory, epoch: this.epoch },
    );
  }

  /** Whether a file of the log that we hold open is still the one of its name. Throws `WAL_FENCED`. */
  assertInPlace(file: File, path: string): void {
    if (!this.fileSystem.isAt(file, path)) throw replaced(path, this.epoch);
  }

  /** After a takeover from a stopped process: takes the operating system's lock as soon as that process is gone. */
  retryLock(): void {
    if (this.lockHeld) return;
    try {
      this.lockHeld = this.fileSystem.tryLock(this.lockFile);
    } catch {
      // It is asked for again with the next commit. Until then the claim decides, and the frame that is durable stays so.
    }
  }

  /** LOCK and the claim stay: unlinking a lock file lets two processes lock two files of one name. */
  release(): void {
    this.released = true;
    this.claimFile.close();
    this.lockFile.close();
  }

  private get claimPath(): string {
    return `${this.directory}/claim-${this.epoch}`;
  }
}

function replaced(file: string, epoch: number): WalError {
  return new WalError(
    'WAL_FENCED',
    `${file} is not the file that this writer holds open: the log's directory or its files were replaced; what was in flight is not in them`,
    { file, epoch },
  );
}

function openLockFile(fileSystem: FileSystem, path: string): File {
  if (!fileSystem.exists(path)) {
    try {
      return fileSystem.open(path, 'create');
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
  }
  return fileSystem.open(path, 'write');
}

/**
 * Creates the next claim, makes it durable, then removes the lower ones: a power cut at any point leaves one at least as high as any that was
 * ever held, so that epochs rise. Crash between: the next opener finds several and claims above the highest. The last directory sync comes
 * before the scan, so that a power cut cannot bring back an older writer's claim for a log that we changed. Where claims are gone, what else names an epoch counts.
 */
function claim(fileSystem: FileSystem, directory: string): { epoch: number; file: File } {
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS_MAX; attempt++) {
    const claims = listClaims(fileSystem, directory);
    const epoch = Math.max(0, ...claims, ...otherEpochs(fileSystem, directory, claims)) + 1;
    let file: File;
    try {
      file = fileSystem.open(`${directory}/claim-${epoch}`, 'create');
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') continue;
      throw error;
    }
    let isOurs = false;
    try {
      if (isOvertaken(fileSystem, directory, epoch)) continue;
      fileSystem.syncDirectory(directory);
      for (const lower of claims) removeClaim(fileSystem, `${directory}/claim-${lower}`);
      fileSystem.syncDirectory(directory);
      isOurs = true;
      return { epoch, file };
    } finally {
      if (!isOurs) file.close();
    }
  }
  throw new WalError('WAL_LOCKED', `${directory} is being claimed by others again and again`, {
    directory,
  });
}

/**
 * Whoever was stopped between looking and creating may have made a claim that another held and a third removed. A higher one
 * stands then, because the third made its own first; ours goes again.
 */
function isOvertaken(fileSystem: FileSystem, directory: string, epoch: number): boolean {
  if (Math.max(...listClaims(fileSystem, directory)) === epoch) return false;
  removeClaim(fileSystem, `${directory}/claim-${epoch}`);
  return true;
}

/**
 * Claims are empty files, which some tools leave out of a copy. An epoch that was given before would let FLOORS and WATERMARK of that writer count for newer. The names of FLOORS are looked at in
 * any case, WATERMARK and the newest segment only without a claim. What is rotten tells nothing here: recovery judges it.
 */
function otherEpochs(
  fileSystem: FileSystem,
  directory: string,
  claims: readonly number[],
): readonly number[] {
  const floors = floorsEpochs(fileSystem, directory);
  if (claims.length > 0) return floors;
  const names = fileSystem.list(directory).flatMap((file) => parseSegmentName(file) ?? []);
  const newest = names.sort((a, b) => a.segment - b.segment).at(-1);
  const witnesses = [
    () => readWatermark(fileSystem, directory)?.epoch,
    () => newest && inspectSegment(fileSystem, directory, newest).header?.epoch,
  ];
  const epochs = witnesses.flatMap((epochOf) => {
    try {
      return epochOf() ?? [];
    } catch (error) {
      if (!isOfNoUse(error)) throw error;
      return [];
    }
  });
  return [...floors, ...epochs];
}

function listClaims(fileSystem: FileSystem, directory: string): number[] {
  return fileSystem
    .list(directory)
    .map((name) => CLAIM.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number);
}

function removeClaim(fileSystem: FileSystem, path: string): void {
  try {
    fileSystem.unlink(path);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
}

/** For the message that the next opener gets. Not synced: it describes a living process. */
function describeHolder(lockFile: File, clock: Clock): void {
  const since = new Date(clock.nowMillis()).toISOString();
  const text = `pid ${process.pid}\nhost ${hostname()}\nsince ${since}\n`;
  lockFile.truncate(0);
  writeFully(lockFile, Buffer.from(text), 0);
}

function locked(fileSystem: FileSystem, path: string): WalError {
  const text = readSmallFile(fileSystem, path, LOCK_BYTES_MAX)?.toString() ?? '';
  const holder = (field: string): string =>
    new RegExp(`^${field} (.*)$`, 'm').exec(text)?.[1] ?? 'unknown';
  const [pid, host, since] = [holder('pid'), holder('host'), holder('since')];
  return new WalError(
    'WAL_LOCKED',
    `the log is held by process ${pid} on ${host} since ${since} (${path})`,
    {
      file: path,
      pid,
      host,
      since,
    },
  );
}
