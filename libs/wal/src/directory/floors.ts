import { readSmallFile } from '../disk/file-reading.js';
import { type FileSystem, replaceFile } from '../disk/file-system.js';
import { checkedLines, withChecksum } from '../format/checked-lines.js';
import { WalError } from '../wal.errors.js';
import type { Sequence } from '../wal.types.js';

const FLOORS_FILE = /^FLOORS-([1-9][0-9]*)$/;
const FLOORS_BYTES_MAX = 1024 * 1024;
/** Every consumer has a name; more than this many is a mistake, not a use. The owner's own come on top. */
export const FLOORS_MAX = 1000;
/** Floors of whoever owns the log. Without them nothing is checkpointed, archived or removed, so their places are nobody else's. */
const OWN_FLOORS: ReadonlySet<string> = new Set(['archive', 'checkpoint']);
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
const TITLE = 'holdfast-wal-floors 1';

/** What floors must know of the writer that keeps them. */
export interface FloorKeeper {
  readonly epoch: number;
  readonly durableSequence: Sequence;
  /** Throws `WAL_FENCED` once another writer has taken over. */
  assertUnfenced(): void;
}

/**
 * Named retention floors. A floor N at sequence S means: N needs nothing up to S, and everything after it. A segment may go when all of it lies below
 * every floor. The segment that holds S itself stays, so that a reader at S can be asked for its timeline.
 *
 * A floor also promises that S was durable, so recovery counts it. A damaged file is an error, not an empty list: an empty list would let segments go.
 *
 * Each writer has its own file, FLOORS-<epoch>, and the highest epoch counts. So a writer that was stopped in the middle of a replacement, and wakes up
 * after another has taken over, cannot put its old floors in the place of the new ones.
 */
export class Floors {
  private readonly pins = new Map<string, Sequence>();
  private lastPin = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly keeper: FloorKeeper,
    /** As `readFloors` has found them. */
    private entries: ReadonlyMap<string, Sequence>,
  ) {}

  /** All floors by name, lowest first. */
  all(): ReadonlyMap<string, Sequence> {
    return new Map([...this.entries].sort(([, a], [, b]) => a - b));
  }

  /** What keeps segments now: the floors, and the pins of work in this process. Lowest first. */
  holding(): ReadonlyMap<string, Sequence> {
    return new Map([...this.entries, ...this.pins].sort(([, a], [, b]) => a - b));
  }

  /**
   * A floor for the duration of some work in this process, such as a backup. Only this process removes segments, so the pin need not survive it. Returns
   * the function that releases it.
   */
  pin(name: string, sequence: Sequence): () => void {
    const key = `${name}#${++this.lastPin}`;
    this.pins.set(key, sequence);
    return () => {
      this.pins.delete(key);
    };
  }

  /** The lowest floor, or undefined if there is none. */
  lowest(): Sequence | undefined {
    return [...this.entries.values()].reduce<Sequence | undefined>(
      (low, floor) => (low === undefined || floor < low ? floor : low),
      undefined,
    );
  }

  /**
   * Sets a floor; durable when it returns.
   *
   * @throws `WAL_INVALID_FLOOR`: not a name, not a sequence, or one floor too many.
   * @throws `WAL_FLOOR_ABOVE_DURABLE`.
   * @throws `WAL_FENCED`, `WAL_CLOSED`, and the errors of the disk.
   */
  set(name: string, sequence: Sequence): void {
    if (!NAME.test(name))
      throw new WalError('WAL_INVALID_FLOOR', `'${name}' is not a floor's name`, { name });
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      throw new WalError('WAL_INVALID_FLOOR', `a floor is a sequence, not ${sequence}`, { name });
    }
    if (sequence > this.keeper.durableSequence) {
      throw new WalError(
        'WAL_FLOOR_ABOVE_DURABLE',
        `floor '${name}' at ${sequence} is above the durable sequence ${this.keeper.durableSequence}`,
        { name, sequence, durableSequence: this.keeper.durableSequence },
      );
    }
    if (!this.entries.has(name) && !OWN_FLOORS.has(name) && this.consumers() >= FLOORS_MAX) {
      throw new WalError('WAL_INVALID_FLOOR', `there are ${FLOORS_MAX} floors already`, { name });
    }
    this.replace(new Map(this.entries).set(name, sequence));
  }

  /**
   * Removes a floor; durable when it returns. Does nothing if there is none of that name.
   *
   * @throws `WAL_FENCED`, `WAL_CLOSED`, and the errors of the disk.
   */
  drop(name: string): void {
    if (!this.entries.has(name)) return;
    const rest = new Map(this.entries);
    rest.delete(name);
    this.replace(rest);
  }

  private consumers(): number {
    return [...this.entries.keys()].filter((name) => !OWN_FLOORS.has(name)).length;
  }

  private replace(entries: ReadonlyMap<string, Sequence>): void {
    this.keeper.assertUnfenced();
    const lines = [TITLE, ...[...entries].map(([name, sequence]) => `${sequence} ${name}`)];
    const content = Buffer.from(withChecksum(lines), 'latin1');
    const own = `FLOORS-${this.keeper.epoch}`;
    try {
      replaceFile(this.fileSystem, this.directory, own, content);
    } catch (error) {
      // A successor removes temporary files, ours among them.
      this.keeper.assertUnfenced();
      throw error;
    }
    this.entries = entries;
    // Crash before this: two files, and the higher epoch counts.
    for (const file of floorsFiles(this.fileSystem, this.directory)) {
      if (file !== own && epochOf(file) < this.keeper.epoch)
        this.fileSystem.unlink(`${this.directory}/${file}`);
    }
  }
}

/** How often a file may be gone that was listed: each time another writer has begun. */
const LOOKS_MAX = 10;

/** Those of the highest epoch; empty when there is no file. Throws `WAL_CORRUPT` when it is damaged. */
export function readFloors(
  fileSystem: FileSystem,
  directory: string,
  looksLeft = LOOKS_MAX,
): ReadonlyMap<string, Sequence> {
  const newest = floorsFiles(fileSystem, directory).at(-1);
  if (newest === undefined) return new Map();
  const path = `${directory}/${newest}`;
  const content = readSmallFile(fileSystem, path, FLOORS_BYTES_MAX);
  // Beside a writer that has just begun: it removes the file of the one before it when its own is durable.
  if (content === undefined && looksLeft > 1)
    return readFloors(fileSystem, directory, looksLeft - 1);
  const [title, ...lines] = checkedLines(content?.toString('latin1') ?? '') ?? [];
  const entries = lines.map((line) => /^([0-9]+) (.+)$/.exec(line));
  if (title !== TITLE || entries.includes(null)) {
    throw new WalError('WAL_CORRUPT', `${path} is damaged; nothing was changed`, { file: path });
  }
  return new Map(entries.map((entry) => [entry?.[2] ?? '', Number(entry?.[1]) as Sequence]));
}

/** Lowest epoch first. */
function floorsFiles(fileSystem: FileSystem, directory: string): string[] {
  const files = fileSystem.list(directory).filter((file) => FLOORS_FILE.test(file));
  return files.sort((a, b) => epochOf(a) - epochOf(b));
}

/** Of whom there are floors, whether they count or not. */
export function floorsEpochs(fileSystem: FileSystem, directory: string): readonly number[] {
  return floorsFiles(fileSystem, directory).map(epochOf);
}

function epochOf(file: string): number {
  return Number(FLOORS_FILE.exec(file)?.[1]);
}

/** The floor that archiving keeps: what follows it has not been archived. */
export const ARCHIVE_FLOOR = 'archive';
