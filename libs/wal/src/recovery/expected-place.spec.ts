import { beforeEach, describe, expect, it } from '@jest/globals';
import { restoreLog } from '../care/backup/restore.js';
import { batchAfter, LOG, openSimulated, SimulatedFileSystem } from '../testing/index.js';
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

  it('also behind openings that left no record, and where no record of the history is left', async () => {
    // The fourth opening and those behind it leave none.
    for (let opening = 4; opening <= 6; opening++) {
      const wal = await openSimulated(system, {}, opening);
      timelines.push(wal.timeline);
      await wal.close();
    }
    for (const opening of [2, 3, 4, 5])
      await expect(openSimulated(system, { expects: place(7, opening) }, 7)).rejects.toMatchObject({
        code: 'WAL_BEHIND_STATE',
      });
    const wal = await openSimulated(system, { expects: place(7, 1) }, 7);
    expect([...timelines, wal.timeline].map((timeline) => wal.endsIn(timeline))).toEqual([
      ...[false, false, true, true, true, true, true],
    ]);
    // Of an emptied log, the place before its beginning.
    await wal.maintenance.removeSegments({ below: sequence(7) });
    expect(timelines.map((timeline) => wal.endsIn(timeline))).toEqual([
      ...[false, false, true, false, false, false],
    ]);
    await wal.append(batchAfter(6, 1)).durable;
    expect([timelines[2]!, wal.timeline].map((timeline) => wal.endsIn(timeline))).toEqual([
      ...[false, true],
    ]);
    await wal.close();
  });

  it('opens a log that was restored to before the place, also when it was opened since', async () => {
    const wal = await openSimulated(system, {}, 4);
    await wal.maintenance.backup('/backup');
    timelines.push(wal.timeline);
    await wal.close();
    await restoreLog('/backup', '/restored', { fileSystem: system });
    const files = [...system.disk.image().files].flatMap(([path, content]) =>
      path.startsWith('/restored/') ? [[path.replace('/restored', LOG), content] as const] : [],
    );
    const directories = new Set(['/data', LOG]);
    system = SimulatedFileSystem.on({ files: new Map(files), directories });
    for (const opening of [2, 3]) {
      const restored = await openSimulated(system, { expects: place(7, opening) }, 5 + opening);
      expect(restored.endsIn(timelines[opening]!)).toBe(false);
      await restored.close();
    }
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
