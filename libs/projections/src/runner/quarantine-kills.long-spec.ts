import type { Position } from '@holdfast/event-store';
import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqliteReadModel } from '../store/sqlite/sqlite-read-model.js';
import { SqliteReadModelStore } from '../store/sqlite/sqlite-read-model-store.js';
import { LogUnderTest, type TestEvent } from '../testing/log-under-test.js';
import type { TallyRow } from '../testing/read-model.contract.js';
import { tally } from '../testing/tally.js';
import { killed, typescriptChild } from '../testing/typescript-child.js';

const WORKER = new URL('../testing/quarantine-worker.ts', import.meta.url);
const LONG_MILLIS = 300_000;
const LIVES_MILLIS_MAX = 250;
const STREAMS = 23;
const COMMITS = 300;

let log: LogUnderTest;
let child: ChildProcess | undefined;

beforeEach(async () => {
  log = await LogUnderTest.create();
});
afterEach(async () => {
  if (child !== undefined) await killed(child);
  await log.dispose();
});

const directory = () => join(log.directory, '..', 'read-models');

async function live(fault: 'faulty' | 'mended', isDone: () => Promise<boolean>): Promise<void> {
  for (let lives = 0; lives < runs({ short: 2, long: 12 }); lives += 1) {
    child = await typescriptChild(WORKER, log.directory, directory(), fault);
    await sleep(randomInt(LIVES_MILLIS_MAX));
    await killed(child);
  }
  child = await typescriptChild(WORKER, log.directory, directory(), fault);
  while (!(await isDone())) await sleep(20);
  await killed(child);
}

/** Which streams a commit touches, and whether it is refused, by its number. */
function commitOf(index: number): {
  readonly streams: readonly string[];
  readonly poison: boolean;
} {
  const streams = [index % STREAMS, (index * 7) % STREAMS].map((number) => `s-${number}`);
  return { streams: [...new Set(streams)], poison: index % 60 === 31 };
}

it(
  'loses nothing and applies nothing twice, however often the worker is killed while it sets commits aside and while it releases them',
  async () => {
    const held = new Set<string>();
    const before = new Map<string, number>();
    const whole = new Map<string, number>();
    for (let index = 0; index < COMMITS; index += 1) {
      const { streams, poison } = commitOf(index);
      const waits = poison || streams.some((stream) => held.has(stream));
      log.appendSoon(
        ...streams.map((stream): TestEvent => ({
          type: 'counted',
          stream,
          data: { amount: 1, poison },
        })),
      );
      for (const stream of streams) {
        whole.set(stream, (whole.get(stream) ?? 0) + 1);
        if (waits) held.add(stream);
        else before.set(stream, (before.get(stream) ?? 0) + 1);
      }
    }
    const last: Position = log.log.lastPosition;
    await log.log.whenDurable(last);
    const model = SqliteReadModel.open({ directory: directory(), projection: tally() });
    const store = SqliteReadModelStore.open({ directory: directory(), projection: tally() });
    const counts = () =>
      new Map(
        model
          .read((now) => now.prepare<[], TallyRow>('SELECT * FROM tally').all())
          .map(({ stream, events }) => [stream, events]),
      );
    await live('faulty', () => Promise.resolve(model.position === last));
    expect(counts()).toEqual(before);
    const [list] = await store.quarantine.list();
    expect(
      list!.commits.filter(({ attempts }) => attempts > 0).map(({ attempts }) => attempts),
    ).toContain(2);
    await store.quarantine.release(undefined);
    await live('mended', async () => (await store.quarantine.list())[0]!.commits.length === 0);
    expect(counts()).toEqual(whole);
    model.close();
    await store.close();
  },
  LONG_MILLIS,
);
