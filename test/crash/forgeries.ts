import { BEFORE_FIRST, Wal } from '@holdfast/wal';
import {
  batchAfter,
  framesOf,
  type Lie,
  LOG,
  openSimulated,
  segmentHeaderOf,
  SimulatedFileSystem,
  simulatedOptions,
  withForgedFrame,
} from '@holdfast/wal/testing';

/** A frame behind the last one of a killed log that verifies in everything but one thing. */
export interface Forgery {
  readonly what: string;
  /** Throws when the log takes the frame for its own. */
  readonly check: () => Promise<void>;
}

const RECORDS = 3;
const FORGED = Buffer.from('forged');
const SECTOR_BYTES = 512;

/** The first has no lie: it is believed, or the others would prove nothing. */
export async function forgeries(): Promise<Forgery[]> {
  const segment = await killedSegment(RECORDS);
  const header = segmentHeaderOf(segment.content);
  const last = framesOf(segment.content).at(-1);
  const empty = await killedSegment(0);
  const believed = (what: string, lie: Lie, expected: number, of = segment): Forgery => ({
    what,
    check: async () => {
      const found = await recordsOf(of, withForgedFrame(of.content, FORGED, lie));
      if (found !== expected) throw new Error(`${what}: ${found} records, not ${expected}`);
    },
  });
  return [
    believed('a frame as the writer would have made it', {}, RECORDS + 1),
    believed('a header checksum that is wrong', { flipHeaderCrc: true }, RECORDS),
    believed('a body checksum that is wrong', { flipBody: true }, RECORDS),
    believed(
      'a chain to another frame',
      { previousHeaderCrc: ((last?.headerCrc ?? 0) ^ 1) >>> 0 },
      RECORDS,
    ),
    believed('sequences that do not continue', { firstSequence: RECORDS + 2 }, RECORDS),
    believed('a frame of another place', { fileOffset: 12_288 }, RECORDS),
    believed(
      'a frame of another segment',
      { seedOf: { ...header, segment: header.segment + 1 } },
      RECORDS,
    ),
    believed(
      'a frame of another writer',
      { seedOf: { ...header, salt: (header.salt ^ 1) >>> 0 } },
      RECORDS,
    ),
    // Recovery row 4: one frame is in flight at a time, so nothing valid can stand behind a place where nothing does.
    believed('a valid frame behind a hole', { at: 8_192 + SECTOR_BYTES }, REFUSED, empty),
  ];
}

const REFUSED = -1;

interface KilledSegment {
  readonly path: string;
  readonly content: Buffer;
  readonly system: SimulatedFileSystem;
}

async function killedSegment(records: number): Promise<KilledSegment> {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system);
  for (let at = 0; at < records; at++) await wal.append(batchAfter(at, 1)).durable;
  const { files } = system.disk.image();
  system.kill();
  await wal.close();
  const [path, content] = [...files].find(([name]) => name.endsWith('.wal')) ?? [
    '',
    Buffer.alloc(0),
  ];
  return { path, content, system };
}

async function recordsOf({ path, system }: KilledSegment, content: Buffer): Promise<number> {
  const { files, directories } = system.disk.image();
  const image = { files: new Map(files).set(path, content), directories };
  let wal: Wal;
  try {
    wal = await Wal.open(LOG, simulatedOptions(SimulatedFileSystem.on(image), 9));
  } catch (error) {
    if (error instanceof Error && error.name === 'WalError') return REFUSED;
    throw error;
  }
  let records = 0;
  await wal.scan(BEFORE_FIRST, () => {
    records++;
  });
  await wal.close();
  return records;
}
