import { describe, expect, it } from '@jest/globals';
import { WalReader } from '@holdfast/wal';
import {
  type DiskImage,
  DiskReplay,
  LOG,
  type PendingChange,
  SimulatedFileSystem,
  batchAfter,
  openSimulated,
  textsOf,
} from '@holdfast/wal/testing';

/*
 * Two faults that etcd's log had, played against this one. The crash suite enumerates far more states than these; here they have their names, and fail by them.
 */
const PAGE_BYTES = 4096;
/** Records of some pages each: a frame of three of them is torn within a record and between two. */
const RECORD_BYTES = 6_000;
const SIZES = { frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 };

/** Commits some batches, of which the last is written and not yet synced, and says what was acknowledged after each operation. */
async function recorded(): Promise<{ system: SimulatedFileSystem; texts: readonly string[] }> {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system, SIZES);
  for (let batch = 0; batch < 8; batch++) {
    const { durable, last } = wal.append(batchAfter(wal.lastSequence, 3, RECORD_BYTES / 3));
    await durable;
    system.disk.mark(last);
  }
  await wal.append(batchAfter(wal.lastSequence, 3, RECORD_BYTES)).durable;
  const texts = await textsOf(wal);
  await wal.close();
  return { system, texts };
}

async function textsAfter(image: DiskImage): Promise<readonly string[]> {
  const wal = await openSimulated(SimulatedFileSystem.on(image), SIZES);
  try {
    return await textsOf(wal);
  } finally {
    await wal.close();
  }
}

describe('etcd-io/etcd#14098: all that was not synced is lost, and the log cannot be opened any more', () => {
  it('opens after each operation, with all that was acknowledged by then', async () => {
    const { system, texts } = await recorded();
    const replay = new DiskReplay(system.disk);
    const acknowledged = () => Number(replay.marks.at(-1) ?? 0);
    const points = { opened: 0, afterTheFirst: 0 };
    for (const operation of system.disk.operations) {
      replay.apply(operation);
      for (const entries of [[], replay.pendingEntries]) {
        const found = await textsAfter(replay.image([], entries));
        expect(found).toEqual(texts.slice(0, found.length));
        expect(found.length).toBeGreaterThanOrEqual(acknowledged());
        points.opened++;
        if (acknowledged() > 0) points.afterTheFirst++;
      }
    }
    expect(points.opened).toBe(2 * system.disk.operations.length);
    expect(points.afterTheFirst).toBeGreaterThan(16);
  });
});

describe('etcd-io/etcd#11488: pages of the last write are zeros after a hard reboot, and only an end of the file can be repaired', () => {
  /** The log before the last frame was synced, and the write of that frame. */
  async function torn() {
    const { system, texts } = await recorded();
    const replay = new DiskReplay(system.disk);
    let before: { replay: DiskReplay; frame: PendingChange } | undefined;
    let count = 0;
    for (const operation of system.disk.operations) {
      replay.apply(operation);
      count++;
      const frame = replay.pendingChanges.findLast(
        ({ change }) => change.kind === 'write' && change.bytes.length > 3 * RECORD_BYTES,
      );
      if (frame === undefined) continue;
      const until = new DiskReplay(system.disk);
      for (const earlier of system.disk.operations.slice(0, count)) until.apply(earlier);
      before = { replay: until, frame };
    }
    if (before === undefined) throw new Error('no write is longer than the last frame');
    return { ...before, texts };
  }

  function pagesOf({ file, change }: PendingChange): PendingChange[] {
    if (change.kind !== 'write') throw new Error('a frame is written');
    const pages: PendingChange[] = [];
    let from = 0;
    while (from < change.bytes.length) {
      const to = from + PAGE_BYTES - ((change.offset + from) % PAGE_BYTES);
      const bytes = change.bytes.subarray(from, to);
      pages.push({ file, change: { kind: 'write', offset: change.offset + from, bytes } });
      from = to;
    }
    return pages;
  }

  it('opens with any of those pages missing, and drops that write as a whole', async () => {
    const { replay, frame, texts } = await torn();
    const pages = pagesOf(frame);
    const others = replay.pendingChanges.filter((change) => change !== frame);
    expect(pages.length).toBeGreaterThanOrEqual(5);
    for (let kept = 0; kept < 1 << pages.length; kept++) {
      const there = pages.filter((_, at) => (kept & (1 << at)) !== 0);
      const found = await textsAfter(replay.image([...others, ...there], replay.pendingEntries));
      expect(found).toEqual(there.length === pages.length ? texts : texts.slice(0, -3));
    }
  });

  it('refuses the same zeros in what was acknowledged, instead of repairing them away', async () => {
    const { system } = await recorded();
    const replay = new DiskReplay(system.disk);
    for (const operation of system.disk.operations) replay.apply(operation);
    const whole = replay.image(replay.pendingChanges, replay.pendingEntries);
    const [path, bytes] = [...whole.files].find(([name]) => name.endsWith('.wal')) ?? [];
    if (path === undefined || bytes === undefined) throw new Error('a log has a segment');
    const damaged = Buffer.from(bytes);
    damaged.fill(0, 2 * PAGE_BYTES, 3 * PAGE_BYTES);
    const image = { ...whole, files: new Map(whole.files).set(path, damaged) };
    await expect(textsAfter(image)).rejects.toMatchObject({
      code: expect.stringMatching(/^WAL_(CORRUPT|DAMAGED)/),
    });
    const reader = await WalReader.open(LOG, { fileSystem: SimulatedFileSystem.on(image) });
    expect((await reader.verify()).problems).not.toEqual([]);
    await reader.close();
  });
});
