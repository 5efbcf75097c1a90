import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runs } from '@holdfast/kernel/testing';
import { SeededRandom } from '@holdfast/wal/testing';
import { faultUnder } from './state-changes.js';
import {
  type StateDatabase,
  databaseFile,
  imageOf,
  openStateDatabase,
  storedValue,
} from '../database/state-database.js';
import { faultOfFreePages } from './state-seal.js';
import { StateTree } from './state-tree.js';

const SEED = 20_261_125;
const PAGE_BYTES = 4_096;
/** Within a page: the count of its keys, doubled. */
const LOWER_AT = 20;

/** Bytes of the values; undefined for an entry that goes. */
type Changes = ReadonlyMap<string, number | undefined>;

describe('the leaves that a transaction would change', () => {
  let directory: string;
  let database: StateDatabase;
  let live: Set<string>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'state-changes-'));
    database = openStateDatabase(directory);
    live = new Set();
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  function put(changes: Changes): void {
    database.transactionSync(() => {
      for (const [name, bytes] of changes) {
        const key = Buffer.from(name);
        const image = imageOf(key, Buffer.alloc(bytes ?? 0, 0x78));
        if (bytes === undefined) database.removeSync(key);
        else database.putSync(key, storedValue(image, 2 + key.length));
      }
    });
    for (const [name, bytes] of changes)
      if (bytes === undefined) live.delete(name);
      else live.add(name);
  }

  const keysOf = (changes: Changes) =>
    Array.from(changes, ([name, bytes]) => ({
      key: Buffer.from(name),
      isDeletion: bytes === undefined,
    }));

  /** The leaves of every entry. */
  function leaves(): Set<number> {
    const tree = new StateTree(databaseFile(directory));
    try {
      const version = tree.newest();
      return new Set(Array.from(live, (name) => version.leafAt(Buffer.from(name)).page));
    } finally {
      tree.close();
    }
  }

  /** Leaves that the transaction changes and whose damage would not have been noticed. */
  function missedBy(changes: Changes): number[] {
    const before = join(directory, 'before');
    copyFileSync(databaseFile(directory), before);
    expect(faultUnder(before, keysOf(changes))).toBeUndefined();
    const old = leaves();
    put(changes);
    const kept = leaves();
    const image = readFileSync(before);
    const descriptor = openSync(before, 'r+');
    try {
      const changed = [...old].filter((page) => !kept.has(page));
      // The short form takes as many of them, spread over the tree.
      const oneIn = Math.ceil(changed.length / runs({ short: 6, long: changed.length }));
      return changed.filter((page, number) => {
        if (number % oneIn > 0) return false;
        const at = page * PAGE_BYTES + LOWER_AT;
        writeSync(descriptor, Uint8Array.of(image.readUInt8(at) ^ 2), 0, 1, at);
        const fault = faultUnder(before, keysOf(changes));
        writeSync(descriptor, image, at, 1, at);
        return fault === undefined;
      });
    } finally {
      closeSync(descriptor);
    }
  }

  it.each([
    { keyBytes: 5, valueBytes: 150, bigOneIn: 40, entries: 4_000 },
    { keyBytes: 5, valueBytes: 1_900, bigOneIn: 5, entries: 1_000 },
    { keyBytes: 900, valueBytes: 60, bigOneIn: 40, entries: 1_000 },
    { keyBytes: 1_900, valueBytes: 60, bigOneIn: 40, entries: 400 },
  ])(
    'are all verified: keys of $keyBytes bytes, values of up to $valueBytes',
    ({ keyBytes, valueBytes, bigOneIn, entries }) => {
      const random = new SeededRandom(SEED);
      const nameOf = (number: number): string => String(number % entries).padEnd(keyBytes, '-');
      const bytesOf = (): number =>
        random.below(bigOneIn) === 0 ? 1_500 + random.below(9_000) : random.below(valueBytes);
      put(new Map(Array.from({ length: entries }, (_, number) => [nameOf(number), bytesOf()])));
      for (let round = 0; round < runs({ short: 8, long: 16 }); round++) {
        const changes = new Map<string, number | undefined>();
        const from = random.below(entries);
        // By turns: far apart, and close together, which empties whole branches, and fills them.
        const isClose = round % 2 === 0;
        const goes = [3, 9, 10, 1][(round >> 1) % 4] ?? 0;
        for (let change = 0; change < 60; change++) {
          const number = isClose ? from + random.below(80) : random.below(entries);
          changes.set(nameOf(number), random.below(10) < goes ? undefined : bytesOf());
        }
        const missed = missedBy(changes);
        if (missed.length > 0) throw new Error(`seed ${SEED}, round ${round}: ${missed.join(' ')}`);
        expect(faultOfFreePages(databaseFile(directory))).toBeUndefined();
      }
    },
    60_000,
  );
});
