import { systemClock } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import { WriterLock } from '../../directory/writer-lock.js';
import { diagnose } from '../../recovery/recovery.js';
import { removeStrays } from '../../recovery/repair.js';
import {
  afterPowerCut,
  batchAfter,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  textsOf,
} from '../../testing/index.js';
import type { Wal } from '../../wal.js';
import { WalReader } from '../../wal-reader.js';
import { BEFORE_FIRST, type Sequence } from '../../wal.types.js';

const at = (sequence: number): Sequence => sequence as Sequence;
const gone = expect.objectContaining({ code: 'WAL_SEQUENCE_GONE' });

/** Fills whole segments; returns the first sequence of each live one. */
async function fill(wal: Wal, rotations: number): Promise<number[]> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target)
    await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
  return segmentsOf(wal);
}

function segmentsOf(wal: Wal): number[] {
  const { segments } = wal.maintenance.planRemoval({ below: at(Number.MAX_SAFE_INTEGER) });
  return segments.map((segment) => segment.firstSequence);
}

const walFiles = (system: SimulatedFileSystem): string[] =>
  system.list(LOG).filter((file) => file.endsWith('.wal'));

describe('removal of segments', () => {
  it('takes whole sealed segments below what is asked for, and says beforehand which', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, second, third] = await fill(wal, 3);
    const plan = wal.maintenance.planRemoval({ below: at(third! + 1) });
    expect(
      plan.segments.map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence]),
    ).toEqual([
      [1, second! - 1],
      [second!, third! - 1],
    ]);
    expect(plan).toMatchObject({ firstSequence: third, pinnedBy: [] });
    expect(plan.bytes).toBe(
      plan.segments.reduce((sum, { file }) => sum + sizeOf(system, `${LOG}/${file}`), 0),
    );
    expect(await wal.maintenance.removeSegments({ below: at(third! + 1) })).toEqual({
      ...plan,
      left: [],
    });
    expect(walFiles(system)).toHaveLength(2);
    expect(wal.firstSequence).toBe(third);
    expect(wal.recordAt(at(third! - 1))).toBeUndefined();
    expect((await textsOf(wal, at(third! - 1)))[0]).toMatch(`${third}=`);
    await wal.close();
  });

  it('keeps the segment that holds the sequence just below what is asked for, and the newest always', async () => {
    const wal = await openSimulated(SimulatedFileSystem.on());
    const [, second] = await fill(wal, 2);
    expect(wal.maintenance.planRemoval({ below: at(second! - 1) }).segments).toEqual([]);
    expect(wal.maintenance.planRemoval({ below: second! as Sequence }).segments).toHaveLength(1);
    const everything = wal.maintenance.planRemoval({ below: at(wal.lastSequence + 1_000) });
    expect(everything.segments).toHaveLength(2);
    await wal.close();
  });

  it('stops at the lowest floor or pin, and names each that keeps something', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, second, third] = await fill(wal, 3);
    wal.floors.set('behind', at(second!));
    wal.floors.set('near', at(third! + 1));
    const below = wal.durableSequence;
    const plan = wal.maintenance.planRemoval({ below });
    expect(plan.segments.map(({ firstSequence }) => firstSequence)).toEqual([1]);
    expect(plan.pinnedBy).toMatchObject([
      { name: 'behind', sequence: second, segments: 2 },
      { name: 'near', sequence: third! + 1, segments: 1 },
    ]);
    const release = wal.floors.pin('backup', BEFORE_FIRST);
    expect((await wal.maintenance.removeSegments({ below })).segments).toEqual([]);
    release();
    expect((await wal.maintenance.removeSegments({ below })).segments).toHaveLength(1);
    // Whoever stands at a floor can still be asked for its timeline.
    expect(wal.timelineAt(at(second!))).toBe(wal.timeline);
    await wal.close();
  });

  it('survives a power cut and further opens, and writes on under the next numbers', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, , third] = await fill(wal, 3);
    await wal.maintenance.removeSegments({ below: at(third!) });
    const texts = await textsOf(wal, at(third! - 1));
    const after = SimulatedFileSystem.on(afterPowerCut(system.disk));
    await wal.close();
    for (const seed of [2, 3]) {
      const next = await openSimulated(after, {}, seed);
      expect(next.firstSequence).toBe(third);
      expect(await textsOf(next, at(third! - 1))).toEqual(texts);
      expect((await next.verify()).problems).toEqual([]);
      await next.close();
    }
  });

  it('remembers of which history the last record was that went, for its readers and further opens', async () => {
    const system = SimulatedFileSystem.on();
    const old = await openSimulated(system);
    await fill(old, 2);
    const { timeline } = old.stats();
    await old.close();
    const wal = await openSimulated(system);
    const last = at(wal.lastSequence);
    await fill(wal, 1);
    await wal.maintenance.removeSegments({ below: at(last + 1) });
    expect(wal.firstSequence).toBe(last + 1);
    const reader = await WalReader.open(LOG, { fileSystem: system });
    const told = (source: Wal | WalReader) => [last - 1, last].map((s) => source.timelineAt(at(s)));
    expect(told(wal)).toEqual([undefined, timeline]);
    expect(told(reader)).toEqual([undefined, timeline]);
    expect(wal.timelines(9).at(-1)).toEqual({ timeline, firstSequence: last });
    await Promise.all([wal.close(), reader.close()]);
    const later = await openSimulated(system);
    expect(told(later)).toEqual([undefined, timeline]);
    await later.close();
  });

  it('leaves what cannot be unlinked to the next open', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, second] = await fill(wal, 2);
    system.faults.plan({
      operation: 'unlink',
      path: /\.wal$/,
      times: 1,
      effect: { kind: 'error', code: 'EACCES' },
    });
    const report = await wal.maintenance.removeSegments({ below: at(second!) });
    expect(report.left).toEqual(report.segments.map(({ file }) => file));
    await wal.close();
    const next = await openSimulated(system, {}, 2);
    expect(next.recovered).toContainEqual({ kind: 'removed', file: report.left[0] });
    expect(next.firstSequence).toBe(second);
    await next.close();
  });

  it('removes nothing when MANIFEST cannot be replaced, and can be asked again', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, second] = await fill(wal, 2);
    const files = walFiles(system);
    for (const operation of ['data-sync', 'rename'] as const) {
      const path = operation === 'rename' ? /MANIFEST$/ : /MANIFEST/;
      const effect = { kind: 'error', code: 'EIO' } as const;
      const end = system.faults.plan({ operation, path, effect });
      await expect(wal.maintenance.removeSegments({ below: at(second!) })).rejects.toMatchObject({
        code: 'EIO',
      });
      end();
      expect(walFiles(system)).toEqual(files);
    }
    await wal.maintenance.removeSegments({ below: at(second!) });
    expect(wal.firstSequence).toBe(second);
    expect(wal.poison).toBeUndefined();
    await wal.close();
  });

  it.each(['EIO', 'EMFILE'])(
    'frees the room when it is asked again after the sync of MANIFEST has failed (%s), and keeps it until a sync has not',
    async (code) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      const [, , third] = await fill(wal, 4);
      const files = walFiles(system);
      const effect = { kind: 'error', code } as const;
      system.faults.plan({ operation: 'sync-directory', times: 2, effect });
      const remove = () => wal.maintenance.removeSegments({ below: at(third!) });
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(remove()).rejects.toMatchObject({ code });
        expect(walFiles(system)).toEqual(files);
      }
      expect(await remove()).toMatchObject({ segments: [], left: [] });
      expect(walFiles(system)).toEqual(files.slice(2));
      const after = at(third! - 1);
      const texts = await textsOf(wal, after);
      const next = await openSimulated(SimulatedFileSystem.on(afterPowerCut(system.disk)), {}, 2);
      expect([next.firstSequence, await textsOf(next, after)]).toEqual([third, texts]);
      await next.close();
      await wal.close();
    },
  );

  it('is refused to a writer that was taken over while it was stopped before the new MANIFEST got its name', async () => {
    for (const successorCleans of [false, true]) {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      const [, second] = await fill(wal, 2);
      const manifest = (): unknown => system.disk.image().files.get(`${LOG}/MANIFEST`);
      const before = manifest();
      beforeRename(system, /MANIFEST$/, () => {
        const lock = takeOver(system);
        // The successor removes temporary files before it looks at MANIFEST for the last time.
        if (successorCleans) removeStrays(system, LOG, diagnose(system, LOG), lock);
      });
      await expect(wal.maintenance.removeSegments({ below: at(second!) })).rejects.toMatchObject({
        code: 'WAL_FENCED',
      });
      expect(walFiles(system)).toHaveLength(3);
      if (successorCleans) expect(manifest()).toEqual(before);
      await wal.close();
    }
  });
});

