import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BEFORE_FIRST, type LogSource, Wal, WalReader } from '@holdfast/wal';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  payloadOf,
  simulatedOptions,
  SimulatedFileSystem,
} from '@holdfast/wal/testing';

/**
 * One damage to a small log of several segments at a time: each bit flipped, each length of the last two segments, each file gone. Supports the
 * claim: damage to what was promised is never silent.
 *
 * The short form flips one bit of each byte that says something and samples the runs of zeros; HOLDFAST_EVERY_BIT=1 takes every bit of the former, one of
 * each byte of the latter, and every length.
 */
const everyBit = process.env['HOLDFAST_EVERY_BIT'] === '1';
const TIMEOUT_MILLIS = everyBit ? 7_200_000 : 120_000;

type Outcome =
  /** Opening throws, and names the file. */
  | 'refused'
  /** Opening succeeds, because it reads no sealed data; whoever reads the record gets an error. */
  | 'refused when read'
  /** The open says what it mended, and everything is there. */
  | 'repaired'
  /** The open says what it set aside, and only records that nothing had promised are missing. */
  | 'unpromised loss'
  /** Everything is there: the byte is neither parsed nor promised. */
  | 'harmless';

interface Golden {
  readonly image: DiskImage;
  readonly records: number;
  /** D: what is promised by anything but the damaged place itself. */
  readonly promised: number;
  /** What an open of the undamaged log says. */
  readonly notes: string;
}

describe.each([
  ['a log that was closed', goldenClosed],
  ['a log whose writer was killed, without WATERMARK', goldenKilled],
] as const)('one damage to %s', (log, make) => {
  let golden: Golden;
  const tally: Partial<Record<Outcome, number>> = {};

  beforeAll(async () => {
    golden = await make();
  });

  afterAll(() => {
    process.stdout.write(`damage to ${log}: ${JSON.stringify(tally)}\n`);
  });

  /** Damages, opens, reads everything; throws when anything promised is silently missing or different. */
  const judge = async (what: string, damaged: DiskImage): Promise<Outcome> => {
    const outcome = await outcomeOf(golden, damaged, what);
    tally[outcome] = (tally[outcome] ?? 0) + 1;
    return outcome;
  };

  const segments = (): string[] =>
    [...golden.image.files.keys()].filter((path) => path.endsWith('.wal')).sort();

  it(
    'by any flipped bit is never silent',
    async () => {
      for (const path of goldenFiles(golden.image)) {
        const content = golden.image.files.get(path)!;
        for (let offset = 0; offset < content.length; offset++) {
          for (const bit of bitsToFlip(content, offset)) {
            const flipped = Buffer.from(content);
            flipped[offset] = flipped[offset]! ^ (1 << bit);
            await judge(`bit ${bit} of byte ${offset} of ${path}`, replaced(golden, path, flipped));
          }
        }
      }
      expect(tally.refused).toBeGreaterThan(0);
      expect(tally.repaired).toBeGreaterThan(0);
    },
    TIMEOUT_MILLIS,
  );

  it(
    'by cutting one of the last two segments is never silent',
    async () => {
      for (const path of segments().slice(-2)) {
        const content = golden.image.files.get(path)!;
        for (
          let size = 0;
          size < content.length;
          size += everyBit || isBusy(content, size) ? 1 : 211
        )
          await judge(`${path} cut to ${size}`, replaced(golden, path, content.subarray(0, size)));
      }
    },
    TIMEOUT_MILLIS,
  );

  it('by a missing file is refused, but for what can be made again', async () => {
    for (const path of goldenFiles(golden.image)) {
      // Without a watermark nothing remembers the newest segment but its own name.
      if (path === segments().at(-1) && !golden.image.files.has(`${LOG}/WATERMARK`)) continue;
      const outcome = await judge(`${path} gone`, replaced(golden, path, undefined));
      const isVital = path.endsWith('.wal') || path.endsWith('MANIFEST');
      expect([path, outcome]).toEqual([path, isVital ? 'refused' : 'harmless']);
    }
  });
});

/** Three segments: the first two sealed and finished, the last closed. */
async function goldenClosed(): Promise<Golden> {
  const system = SimulatedFileSystem.on();
  let last = 0;
  for (const seed of [1, 2, 3]) {
    const wal = await openSimulated(system, {}, seed);
    await wal.append(batchAfter(last, 2)).durable;
    await wal.append(batchAfter(last + 2, 1)).durable;
    last += 3;
    if (seed === 2) wal.floors.set('consumer', wal.durableSequence);
    await wal.close();
  }
  return withNotes({ image: system.disk.image(), records: last, promised: last });
}

