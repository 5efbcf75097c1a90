import * as fs from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode } from '@holdfast/kernel';
import { syncDirectory } from './snapshot-file.js';
import type { TreeSeal } from './state-seal.js';

/** Which events a state is of. */
export interface StatePlace {
  readonly logId: string;
  readonly position: number;
  /** Of the segment that held the position. */
  readonly timeline: string;
}

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
 */
export class StateRecord {
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly directory: string,
    private current: StateFacts,
  ) {}

  get facts(): StateFacts {
    return this.current;
  }

  /** Durable when it resolves. */
  change(change: Partial<StateFacts>): Promise<void> {
    this.current = { ...this.current, ...change };
    // One after another, and each writes what holds by then: no older text can replace a newer one. A failure is its own caller's.
    const written = this.writing.then(() => this.write());
    this.writing = written.catch(() => undefined);
    return written;
  }

  /** For a process that may not live to the next turn of the event loop. */
  changeNow(change: Partial<StateFacts>): void {
    this.current = { ...this.current, ...change };
    const temporary = join(this.directory, `${NAME}.now.tmp`);
    const descriptor = fs.openSync(temporary, 'w', 0o640);
    try {
      fs.writeSync(descriptor, textOf(this.current));
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    // Crash before this: the old record. After it: the new one, which was synced before it got its name.
    fs.renameSync(temporary, join(this.directory, NAME));
    syncDirectory(this.directory);
  }

  /** Waits for every change so far. */
  settled(): Promise<void> {
    return this.writing;
  }

  private async write(): Promise<void> {
    const temporary = join(this.directory, `${NAME}.tmp`);
    const file = await open(temporary, 'w', 0o640);
    try {
      await file.writeFile(textOf(this.current));
      await file.sync();
    } finally {
      await file.close();
    }
    // As in `changeNow`.
    await rename(temporary, join(this.directory, NAME));
    const directory = await open(this.directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
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

function textOf(facts: StateFacts): string {
  const body = JSON.stringify(facts);
  return `${TITLE}\n${body}\n${checksumText(body)}\n`;
}

function checksumText(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