describe('readers, when what they read is removed', () => {
  it('go on in the segment that they have open, then are told that the next has gone', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, second, third] = await fill(wal, 3);
    const other = await WalReader.open(LOG, { fileSystem: system.sibling() });
    const readers = [wal, other].map((source) =>
      source.read({ after: BEFORE_FIRST })[Symbol.asyncIterator](),
    );
    for (const records of readers) await records.next();
    await wal.maintenance.removeSegments({ below: at(third!) });
    for (const records of readers) {
      let last = 1;
      const rest = async (): Promise<void> => {
        for (;;) expect((await records.next()).value).toMatchObject({ sequence: ++last });
      };
      await expect(rest()).rejects.toEqual(gone);
      expect(last).toBe(second! - 1);
    }
    await Promise.all([other.close(), wal.close()]);
  });

  it('that follow slowly from a segment which was growing then, miss nothing in silence', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 2)).durable;
    const other = await WalReader.open(LOG, { fileSystem: system.sibling() });
    const stop = new AbortController();
    const followers = [wal, other].map((source) =>
      source.follow({ after: BEFORE_FIRST, signal: stop.signal })[Symbol.asyncIterator](),
    );
    for (const follower of [...followers, ...followers]) await follower.next();
    const [, , third] = await fill(wal, 3);
    await wal.maintenance.removeSegments({ below: at(third!) });
    for (const follower of followers) {
      let expected = 3;
      const follow = async (): Promise<void> => {
        for (;;) expect((await follower.next()).value).toMatchObject({ sequence: expected++ });
      };
      await expect(follow()).rejects.toEqual(gone);
      expect(expected).toBeLessThanOrEqual(third!);
    }
    stop.abort();
    await Promise.all([other.close(), wal.close()]);
  });

  it('get a clear error for a range that begins before the log, and undefined for single records', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const other = await WalReader.open(LOG, { fileSystem: system.sibling() });
    const [, second] = await fill(wal, 2);
    expect(other.recordAt(at(wal.durableSequence))).toBeDefined();
    await wal.maintenance.removeSegments({ below: at(second!) });
    const late = await WalReader.open(LOG, { fileSystem: system.sibling() });
    for (const source of [wal, other, late]) {
      await expect(source.scan(BEFORE_FIRST, () => undefined)).rejects.toEqual(gone);
      await expect(textsOf(source)).rejects.toEqual(gone);
      expect(source.recordAt(at(1))).toBeUndefined();
      expect(source.timelineAt(at(second!))).toBe(wal.timeline);
      expect(source.firstSequence).toBe(second);
      expect((await source.verify()).problems).toEqual([]);
    }
    expect(other.segments().map(({ name }) => name.firstSequence)[0]).toBe(second);
    await Promise.all([other.close(), late.close(), wal.close()]);
    expect(system.misuses).toEqual([]);
  });

  it('and verification and scrubbing pass over what goes while they run', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    const [, , third] = await fill(wal, 4);
    const other = await WalReader.open(LOG, { fileSystem: system.sibling() });
    let removal: Promise<unknown> | undefined;
    const remove = (): void => {
      removal ??= wal.maintenance.removeSegments({ below: at(third!) });
    };
    const verified = [wal.verify(remove), other.verify(remove)];
    const scrubbed = wal.maintenance.scrub({ bytesPerSecond: 1e9, onSegment: remove });
    for (const { problems } of await Promise.all([...verified, scrubbed]))
      expect(problems).toEqual([]);
    await removal;
    expect(wal.firstSequence).toBe(third);
    await Promise.all([other.close(), wal.close()]);
  });
});

function sizeOf(system: SimulatedFileSystem, path: string): number {
  const file = system.open(path, 'read');
  try {
    return file.size();
  } finally {
    file.close();
  }
}

/** The process is stopped just before this rename, and woken up after `meanwhile`. */
function beforeRename(system: SimulatedFileSystem, to: RegExp, meanwhile: () => void): void {
  const rename = system.rename.bind(system);
  system.rename = (from, target): void => {
    if (to.test(target)) meanwhile();
    rename(from, target);
  };
}

function takeOver(system: SimulatedFileSystem): WriterLock {
  return WriterLock.acquire(system.sibling(), LOG, { takeover: true, clock: systemClock });
}
