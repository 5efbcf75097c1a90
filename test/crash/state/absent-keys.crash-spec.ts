import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WalEventLog } from '@holdfast/event-store';
import { SeededRandom } from '@holdfast/wal/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { STREAMS, commitOf, optionsOf } from './counting.js';

const PROGRAM = 'dist/test/crash/state/look-up.js';
const RANDOM_FLIPS = Number(process.env['HOLDFAST_STATE_FLIPS'] ?? 160);
const LEAF_FLIPS = Number(process.env['HOLDFAST_STATE_FLIPS'] ?? 60);
const BRANCH_FLIPS = Number(process.env['HOLDFAST_STATE_FLIPS'] ?? 100);
/** Databases that one process opens. */
const BATCH = 20;
const PAGE_BYTES = 4_096;
const BRANCH = 1;
const LEAF = 2;
const SEED = 20_261_124;

/** What is done before the keys are looked up: nothing, or a checkpoint that changes keys beside them. */
type Mode = 'as-it-is' | 'changed';

/** A key that is hidden is an idempotency key that looks new: money is moved twice. */
describe('keys of a state with one bit changed, looked up before it was read through', () => {
  let directory: string;
  let database: string;
  let image: Buffer;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-absent-'));
    const log = await WalEventLog.open(
      join(directory, 'log'),
      optionsOf({ directory: join(directory, 'state'), checkpointEntries: 1e6 }),
    );
    for (let number = 0; number < STREAMS; number++) {
      log.append(commitOf(3 * number + 1));
      if (number % 100 === 99) await log.whenDurable(log.lastPosition);
      if (number % 200 === 199) await log.checkpoint();
    }
    await log.close();
    const name = readdirSync(join(directory, 'state')).find((file) => file.startsWith('lmdb-'));
    database = join(name ?? 'none', 'data.mdb');
    image = readFileSync(join(directory, 'state', database));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  /** What became of each flip: `right`, `silent`, `noticed …` or `died`. */
  function verdictsOn(flips: readonly string[], mode: Mode): Map<string, string> {
    const verdicts = new Map<string, string>();
    let rest = flips;
    while (rest.length > 0) {
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [PROGRAM, directory, database, mode, ...rest.slice(0, BATCH)],
        {
          env: { ...process.env, NODE_OPTIONS: '' },
          encoding: 'utf8',
          timeout: 120_000,
        },
      );
      let begun: string | undefined;
      for (const line of stdout.split('\n')) {
        const [word, flip = '', ...what] = line.split(' ');
        if (word === 'begin') begun = flip;
        if (word === 'end') verdicts.set(flip, what.join(' '));
      }
      if (begun === undefined) throw new Error(`nothing was looked up: ${stderr}`);
      // The one that it began last has killed it, if it has not said what it found.
      if (!verdicts.has(begun)) verdicts.set(begun, 'died');
      rest = rest.slice(rest.indexOf(begun) + 1);
    }
    return verdicts;
  }

  function judged(flips: readonly string[], mode: Mode = 'as-it-is'): Record<string, number> {
    const verdicts = verdictsOn([...new Set(flips)], mode);
    const silent = [...verdicts].filter(([, verdict]) => verdict === 'silent');
    expect(silent).toEqual([]);
    const counts: Record<string, number> = {};
    for (const verdict of verdicts.values()) {
      const [kind = ''] = verdict.split(' ');
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    process.stderr.write(`seed ${SEED}, ${image.length} bytes: ${JSON.stringify(counts)}\n`);
    return counts;
  }

  function pagesOf(kind: number): number[] {
    return Array.from({ length: image.length / PAGE_BYTES }, (_, page) => page * PAGE_BYTES).filter(
      (at) => (image.readUInt16LE(at + 18) & 0x6f) === kind,
    );
  }

  /** A bit of what LMDB goes by in a leaf: the count of keys, the end of the nodes, where a node is, and its sizes. */
  function bitOfLeaf(random: SeededRandom): string {
    const leaves = pagesOf(LEAF);
    const page = leaves[random.below(leaves.length)] ?? 0;
    const [lower, upper] = [page + 20, page + 22];
    const pointer = page + 24 + 2 * random.below(image.readUInt16LE(lower) / 2);
    const node = page + 24 + image.readUInt16LE(pointer);
    const fields = [lower, lower, lower, upper, pointer, node, node + 2, node + 4, node + 6];
    const at = (fields[random.below(fields.length)] ?? 0) + random.below(2);
    return `${at}.${random.below(8)}`;
  }

  it(`are found, or truly absent, or it is noticed: ${RANDOM_FLIPS} bits of the whole file`, () => {
    const random = new SeededRandom(SEED);
    const flips = Array.from(
      { length: RANDOM_FLIPS },
      () => `${random.below(image.length)}.${random.below(8)}`,
    );
    expect(judged(flips)['noticed']).toBeGreaterThan(RANDOM_FLIPS / 20);
  }, 300_000);

  it(`are found, or truly absent, or it is noticed: ${BRANCH_FLIPS} bits of branch pages`, () => {
    const random = new SeededRandom(SEED + 1);
    const branches = pagesOf(BRANCH);
    expect(branches.length).toBeGreaterThan(0);
    const flips = Array.from({ length: BRANCH_FLIPS }, () => {
      const page = branches[random.below(branches.length)] ?? 0;
      return `${page + random.below(PAGE_BYTES)}.${random.below(8)}`;
    });
    expect(judged(flips)['noticed']).toBeGreaterThan(BRANCH_FLIPS / 20);
  }, 300_000);

  it(`are so behind a checkpoint of keys beside them: ${LEAF_FLIPS} bits that lead through leaves`, () => {
    const random = new SeededRandom(SEED + 2);
    const flips = Array.from({ length: LEAF_FLIPS }, () => bitOfLeaf(random));
    expect(judged(flips, 'changed')['noticed']).toBeGreaterThan(LEAF_FLIPS / 20);
  }, 300_000);

  it(`are so behind a checkpoint of keys beside them: ${RANDOM_FLIPS} bits of the whole file`, () => {
    const random = new SeededRandom(SEED + 3);
    const flips = Array.from(
      { length: RANDOM_FLIPS },
      () => `${random.below(image.length)}.${random.below(8)}`,
    );
    expect(judged(flips, 'changed')['noticed']).toBeGreaterThan(RANDOM_FLIPS / 20);
  }, 300_000);
});
