import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeDurableDirectory, syncDirectory, unfinishedRestores } from '@holdfast/event-store';
import { CodedError, LOST_AND_FOUND, errorCode, errorMessage } from '@holdfast/kernel';

/** What makes a data directory a log comes last. */
const LAST = 'wal';

/**
 * Where a restore works until it is known to be whole: beside the target, under its name with `.restoring` behind it; inside of it when it is there already and empty, because it may be a mounted
 * volume, whose name cannot be given to another directory. Both are on the disk of the target, so that its name, or those of its parts, are given by a rename.
 */
export class RestorePlace {
  /** What has its final name already, and where it was before. */
  private readonly given: { readonly from: string; readonly to: string }[] = [];
  /** The log has its name: from now on a service may have opened it, and acknowledged what is nowhere else. */
  private isOpen = false;

  private constructor(
    private readonly target: string,
    /** Build the data directory here. */
    readonly directory: string,
    /** The highest of the directories above it that it has made. */
    private readonly highestMade: string | undefined,
  ) {}

  /** Throws `RESTORE_TARGET_NOT_EMPTY`, also where an earlier restore has been killed: what it has left is for a person to look at. */
  static prepare(path: string): RestorePlace {
    const target = resolve(path);
    const isThere = existsSync(target);
    if (isThere && readdirSync(target).some((name) => name !== LOST_AND_FOUND))
      throw notEmpty(target);
    const { inside, beside } = unfinishedRestores(target);
    const directory = isThere ? inside : beside;
    const highestMade = makeDurableDirectory(dirname(directory));
    try {
      mkdirSync(directory);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') throw notEmpty(directory);
      throw error;
    }
    return new RestorePlace(target, directory, highestMade);
  }

  /**
   * Gives what was built its final name, durably. Crash anywhere before: there is no log in the target, and a directory whose name says what it is. After: the whole. In a directory that was there
   * the log gets its name last, after everything else has its own for good. Throws `RESTORE_UNFINISHED` where that name may not be.
   */
  finish(): void {
    const { target, directory } = this;
    syncDirectory(directory);
    const isInside = dirname(directory) === target;
    if (isInside) {
      for (const name of readdirSync(directory)) {
        if (name === LAST) continue;
        this.give(join(directory, name), join(target, name));
      }
      syncDirectory(target);
      this.give(join(directory, LAST), join(target, LAST));
    } else this.give(directory, target);
    this.isOpen = true;
    try {
      if (isInside) rmdirSync(directory);
      syncDirectory(isInside ? target : dirname(target));
    } catch (error) {
      throw nameInDoubt(target, error);
    }
  }

  /**
   * Nothing of it is left, unless the log has its name. What has its own already loses it first. Crash on the way: as in `finish`, in the other direction, so there is no log in the target that a
   * service would open.
   */
  discard(): void {
    if (this.isOpen) return;
    for (const { from, to } of this.given.reverse()) {
      renameSync(to, from);
    }
    rmSync(this.directory, { recursive: true, force: true });
    this.discardParents();
  }

  /** Those that it has made, as far as nobody else has put anything there. */
  private discardParents(): void {
    const { highestMade } = this;
    if (highestMade === undefined) return;
    for (let made = dirname(this.directory); made.startsWith(highestMade); made = dirname(made)) {
      try {
        rmdirSync(made);
      } catch {
        return;
      }
    }
  }

  private give(from: string, to: string): void {
    renameSync(from, to);
    this.given.push({ from, to });
  }
}

function nameInDoubt(target: string, cause: unknown): CodedError {
  return new CodedError(
    'RESTORE_UNFINISHED',
    `${target} holds everything that was restored, and a service may be started on it, but a power cut may take its name back: ${errorMessage(cause)}`,
    { path: target },
    { cause },
  );
}

function notEmpty(target: string): CodedError {
  return new CodedError('RESTORE_TARGET_NOT_EMPTY', `${target} is not empty; nothing was changed`, {
    target,
  });
}
