import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode } from '@holdfast/kernel';
import { logClosed } from '../../event-store.errors.js';
import { syncDirectory, syncDirectoryAsync } from '../../durable-directory.js';
import type { StatePlace } from '../model/state-mark.js';
import type { TreeSeal } from '../pages/state-seal.js';

/** What the directory of the state says of itself, so that a start knows what to expect before it maps the database. */
export interface StateFacts {
  /** Names the directory of the database: `lmdb-<generation>`. */
  readonly generation: number;
  /** Of the last checkpoint that was recorded here; the database may be one ahead. */
  readonly checkpoint?: StatePlace | undefined;
  /** Of the branch pages of a checkpoint's tree: it vouches for the database as long as that is of the same transaction. */
  readonly tree?: TreeSeal | undefined;
  /** True while a start opens the database. Left over, it says that opening it kills the process. */
  readonly opening: boolean;
  /** Starts since the last whole scan that said that all is well. A damaged tree may kill the process while it is scanned. */
  readonly unverifiedStarts: number;
  /** Why the next start makes the state anew. */
  readonly rebuild?: string | undefined;
}

const NAME = 'STATE';
const TITLE = 'holdfast-state 1';
const BYTES_MAX = 65_536;

/**
 * The file `STATE`: replaced as a whole, one replacement after another. A crash leaves the old one or the new one; a damaged one is like a damaged
 * database, which is a cache.
 *
 * Invariant: what has the name is never replaced by something older. Every text gets its name within one turn of this thread, which looks first whether a newer
 * one has it; and a process that others have taken the state from, who begin another generation, gives the name to nothing more.
 */
export class StateRecord {
  private writing: Promise<void> = Promise.resolve();
  /** Of the changes so far, and of the newest one whose text has the name. */
  private changes = 0;
  private named = 0;
  private closed = false;

  constructor(
    private readonly directory: string,
    private current: StateFacts,
  ) {}

  get facts(): StateFacts {
    return this.current;
  }

  /** Durable when it resolves. Rejects with `EVENT_LOG_CLOSED`, when another process has the state by now, and with what the system says. */
  async change(change: Partial<StateFacts>): Promise<void> {
    this.note(change);
    // One after another, and each writes what holds by then. A failure is its own caller's.
    const written = this.writing.then(() => this.write());
    this.writing = written.catch(() => undefined);
    await written;
  }

  /** For a process that may not live to the next turn of the event loop. Throws what `change` rejects with. */
  changeNow(change: Partial<StateFacts>): void {
    this.note(change);
    const temporary = this.temporary('now.tmp');
    const descriptor = fs.openSync(temporary, 'w', 0o640);
    try {
      try {
        fs.writeSync(descriptor, textOf(this.current));
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      this.name(temporary, this.changes);
    } finally {
      removeUnnamed(temporary);
    }
    syncDirectory(this.directory);
  }

  /** Nothing is written any more once it resolves: the directory may be another's by then. */
  async close(): Promise<void> {
    this.closed = true;
    await this.writing;
  }

  private note(change: Partial<StateFacts>): void {
    if (this.closed) throw logClosed();
    this.current = { ...this.current, ...change };
    this.changes++;
  }

  private async write(): Promise<void> {
    const temporary = this.temporary('tmp');
    const { changes } = this;
    const file = await open(temporary, 'w', 0o640);
    try {
      try {
        await file.writeFile(textOf(this.current));
        await file.sync();
      } finally {
        await file.close();
      }
      this.name(temporary, changes);
    } finally {
      removeUnnamed(temporary);
    }
    await syncDirectoryAsync(this.directory);
  }

  /**
   * Crash before the rename: the old record. After it: the new one, which was synced before it got its name. While a text was on its way, `changeNow` may have
   * named a newer one, which holds what this one says: that one stays, and the caller's sync of the directory makes it durable.
   */
  private name(temporary: string, changes: number): void {
    if (changes < this.named) return;
    const found = readStateFacts(this.directory);
    if (typeof found === 'object' && found.generation > this.current.generation)
      throw new Error(`${this.directory} belongs to another process, which took the log over`);
    fs.renameSync(temporary, join(this.directory, NAME));
    this.named = changes;
  }

  /** Of this generation: a process that the state was taken from may wake, and still write what it had begun. */
  private temporary(suffix: string): string {
    return join(this.directory, `${NAME}.${this.current.generation}.${suffix}`);
  }
}

/** Undefined when there is none; `damaged` when it is not what was written. */
export function readStateFacts(directory: string): StateFacts | 'damaged' | undefined {
  let text: string;
  try {
    text = fs.readFileSync(join(directory, NAME)).toString('utf8', 0, BYTES_MAX);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  const [title, body = '', checksum] = text.split('\n');
  if (title !== TITLE || checksum !== checksumText(body)) return 'damaged';
  return JSON.parse(body) as StateFacts;
}

/** A text that failed, or came too late, must not take the room of the next. */
function removeUnnamed(temporary: string): void {
  fs.rmSync(temporary, { force: true });
}

function textOf(facts: StateFacts): string {
  const body = JSON.stringify(facts);
  return `${TITLE}\n${body}\n${checksumText(body)}\n`;
}

function checksumText(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