/** As above, but the last writer was killed with one frame behind what its other frames promise. */
async function goldenKilled(): Promise<Golden> {
  const system = SimulatedFileSystem.on((await goldenClosed()).image);
  const wal = await openSimulated(system, {}, 4);
  for (const at of [0, 1, 2]) await wal.append(batchAfter(9 + at, 1)).durable;
  const { files, directories } = system.disk.image();
  system.kill();
  await wal.close();
  const kept = [...files].filter(([path]) => !/WATERMARK$|\.tmp$/.test(path));
  return withNotes({ image: { files: new Map(kept), directories }, records: 12, promised: 11 });
}

async function withNotes(log: Omit<Golden, 'notes'>): Promise<Golden> {
  const wal = await Wal.open(LOG, simulatedOptions(SimulatedFileSystem.on(log.image), 9));
  await wal.close();
  return { ...log, notes: JSON.stringify(wal.recovered) };
}

function goldenFiles({ files }: DiskImage): string[] {
  return [...files.keys()].filter((path) => !/\/(LOCK|claim-\d+)$/.test(path));
}

function replaced({ image }: Golden, path: string, content: Buffer | undefined): DiskImage {
  const files = new Map(image.files);
  if (content === undefined) files.delete(path);
  else files.set(path, content);
  return { files, directories: image.directories };
}

function bitsToFlip(content: Buffer, offset: number): number[] {
  const isSaying = isBusy(content, offset);
  if (everyBit && isSaying) return [0, 1, 2, 3, 4, 5, 6, 7];
  return everyBit || isSaying || offset % 331 === 0 ? [(offset * 5) % 8] : [];
}

/** Near a byte that says something: not within a long run of zeros. */
function isBusy(content: Buffer, offset: number): boolean {
  return content.subarray(Math.max(0, offset - 4), offset + 4).some((byte) => byte !== 0);
}

async function outcomeOf(golden: Golden, damaged: DiskImage, what: string): Promise<Outcome> {
  await readBesideIt(golden, damaged, what);
  const system = SimulatedFileSystem.on(damaged);
  let wal: Wal;
  try {
    wal = await Wal.open(LOG, simulatedOptions(system, 9));
  } catch (error) {
    expect([what, error]).toEqual([what, expect.objectContaining({ name: 'WalError' })]);
    return 'refused';
  }
  try {
    const found = await readAll(wal, what);
    if (found === 'refused') return 'refused when read';
    if (found === golden.records)
      return JSON.stringify(wal.recovered) === golden.notes ? 'harmless' : 'repaired';
    if (found < golden.promised)
      throw new Error(`${what}: silently only ${found} of ${golden.promised} promised records`);
    return 'unpromised loss';
  } finally {
    await wal.close();
  }
}

/** A reader that does not recover sees less at most where the watermark says less. */
async function readBesideIt(golden: Golden, damaged: DiskImage, what: string): Promise<void> {
  const fileSystem = SimulatedFileSystem.on(damaged);
  let reader: WalReader;
  try {
    reader = await WalReader.open(LOG, { fileSystem });
  } catch (error) {
    expect([what, error]).toEqual([what, expect.objectContaining({ name: 'WalError' })]);
    return;
  }
  const found = await readAll(reader, what);
  await reader.close();
  const watermark = `${LOG}/WATERMARK`;
  const hasWatermark = damaged.files.get(watermark) === golden.image.files.get(watermark);
  if (hasWatermark && golden.image.files.has(watermark) && found !== 'refused')
    expect([what, found]).toEqual([what, golden.records]);
}

/** How many records there are, all of them as they were written; or that reading says it cannot. */
async function readAll(source: LogSource, what: string): Promise<number | 'refused'> {
  let last = 0;
  try {
    for await (const { sequence, payload } of source.read({ after: BEFORE_FIRST })) {
      if (sequence !== last + 1 || !payloadOf(sequence).equals(payload))
        throw new Error(`${what}: record ${sequence} is silently wrong`);
      last = sequence;
    }
    return last;
  } catch (error) {
    if ((error as { name?: string }).name === 'WalError') return 'refused';
    throw error;
  }
}
