import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { judge } from './damage-oracle.js';
import {
  cutSegments,
  type Damage,
  type Density,
  duplicatedSegments,
  flippedBits,
  lostSectors,
  missingFiles,
  type Outcome,
} from './damages.js';
import { GOLDEN_LOGS, type GoldenLog } from './golden-logs.js';

/**
 * One damage to a small log at a time: each bit flipped, each length of the last two segments, each file gone, each segment twice or in the place of
 * another, each sector never written. Supports the claim: damage to what was promised is never silent, and a refusal changes nothing.
 *
 * The short form flips one bit of each byte that says something and samples the runs of zeros; HOLDFAST_EVERY_BIT=1 takes every bit of the former, one of
 * each byte of the latter, and every length.
 */
const everyBit = process.env['HOLDFAST_EVERY_BIT'] === '1';
const DENSITY: Density = everyBit ? 'every' : 'short';
const TIMEOUT_MILLIS = everyBit ? 7_200_000 : 300_000;

describe.each(Object.entries(GOLDEN_LOGS))('one damage to %s', (name, make) => {
  let golden: GoldenLog;
  const tally: Partial<Record<Outcome, number>> = {};

  beforeAll(async () => {
    golden = await make();
  });

  afterAll(() => {
    process.stdout.write(`damage to ${name}: ${JSON.stringify(tally)}\n`);
  });

  const judgeAll = async (damages: Iterable<Damage>): Promise<Set<Outcome>> => {
    const seen = new Set<Outcome>();
    for (const damage of damages) {
      const outcome = await judge(golden, damage);
      tally[outcome] = (tally[outcome] ?? 0) + 1;
      seen.add(outcome);
    }
    return seen;
  };

  it(
    'by any flipped bit is never silent',
    async () => {
      const seen = await judgeAll(flippedBits(golden, DENSITY));
      expect([...seen]).toEqual(expect.arrayContaining(['refused', 'repaired']));
    },
    TIMEOUT_MILLIS,
  );

  it(
    'by cutting one of the last two segments is never silent',
    async () => {
      const seen = await judgeAll(cutSegments(golden, DENSITY));
      expect([...seen]).toContain('refused');
    },
    TIMEOUT_MILLIS,
  );

  it('by a missing file is refused, but for what can be made again', async () => {
    expect([...(await judgeAll(missingFiles(golden)))]).toContain('refused');
  });

  it('by a segment that is there twice, or in the place of another, is refused', async () => {
    const seen = await judgeAll(duplicatedSegments(golden));
    expect([...seen].sort()).toEqual(['refused', 'repaired']);
  });

  it('by a sector that was never written, or at the wrong place, is never silent', async () => {
    expect([...(await judgeAll(lostSectors(golden)))]).toContain('refused');
  });
});
