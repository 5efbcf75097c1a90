import { type Hash, createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { errorMessage } from '@holdfast/kernel';
import type { Tally } from './tally.js';
import type { Witness } from './witness.js';

/** How far an import has come. */
export interface ImportProgress {
  /** Rows of the file that are done with, posted or not. */
  readonly rows: number;
  /** Over the content of those rows: a file that was edited is not skipped into. */
  readonly chain: string;
  /** Of the transfers that these rows made, the one that stands last in the log: where it still stands, all of them do. */
  readonly newest?: Witness;
  readonly rejectsBytes: number;
  readonly tally: Tally;
}

const VERSION = 3;
const WRITE_MILLIS_MIN = 250;

/**
 * A file that notes how far an import has come. It only saves time: what makes an import exact are the keys of its rows, so a note that is
 * lost costs a second look at every row, and one that does not fit is not believed.
 */
export class ImportNote {
  private pending: ImportProgress | undefined;
  private writtenAt = 0;
  private unwritable = false;

  constructor(
    readonly path: string,
    /** Names the ledger and the mapping: with others, the same rows make other commands. */
    private readonly identity: string,
    private readonly onUnwritable: (reason: string) => void,
  ) {}

  /** Undefined when there is none, or it is about another import. */
  read(): ImportProgress | undefined {
    try {
      const { version, identity, progress } = JSON.parse(readFileSync(this.path, 'utf8')) as {
        version?: unknown;
        identity?: unknown;
        progress?: ImportProgress;
      };
      return version === VERSION && identity === this.identity ? progress : undefined;
    } catch {
      return undefined;
    }
  }

  /** Written now or with a later one. */
  take(progress: ImportProgress): void {
    this.pending = progress;
    if (performance.now() - this.writtenAt >= WRITE_MILLIS_MIN) this.flush();
  }

  /** Whole or not at all; without a sync, since nothing is lost with it. */
  flush(): void {
    if (this.pending === undefined || this.unwritable) return;
    try {
      const { identity, pending } = this;
      const content = JSON.stringify({ version: VERSION, identity, progress: pending });
      writeFileSync(`${this.path}.tmp`, `${content}\n`);
      renameSync(`${this.path}.tmp`, this.path);
      this.writtenAt = performance.now();
    } catch (error) {
      this.unwritable = true;
      this.onUnwritable(errorMessage(error));
    }
    this.pending = undefined;
  }

  remove(): void {
    this.pending = undefined;
    rmSync(this.path, { force: true });
    rmSync(`${this.path}.tmp`, { force: true });
  }
}

/** A running hash over the rows of a file. */
export class RowChain {
  private readonly hash: Hash = createHash('sha256');

  add(fields: readonly string[]): void {
    this.hash.update(JSON.stringify(fields)).update('\n');
  }

  /** Up to here; more may be added. */
  digest(): string {
    return this.hash.copy().digest('hex');
  }
}
