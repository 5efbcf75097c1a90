import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { BEFORE_FIRST, type Wal } from '@holdfast/wal';
import {
  type DiskImage,
  DiskReplay,
  SeededRandom,
  SimulatedFileSystem,
  openSimulated,
} from '@holdfast/wal/testing';
import { type Operation, type SequentialModel, linearization } from './linearizability.js';

/*
 * Writers and readers of one log at the same time, while the power goes again and again, and takes of what was not synced what it likes (as LazyFS does with a
 * real file system). What they have been told must be what a log would have said that does one thing after another and never crashes: an append takes effect
 * when it is durable, and a read sees what is durable. This is what etcd was held to (etcd-io/etcd#14098, #14370).
 */

type Input = { readonly append: readonly string[] } | 'read' | 'how many are durable';
/** Of an append, the sequence of its first record. */
type Output =
  { readonly first: number } | { readonly records: string } | { readonly count: number };
type Records = readonly string[];

const log: SequentialModel<Records, Input, Output> = {
  initial: [],
  step(records, input, output) {
    if (typeof input === 'object') {
      const longer = [...records, ...input.append];
      // The power went: it is there, or it is not.
      if (output === undefined) return [records, longer];
      return 'first' in output && output.first === records.length + 1 ? [longer] : [];
    }
    const isSeen =
      output === undefined ||
      ('records' in output && output.records === records.join()) ||
      ('count' in output && output.count === records.length);
    return isSeen ? [records] : [];
  },
  key: (records) => records.join(),
};

const CLIENTS = 5;
const LIVES = 4;
const TURNS_OF_LIFE_MAX = 14;

/** When a client takes an append for done: once it is durable, or, to see that this would be noticed, as soon as it is admitted. */
type Acknowledgement = 'durable' | 'admitted';

async function historyOf(
  seed: number,
  acknowledgement: Acknowledgement,
): Promise<Operation<Input, Output>[]> {
  const random = new SeededRandom(seed);
  const history: Operation<Input, Output>[] = [];
  let time = 0;
  let named = 0;

  async function recorded(
    input: Input,
    run: () => Promise<Output>,
    cut: AbortSignal,
  ): Promise<void> {
    const calledAt = time++;
    const at = history.push({ input, calledAt }) - 1;
    // What fails is unknown: the power has gone, or is about to.
    const output = await run().catch(() => undefined);
    if (output !== undefined && !cut.aborted)
      history[at] = { input, output, calledAt, returnedAt: time++ };
  }

  async function client(wal: Wal, cut: AbortSignal): Promise<void> {
    while (!cut.aborted) {
      const kind = random.below(4);
      if (kind === 0) {
        await recorded('read', async () => ({ records: await textOf(wal) }), cut);
      } else if (kind === 1) {
        const count = (): Promise<Output> => Promise.resolve({ count: wal.durableSequence });
        await recorded('how many are durable', count, cut);
      } else {
        const append = Array.from({ length: 1 + random.below(3) }, () => `r${named++}`);
        await recorded({ append }, () => appended(wal, append, acknowledgement), cut);
      }
      for (let turns = random.below(3); turns > 0; turns--) await setImmediate();
    }
  }

  let image: DiskImage | undefined;
  for (let life = 1; life <= LIVES; life++) {
    const system = SimulatedFileSystem.on(image);
    const wal = await openSimulated(system, {}, seed * 10 + life);
    const cut = new AbortController();
    const clients = Array.from({ length: CLIENTS }, () => client(wal, cut.signal));
    for (let turns = 2 + random.below(TURNS_OF_LIFE_MAX); turns > 0; turns--) await setImmediate();
    cut.abort();
    system.kill();
    image = afterCut(system, random);
    await wal.close().catch(() => undefined);
    await Promise.all(clients);
    // What has not taken effect by now never will.
    for (const [at, operation] of history.entries())
      history[at] = { returnedAt: time++, ...operation };
  }
  const wal = await openSimulated(SimulatedFileSystem.on(image), {}, seed);
  await recorded(
    'read',
    async () => ({ records: await textOf(wal) }),
    new AbortController().signal,
  );
  await wal.close();
  return history;
}

async function appended(
  wal: Wal,
  records: readonly string[],
  acknowledgement: Acknowledgement,
): Promise<Output> {
  const admission = wal.append(records.map((text) => Buffer.from(text)));
  if (acknowledgement === 'durable') await admission.durable;
  else admission.durable.catch(() => undefined);
  return { first: admission.first };
}

async function textOf(wal: Wal): Promise<string> {
  const records: string[] = [];
  for await (const { payload } of wal.read({ after: BEFORE_FIRST }))
    records.push(Buffer.from(payload).toString());
  return records.join();
}

/** Each write that was not synced has reached the disk or not; of names, those up to some moment. */
function afterCut({ disk }: SimulatedFileSystem, random: SeededRandom): DiskImage {
  const replay = new DiskReplay(disk);
  for (const operation of disk.operations) replay.apply(operation);
  return replay.image(
    replay.pendingChanges.filter(() => random.below(2) === 0),
    replay.pendingEntries.slice(0, random.below(replay.pendingEntries.length + 1)),
  );
}

describe('what a log has told its writers and readers, through power cuts', () => {
  const SEEDS = 80;
  const TIMEOUT_MILLIS = 300_000;

  it(
    'is what one thing after another would have told them',
    async () => {
      const told = { operations: 0, unknown: 0 };
      for (let seed = 1; seed <= SEEDS; seed++) {
        const history = await historyOf(seed, 'durable');
        told.operations += history.length;
        told.unknown += history.filter(({ output }) => output === undefined).length;
        if (linearization(log, history) === undefined)
          throw new Error(`no order of ${JSON.stringify(history)}; seed ${seed}`);
      }
      process.stdout.write(
        `histories: ${SEEDS}, with ${told.operations} operations, of ${told.unknown} of which nobody knows the end\n`,
      );
      expect(Math.min(told.operations - told.unknown, told.unknown)).toBeGreaterThan(SEEDS);
    },
    TIMEOUT_MILLIS,
  );

  it(
    'would not be, were an append told of before it is durable',
    async () => {
      let caught = 0;
      for (let seed = 1; seed <= 20; seed++)
        if (linearization(log, await historyOf(seed, 'admitted')) === undefined) caught++;
      expect(caught).toBeGreaterThan(5);
    },
    TIMEOUT_MILLIS,
  );
});
