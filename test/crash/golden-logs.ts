import { Wal, type WalOptions } from '@holdfast/wal';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  simulatedOptions,
  SimulatedFileSystem,
} from '@holdfast/wal/testing';
import { floorsText } from './recorded-run.js';

/** A small log, to be damaged. */
export interface GoldenLog {
  readonly name: string;
  readonly image: DiskImage;
  readonly records: number;
  /** What is promised by anything but any one byte, or any one sector, which may hold the end of a frame and the header of the next. */
  readonly promised: { readonly despiteByte: number; readonly despiteSector: number };
  /** Whether something outside of the last segment promises all of it. */
  readonly hasWitness: boolean;
  /** What an open of the undamaged log says. */
  readonly notes: string;
  readonly floors: string;
  readonly floorsFile: string;
}

export const GOLDEN_LOGS: Readonly<Record<string, () => Promise<GoldenLog>>> = {
  'a log that was closed': closed,
  'a log whose writer was killed, without WATERMARK': killed,
  'a log in interval mode whose writer was killed, without WATERMARK': () => flushed('interval'),
  'a log in none mode whose writer was killed, without WATERMARK': () => flushed('none'),
  'a log whose last record a floor alone promises': promisedByFloor,
};

const EMPTY: DiskImage = { files: new Map(), directories: new Set() };

/** The files of a log that say something of it: not who holds it. */
export function goldenFiles({ files }: DiskImage): string[] {
  return [...files.keys()].filter((path) => !/\/(LOCK|claim-\d+)$/.test(path));
}

export function goldenSegments({ files }: DiskImage): string[] {
  return [...files.keys()].filter((path) => path.endsWith('.wal')).sort();
}

/** Three segments: the first two sealed and finished, the last closed. */
async function closed(): Promise<GoldenLog> {
  const image = await threeSegments();
  const promised = { despiteByte: 9, despiteSector: 9 };
  return golden('a log that was closed', image, { records: 9, promised, hasWitness: true });
}

async function threeSegments(): Promise<DiskImage> {
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
  return system.disk.image();
}

/** Four segments, the last with one frame behind what the other frames promise. Each of its frames is longer than a sector. */
async function killed(): Promise<GoldenLog> {
  const image = await killedBehind(await threeSegments(), {}, async (wal) => {
    for (const at of [0, 1, 2, 3]) await wal.append(batchAfter(9 + 5 * at, 5)).durable;
  });
  const promised = { despiteByte: 24, despiteSector: 19 };
  return golden('a log whose writer was killed', image, {
    records: 29,
    promised,
    hasWitness: false,
  });
}

/** Two frames that were synced, and two behind them that say so: whichever is damaged, the other one promises the first two. */
async function flushed(durability: 'interval' | 'none'): Promise<GoldenLog> {
  const options: WalOptions = { durability, syncIntervalMillis: 60_000 };
  const image = await killedBehind(EMPTY, options, async (wal) => {
    for (const at of [0, 1]) await wal.append(batchAfter(5 * at, 5)).durable;
    await wal.flush();
    for (const at of [2, 3]) await wal.append(batchAfter(5 * at, 5)).durable;
  });
  const promised = { despiteByte: 10, despiteSector: 10 };
  return golden(`a log in ${durability} mode`, image, { records: 20, promised, hasWitness: false });
}

async function promisedByFloor(): Promise<GoldenLog> {
  const image = await killedBehind(EMPTY, {}, async (wal) => {
    for (const at of [0, 1]) await wal.append(batchAfter(at, 1)).durable;
    wal.floors.set('consumer', wal.durableSequence);
  });
  const promised = { despiteByte: 2, despiteSector: 2 };
  return golden('a log with a floor', image, { records: 2, promised, hasWitness: true });
}

/** What a kill leaves, without WATERMARK: as a power cut may take it. */
async function killedBehind(
  before: DiskImage,
  options: WalOptions,
  work: (wal: Wal) => Promise<void>,
): Promise<DiskImage> {
  const system = SimulatedFileSystem.on(before);
  const wal = await openSimulated(system, options, 4);
  await work(wal);
  const { files, directories } = system.disk.image();
  system.kill();
  await wal.close();
  const kept = [...files].filter(([path]) => !/WATERMARK$|\.tmp$/.test(path));
  return { files: new Map(kept), directories };
}

async function golden(
  name: string,
  image: DiskImage,
  facts: Pick<GoldenLog, 'records' | 'promised' | 'hasWitness'>,
): Promise<GoldenLog> {
  const wal = await Wal.open(LOG, simulatedOptions(SimulatedFileSystem.on(image), 9));
  await wal.close();
  return {
    name,
    image,
    ...facts,
    notes: JSON.stringify(wal.recovered),
    floors: floorsText(wal.floors.all()),
    floorsFile: [...image.files.keys()].find((path) => /FLOORS-\d+$/.test(path)) ?? '',
  };
}
