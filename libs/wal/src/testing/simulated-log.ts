import type { Clock } from '@holdfast/kernel';
import { Wal } from '../wal.js';
import type { WalOptions } from '../wal-options.js';
import { BEFORE_FIRST, type LogSource } from '../wal.types.js';
import { SeededRandom } from './seeded-random.js';
import type { SimulatedFileSystem } from '../simulation/simulated-file-system.js';

/** Where logs on a simulated disk stand. */
export const LOG = '/data/log';

/** A clock that ticks by one with each look: what is written differs from run to run by nothing but its seed. */
export class TickingClock implements Clock {
  constructor(private millis = Date.UTC(2025, 0, 1)) {}

  nowMillis(): number {
    return this.millis++;
  }
}

/** Small segments and frames, no adaptation to the real time, and ids from a seed. */
export function simulatedOptions(fileSystem: SimulatedFileSystem, seed = 1): WalOptions {
  const random = new SeededRandom(seed);
  return {
    create: true,
    fileSystem,
    clock: new TickingClock(),
    randomBytes: (length) => random.bytes(length),
    frameBytesMax: 16 * 1024,
    segmentBytes: 32 * 1024,
    ioMode: 'synchronous',
    // Long enough that only a test that waits for it meets the idle frame.
    idleMillis: 60_000,
    // What is mended is tried again at once.
    roomRetryMillis: 0,
  };
}

export function openSimulated(
  fileSystem: SimulatedFileSystem,
  options: WalOptions = {},
  seed = 1,
): Promise<Wal> {
  return Wal.open(LOG, { ...simulatedOptions(fileSystem, seed), ...options });
}

/** The payload of a sequence: its number, padded to a length that the number decides. */
export function payloadOf(sequence: number, bytes = 20 + ((sequence * 37) % 300)): Buffer {
  return Buffer.from(`${sequence}:`.padEnd(bytes, `${sequence % 10}`));
}

/** A batch of the next records, as they belong behind `last`. */
export function batchAfter(last: number, records: number, bytes?: number): Buffer[] {
  return Array.from({ length: records }, (_, at) => payloadOf(last + 1 + at, bytes));
}

/** Every visible record as text, with a full stop where a batch ends. */
export async function textsOf(source: LogSource, after = BEFORE_FIRST): Promise<string[]> {
  const texts: string[] = [];
  for await (const { sequence, payload, endsBatch } of source.read({ after }))
    texts.push(`${sequence}=${Buffer.from(payload).toString()}${endsBatch ? '.' : ''}`);
  return texts;
}
