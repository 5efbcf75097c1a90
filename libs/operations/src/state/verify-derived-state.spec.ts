import { WalEventLog } from '@holdfast/event-store';
import {
  ProjectionRunner,
  type SqlProjection,
  SourceFeed,
  SqliteReadModelStore,
  type SqliteTransaction,
} from '@holdfast/projections';
import { SimulatedFileSystem } from '@holdfast/wal/simulation';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type DerivedState, verifyDerivedState } from './verify-derived-state.js';

type Counting = SqlProjection<SqliteTransaction>;

/** Counts events, so many for each. */
function counting(name: string, each = 1): Counting {
  return {
    ...{ name, version: 1, handles: ['Counted'], tables: ['CREATE TABLE counted (n INTEGER)'] },
    apply: (events, tables) => {
      const insert = tables.prepare('INSERT INTO counted VALUES (?)');
      events.forEach(() => insert.run(each));
    },
  };
}

describe('the proof of what a service makes of its log', () => {
  let root: string;
  let log: WalEventLog;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-proof-'));
    const fileSystem = SimulatedFileSystem.on();
    log = await WalEventLog.open('/log', { wal: { fileSystem, create: true } });
    const events = [{ id: randomUUID(), type: 'Counted', schemaVersion: 1, data: {} }];
    log.append({ appends: [{ stream: 's', expectedVersion: 'any', events }], recordedAtMillis: 1 });
    await log.wal.flush();
  });
  afterEach(async () => {
    await log.close();
    rmSync(root, { recursive: true });
  });

  async function follow(projection: Counting): Promise<void> {
    const store = SqliteReadModelStore.open({ directory: root, projection });
    const feed = new SourceFeed(log);
    const runner = new ProjectionRunner({ feed, store });
    const stopping = new AbortController();
    const running = runner.run(stopping.signal);
    while (runner.status.position < log.durablePosition) await setImmediate();
    stopping.abort();
    await running;
    await feed.close();
    await store.close();
  }

  const proofOf = (service: Omit<DerivedState, 'model'>) =>
    verifyDerivedState(
      {
        ...{ records: log.wal, events: log, readModelDirectory: root },
        ...{ stateDirectory: join(root, 'state'), snapshotDirectory: join(root, 'snapshots') },
        service: { model: { schemas: [], evolve: () => undefined }, ...service },
      },
      { signal: new AbortController().signal, progress: () => undefined },
    );
  const NO_STATE = 'There is no checkpoint here, so no state was compared.';

  it('compares every read model', async () => {
    await follow(counting('first'));
    await follow(counting('second', 2));
    const readModels = [counting('first'), counting('second')];
    const proof = await proofOf({ readModels });
    expect(proof).toMatchObject({
      ...{ sound: false, unverified: [NO_STATE] },
      readModels: { first: { equal: true }, second: { equal: false } },
    });
    expect(proof.readModel).toEqual(proof.readModels['first']);
  });

  it('is not complete where the service does not name one, or one is not there', async () => {
    await follow(counting('first'));
    await follow(counting('second', 2));
    expect(await proofOf({ projection: counting('first') })).toMatchObject({
      ...{ sound: true, complete: false },
      unverified: [
        NO_STATE,
        'The service names no projection second, so its read model was not compared.',
      ],
    });
    const readModels = ['first', 'second', 'third'].map((name) => counting(name));
    expect((await proofOf({ readModels })).unverified).toEqual([
      NO_STATE,
      'There is no read model third here, so it was not compared.',
    ]);
  });
});
