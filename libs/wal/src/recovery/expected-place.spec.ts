import { beforeEach, describe, expect, it } from '@jest/globals';
import { batchAfter, openSimulated, SimulatedFileSystem } from '../testing/index.js';
import type { LogPosition, Sequence } from '../wal.types.js';

const sequence = (value: number): Sequence => value as Sequence;

describe('what an opener expects of a log', () => {
  let system: SimulatedFileSystem;
  let logId = '';
  /** Of the openings that wrote sequences 1–2, 3–4 and 5–6. */
  let timelines: string[];

  beforeEach(async () => {
    system = SimulatedFileSystem.on();
    timelines = [];
    for (let opening = 0; opening < 3; opening++) {
      const wal = await openSimulated(system, {}, opening + 1);
      await wal.append(batchAfter(2 * opening, 2)).durable;
      timelines.push(wal.timeline);
      logId = wal.logId;
      await wal.close();
    }
  });

  const place = (at: number, opening: number): LogPosition => ({
    logId,
    sequence: sequence(at),
    timeline: timelines[opening]!,
  });

  it('behind-state: refuses a log that ends before a place in its newest history, and changes nothing', async () => {
    const before = segments(system);
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(openSimulated(system, { expects: place(7, 2) })).rejects.toMatchObject({
        code: 'WAL_BEHIND_STATE',
        details: { sequence: 7, lastSequence: 6 },
      });
    expect(segments(system)).toEqual(before);
  });

  it('opens a log that ends before a place of a history that it has left: it was restored', async () => {
    const wal = await openSimulated(system, { expects: place(7, 1) }, 4);
    expect(wal.lastSequence).toBe(6);
    await wal.close();
  });

  it('opens a log that holds the place, in whatever history, and a log that is another', async () => {
    const foreign = { ...place(9, 2), logId: '0'.repeat(32) };
    for (const expects of [place(6, 2), place(1, 0), place(4, 2), foreign]) {
      const wal = await openSimulated(system, { expects }, 5);
      await wal.close();
    }
  });

  it('reads the frames behind the place only, where the log holds it', async () => {
    const { files, directories } = system.disk.image();
    const [path = ''] = segments(system);
    const first = Buffer.from(files.get(path)!);
    first.writeUInt8(first.readUInt8(8192 + 70) ^ 1, 8192 + 70);
    system = SimulatedFileSystem.on({ files: new Map(files).set(path, first), directories });
    const verifyOnOpen = { after: sequence(2) };
    const wal = await openSimulated(system, { verifyOnOpen, expects: place(2, 0) }, 6);
    await wal.close();
    for (const options of [
      { verifyOnOpen: { after: sequence(1) }, expects: place(1, 0) },
      { verifyOnOpen, expects: place(2, 1) },
    ])
      await expect(openSimulated(system, options)).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
  });
});

function segments(system: SimulatedFileSystem): string[] {
  return [...system.disk.image().files.keys()].filter((path) => path.endsWith('.wal')).sort();
}
