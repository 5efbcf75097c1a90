import { type FileSystem, readSmallFile, replaceFile } from './file-system.js';
import { checkedLines, withChecksum } from './manifest.js';
import type { Sequence } from './wal.types.js';
import { WalError } from './wal.errors.js';

export const FLOORS_NAME = 'FLOORS';
const FLOORS_BYTES_MAX = 1024 * 1024;
/** Every consumer has a name; more than this many is a mistake, not a use. */
export const FLOORS_MAX = 1000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
const TITLE = 'holdfast-wal-floors 1';

/**
 * Named retention floors: the lowest sequence that somebody still needs. A floor is a promise that everything below it was durable
 * once, so recovery counts it. A damaged file is an error, not an empty list: an empty list would let segments go.
 */
export class Floors {
  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly durableSequence: () => Sequence,
    private entries: ReadonlyMap<string, Sequence>,
  ) {}

  static open(fileSystem: FileSystem, directory: string, durableSequence: () => Sequence): Floors {
    return new Floors(fileSystem, directory, durableSequence, readFloors(fileSystem, directory));
  }

  /** Everything by name, lowest first. */
  all(): ReadonlyMap<string, Sequence> {
    return new Map([...this.entries].sort(([, a], [, b]) => a - b));
  }

  /** The lowest floor of all, or undefined when nobody set one. */
  lowest(): Sequence | undefined {
    return [...this.entries.values()].reduce<Sequence | undefined>(
      (low, floor) => (low === undefined || floor < low ? floor : low),
      undefined,
    );
  }

  /** Durable when it returns. Throws `WAL_FLOOR_ABOVE_DURABLE`, `WAL_INVALID_FLOOR`. */
  set(name: string, sequence: Sequence): void {
    if (!NAME.test(name))
      throw new WalError('WAL_INVALID_FLOOR', `'${name}' is not a floor's name`, { name });
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      throw new WalError('WAL_INVALID_FLOOR', `a floor is a sequence, not ${sequence}`, { name });
    }
    if (sequence > this.durableSequence()) {
      throw new WalError(
        'WAL_FLOOR_ABOVE_DURABLE',
        `floor '${name}' at ${sequence} is above the durable sequence ${this.durableSequence()}`,
        { name, sequence, durableSequence: this.durableSequence() },
      );
    }
    if (!this.entries.has(name) && this.entries.size >= FLOORS_MAX) {
      throw new WalError('WAL_INVALID_FLOOR', `there are ${FLOORS_MAX} floors already`, { name });
    }
    this.replace(new Map(this.entries).set(name, sequence));
  }

  /** Durable when it returns; nothing happens when there is none of that name. */
  drop(name: string): void {
    if (!this.entries.has(name)) return;
    const rest = new Map(this.entries);
    rest.delete(name);
    this.replace(rest);
  }

  private replace(entries: ReadonlyMap<string, Sequence>): void {
    const lines = [TITLE, ...[...entries].map(([name, sequence]) => `${sequence} ${name}`)];
    replaceFile(
      this.fileSystem,
      this.directory,
      FLOORS_NAME,
      Buffer.from(withChecksum(lines), 'latin1'),
    );
    this.entries = entries;
  }
}

/** Empty when there is no file. Throws `WAL_CORRUPT` when it is damaged. */
export function readFloors(
  fileSystem: FileSystem,
  directory: string,
): ReadonlyMap<string, Sequence> {
  const path = `${directory}/${FLOORS_NAME}`;
  const content = readSmallFile(fileSystem, path, FLOORS_BYTES_MAX);
  if (content === undefined) return new Map();
  const [title, ...lines] = checkedLines(content.toString('latin1')) ?? [];
  const entries = lines.map((line) => /^([0-9]+) (.+)$/.exec(line));
  if (title !== TITLE || entries.includes(null)) {
    throw new WalError('WAL_CORRUPT', `${path} is damaged; nothing was changed`, { file: path });
  }
  return new Map(entries.map((entry) => [entry?.[2] ?? '', Number(entry?.[1]) as Sequence]));
}
