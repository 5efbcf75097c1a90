import {
  closeSync,
  existsSync,
  openSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { SeededRandom } from '../support/seeded-random.js';

const FLIPS_MAX = 4;
const DATABASE = /^lmdb-[0-9]+$/;

/** What may become of the files that are made of the log, while nobody has them open. Each says whether there was anything to damage. */
export class StateDamage {
  constructor(
    private readonly dataDirectory: string,
    private readonly random: SeededRandom,
  ) {}

  removeState(): boolean {
    const there = existsSync(this.stateDirectory);
    rmSync(this.stateDirectory, { recursive: true, force: true });
    return there;
  }

  truncateDatabase(): boolean {
    const path = this.database();
    if (path === undefined) return false;
    truncateSync(path, this.random.between(0, statSync(path).size - 1));
    return true;
  }

  /** A few bits anywhere in the database: in entries, in what leads to them, in free pages. */
  flipDatabaseBits(): boolean {
    const path = this.database();
    if (path === undefined) return false;
    const flips = this.random.between(1, FLIPS_MAX);
    for (let count = 0; count < flips; count++) this.flipBit(path);
    return true;
  }

  /** Flipped, or cut. */
  damageNewestSnapshot(): boolean {
    const [newest] = this.snapshots();
    if (newest === undefined) return false;
    if (this.random.next() < 0.5) this.flipBit(newest);
    else truncateSync(newest, this.random.between(0, statSync(newest).size - 1));
    return true;
  }

  removeSnapshots(): boolean {
    const there = this.snapshots().length > 0;
    rmSync(this.snapshotDirectory, { recursive: true, force: true });
    return there;
  }

  /** Of the newest generation; undefined when there is none. */
  databaseDirectory(): string | undefined {
    const [newest] = namesIn(this.stateDirectory)
      .filter((name) => DATABASE.test(name))
      .sort((one, other) => numberIn(other) - numberIn(one));
    return newest === undefined ? undefined : join(this.stateDirectory, newest);
  }

  private flipBit(path: string): void {
    const at = this.random.between(0, statSync(path).size - 1);
    const byte = Buffer.alloc(1);
    const file = openSync(path, 'r+');
    readSync(file, byte, 0, 1, at);
    byte.writeUInt8(byte.readUInt8(0) ^ (1 << this.random.between(0, 7)));
    writeSync(file, byte, 0, 1, at);
    closeSync(file);
  }

  /** Undefined when it is empty or not there. */
  private database(): string | undefined {
    const path = join(this.databaseDirectory() ?? '', 'data.mdb');
    return existsSync(path) && statSync(path).size > 0 ? path : undefined;
  }

  /** Newest first, empty ones left out. */
  private snapshots(): readonly string[] {
    return namesIn(this.snapshotDirectory)
      .filter((name) => name.endsWith('.snapshot'))
      .sort((one, other) => numberIn(other) - numberIn(one))
      .map((name) => join(this.snapshotDirectory, name))
      .filter((path) => statSync(path).size > 0);
  }

  private get stateDirectory(): string {
    return join(this.dataDirectory, 'state');
  }

  private get snapshotDirectory(): string {
    return join(this.dataDirectory, 'snapshots');
  }
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function numberIn(name: string): number {
  return Number(/[0-9]+/.exec(name)?.[0] ?? 0);
}
