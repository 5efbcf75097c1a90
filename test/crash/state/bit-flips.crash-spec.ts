import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WalEventLog } from '@holdfast/event-store';
import { SeededRandom } from '@holdfast/wal/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commitOf, optionsOf } from './counting.js';

const PROGRAM = 'dist/test/crash/state/read-through.js';
const FLIPS = Number(process.env['HOLDFAST_STATE_FLIPS'] ?? 1_000);
/** Databases that one process reads. */
const BATCH = 100;
/** Of those that were noticed and those that were not, so many are opened as a service does. */
const OPENED = 8;
const SEED = 20_261_123;

interface Flip {
  readonly at: number;
  readonly bit: number;
  /** `harmless`, `older` (the checkpoint before, whole), `noticed`, `died`, or `silent`. */
  readonly verdict: string;
}

describe('a state whose database has one bit changed', () => {
  let directory: string;
  let image: Buffer;
  let database: string;
  /** Digests of the checkpoints, by position. */
  const digests = new Map<number, string>();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-flips-'));
    const log = await WalEventLog.open(
      join(directory, 'log'),
      optionsOf({ directory: join(directory, 'state'), checkpointEntries: 1e6 }),
    );
    for (let number = 0; number < 1_200; number++) {
      log.append(commitOf(3 * number + 1));
      if (number % 100 === 99) await log.whenDurable(log.lastPosition);
      if (number % 240 !== 239) continue;
      const { position, digest } = await log.checkpoint();
      digests.set(position, digest);
    }
    await log.close();
    const name = readdirSync(join(directory, 'state')).find((file) => file.startsWith('lmdb-'));
    database = join(name ?? 'none', 'data.mdb');
    image = readFileSync(join(directory, 'state', database));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  function verdictOn(said: string | undefined): string {
    if (said === undefined) return 'died';
    const [kind, position, digest] = said.split(' ');
    if (kind === 'noticed') return 'noticed';
    const newest = Math.max(...digests.keys());
    if (digests.get(Number(position)) !== digest) return 'silent';
    return Number(position) === newest ? 'harmless' : 'older';
  }

  /** The state with one bit flipped, in a directory of its own. */
  function flipped(name: string, at: number, bit: number): string {
    const state = join(directory, name);
    rmSync(state, { recursive: true, force: true });
    mkdirSync(join(state, database, '..'), { recursive: true });
    cpSync(join(directory, 'state', 'STATE'), join(state, 'STATE'));
    const bytes = Buffer.from(image);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
    writeFileSync(join(state, database), bytes);
    return state;
  }

  function readThrough(states: readonly string[]): (string | undefined)[] {
    const found = new Map<string, string>();
    let rest = [...states];
    while (rest.length > 0) {
      const { stdout } = spawnSync(process.execPath, [PROGRAM, ...rest], {
        env: { ...process.env, NODE_OPTIONS: '' },
        encoding: 'utf8',
        timeout: 240_000,
      });
      let begun: string | undefined;
      for (const line of stdout.split('\n')) {
        const [word, state = '', ...what] = line.split(' ');
        if (word === 'begin') begun = state;
        if (word === 'end') found.set(state, what.join(' '));
      }
      // The last one that it began has killed it, if it has not said what it found.
      const reached = begun === undefined ? rest.length : rest.indexOf(begun) + 1;
      rest = rest.slice(reached);
    }
    return states.map((state) => found.get(state));
  }

  it(`is whole, or noticed: ${FLIPS} random bits of the whole file, none in silence`, async () => {
    const random = new SeededRandom(SEED);
    const flips: Flip[] = [];
    while (flips.length < FLIPS) {
      const places = Array.from({ length: Math.min(BATCH, FLIPS - flips.length) }, () => ({
        at: random.below(image.length),
        bit: random.below(8),
      }));
      const states = places.map(({ at, bit }, index) => flipped(`flip-${index}`, at, bit));
      readThrough(states).forEach((said, index) => {
        const place = places[index];
        if (place !== undefined) flips.push({ ...place, verdict: verdictOn(said) });
      });
    }
    const verdicts = Object.groupBy(flips, ({ verdict }) => verdict);
    const counts = Object.fromEntries(
      Object.entries(verdicts).map(([verdict, all]) => [verdict, all?.length]),
    );
    process.stderr.write(
      `seed ${SEED}, file of ${image.length} bytes: ${JSON.stringify(counts)}\n`,
    );
    expect(verdicts['silent'] ?? []).toEqual([]);
    expect(verdicts['noticed']?.length).toBeGreaterThan(FLIPS / 20);

    // As a service meets them: whatever the flip was, the state ends up as the log makes it.
    const met = [
      ...(verdicts['noticed'] ?? []).slice(0, OPENED),
      ...(verdicts['harmless'] ?? []).slice(0, 3),
      ...(verdicts['older'] ?? []).slice(0, 3),
    ];
    const expected = digests.get(Math.max(...digests.keys()));
    for (const { at, bit } of met) {
      const state = flipped('opened', at, bit);
      const digest = await digestInTheEnd(state);
      expect({ at, bit, digest }).toEqual({ at, bit, digest: expected });
    }
  }, 1_800_000);

  /** Opens it until it has been read through and found good; a start that finds damage is followed by one that makes it anew. */
  async function digestInTheEnd(state: string): Promise<string> {
    for (let start = 0; start < 3; start++) {
      const log = await WalEventLog.open(join(directory, 'log'), optionsOf({ directory: state }));
      try {
        const settled = await Promise.race([log.failed, verifiedOf(log)]);
        if (settled === undefined) return (await log.checkpoint()).digest;
      } finally {
        await log.close();
      }
    }
    throw new Error('never whole');
  }

  async function verifiedOf(log: WalEventLog): Promise<undefined> {
    // A state that was made anew has nothing to be read through before its first checkpoint.
    if (log.replayReport.after === 0) await log.checkpoint();
    while (log.stateStatus()?.verification.state === 'pending')
      await new Promise((resolve) => setTimeout(resolve, 20));
    return undefined;
  }
});
