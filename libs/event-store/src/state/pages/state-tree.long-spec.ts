import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SeededRandom } from '@holdfast/wal/testing';
import {
  type StateDatabase,
  databaseFile,
  imageOf,
  openStateDatabase,
  storedValue,
} from '../database/state-database.js';
import { takeBackNewest } from './state-pages.js';
import { faultOfFreePages, sealOf } from './state-seal.js';
import { StateTree } from './state-tree.js';
import { StateThread } from '../thread/state-thread.js';
import { CheckpointChunks } from '../store/checkpoint-chunks.js';

const SEED = 20_261_123;

describe('the tree of the state, read from its file', () => {
  let directory: string;
  let database: StateDatabase;
  let tree: StateTree;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'state-tree-'));
    database = openStateDatabase(directory);
    put(new Map([['first', 10]]));
    tree = new StateTree(databaseFile(directory));
  });

  afterEach(async () => {
    tree.close();
    await database.close();
    rmSync(directory, { recursive: true });
  });

  function put(changes: ReadonlyMap<string, number | undefined>): void {
    database.transactionSync(() => {
      for (const [name, bytes] of changes) {
        const key = Buffer.from(name);
        const image = imageOf(key, Buffer.alloc(bytes ?? 0, 0x78));
        if (bytes === undefined) database.removeSync(key);
        else database.putSync(key, storedValue(image, 2 + key.length));
      }
    });
  }

  const faultOf = (name: string): string | undefined => tree.faultOfAbsence(Buffer.from(name));

  it('agrees with LMDB about every key, whatever was put and removed: small values, large ones, long keys', () => {
    const random = new SeededRandom(SEED);
    const live = new Set(['first']);
    const nameOf = (): string => {
      const number = String(random.below(4_000));
      return number.padEnd(Number(number) % 50 === 0 ? 900 : 5, '-');
    };
    for (let round = 0; round < 30; round++) {
      const changes = new Map<string, number | undefined>();
      const isShrinking = round % 10 > 6;
      for (let change = 0; change < 800; change++) {
        const goes = random.below(10) < (isShrinking ? 9 : 3);
        const bytes = random.below(40) === 0 ? 1_500 + random.below(9_000) : random.below(150);
        changes.set(nameOf(), goes ? undefined : bytes);
      }
      put(changes);
      for (const [name, bytes] of changes)
        if (bytes === undefined) live.delete(name);
        else live.add(name);
      const faults = Array.from({ length: 300 }, nameOf)
        .map((name) => ({ name, isLive: live.has(name), fault: faultOf(name) }))
        .filter(
          ({ isLive, fault }) => fault !== (isLive ? 'a key is not found where it is' : undefined),
        );
      expect(faults).toEqual([]);
      expect(sealOf(databaseFile(directory))).toMatchObject({ checksum: expect.any(Number) });
    }
  });

  it('has another seal after each commit, and the same one after the database was closed and opened', async () => {
    const before = sealOf(databaseFile(directory));
    await database.close();
    database = openStateDatabase(directory);
    expect(sealOf(databaseFile(directory))).toEqual(before);
    put(new Map([['second', 10]]));
    expect(sealOf(databaseFile(directory))).not.toEqual(before);
  });

  it('still has the whole of the checkpoint before, and makes it the newest again', async () => {
    const random = new SeededRandom(7);
    const file = databaseFile(directory);
    const keysNow = (): string[] =>
      Array.from(database.getKeys(), (key) => Buffer.from(key).toString('latin1'));
    let [seal, keys] = [sealOf(file), keysNow()];
    for (let round = 0; round < 40; round++) {
      // A transaction that changes nothing is none.
      const changes = new Map<string, number | undefined>([['each', round]]);
      const count = random.below(400);
      for (let change = 0; change < count; change++) {
        const bytes = random.below(30) === 0 ? 5_000 : random.below(200);
        changes.set(String(random.below(3_000)), random.below(3) === 0 ? undefined : bytes);
      }
      put(changes);
      expect(sealOf(file, 'before')).toEqual(seal);
      if (random.below(2) === 0) {
        await database.close();
        takeBackNewest(file);
        database = openStateDatabase(directory);
        expect([sealOf(file), keysNow()]).toEqual([seal, keys]);
        expect(faultOfFreePages(file)).toBeUndefined();
      } else [seal, keys] = [sealOf(file), keysNow()];
    }
  });

  it('gives no false alarm while a thread commits checkpoints', async () => {
    const thread = new StateThread(directory);
    const mark = {
      logId: 'l',
      position: 1,
      timeline: 't',
      lastRecordedAtMillis: 0,
      stateVersion: 'v',
      atMillis: 0,
    };
    let asked = 0;
    try {
      for (let round = 0; round < 30; round++) {
        const chunks = new CheckpointChunks();
        for (let number = 0; number < 300; number++) {
          const key = Buffer.from(`k${(number * 37 + round * 11) % 1_000}`);
          const head = imageOf(key, Buffer.alloc(0));
          chunks.add(head, number % 3 === 0 ? undefined : 'x'.repeat(60));
        }
        const changes = chunks.finish();
        const progress = { isDone: false };
        const written = thread
          .run({
            kind: 'checkpoint',
            changes,
            mark: { ...mark, position: round },
            isTrusted: false,
          })
          .finally(() => (progress.isDone = true));
        while (!progress.isDone) {
          // No key of these is in any checkpoint.
          for (let number = 0; number < 20; number++, asked++)
            expect(faultOf(`k${number * 50}!`)).toBeUndefined();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await written;
      }
    } finally {
      await thread.close();
    }
    expect(asked).toBeGreaterThan(1_000);
  });
});
