import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BEFORE_FIRST, Wal, WalReader } from '@holdfast/wal';
import { describeWith, runs } from './requirements.js';

const canMount = (): boolean => process.getuid?.() === 0 && runs('which', 'mount');

describeWith('root, to mount a tmpfs', canMount, 'a disk that fills up', () => {
  let directory: string;
  let disk: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'full-'));
    disk = join(directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
  });

  afterEach(() => {
    execFileSync('umount', [disk]);
    rmSync(directory, { recursive: true });
  });

  const open = (): Promise<Wal> =>
    Wal.open(join(disk, 'log'), {
      create: true,
      frameBytesMax: 16 * 1024,
      segmentBytes: 64 * 1024,
      roomRetryMillis: 0,
    });

  const payloadOf = (sequence: number): Buffer => Buffer.from(`${sequence}:`.padEnd(1000, 'x'));

  /** Appends until the log says that it is full; everything admitted becomes durable. */
  const fill = async (wal: Wal): Promise<void> => {
    for (;;) {
      const before = wal.lastSequence;
      try {
        await wal.append([payloadOf(before + 1)]).durable;
      } catch (error) {
        expect(error).toMatchObject({ code: 'WAL_FULL' });
        expect([wal.lastSequence, wal.durableSequence, wal.poison]).toEqual([
          before,
          before,
          undefined,
        ]);
        return;
      }
    }
  };

  it('is refused at admission, assigns nothing, and goes on in place once there is room', async () => {
    const wal = await open();
    await fill(wal);
    const full = wal.lastSequence;
    expect(full).toBeGreaterThan(100);
    expect(() => wal.append([payloadOf(full + 1)])).toThrow(
      expect.objectContaining({ code: 'WAL_FULL' }),
    );
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    await fill(wal);
    expect(wal.lastSequence).toBeGreaterThan(full + 100);
    await wal.close();
  });

  it('keeps everything, for readers on the full disk and for the next opening', async () => {
    const wal = await open();
    await fill(wal);
    const full = wal.lastSequence;
    const reader = await WalReader.open(join(disk, 'log'));
    let read = 0;
    for await (const { sequence, payload } of reader.read({ after: BEFORE_FIRST })) {
      expect(Buffer.from(payload).equals(payloadOf(sequence))).toBe(true);
      read++;
    }
    expect(read).toBe(full);
    await reader.close();
    await wal.close();
    // A start may use what appends left, so that its checkpoints and removals make room.
    await (await open()).close();
    expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(2 ** 21))).toThrow('ENOSPC');
    // A new segment needs room; without it the log cannot be opened for writing, says so, and changes nothing.
    await expect(open()).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOSPC|WAL_FULL)$/),
    });
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    const again = await open();
    expect(again.lastSequence).toBe(full);
    expect((await again.verify()).problems).toEqual([]);
    await again.close();
  });

  it('is read through a read-only mount', async () => {
    const wal = await open();
    await wal.append([payloadOf(1)]).durable;
    const view = join(directory, 'view');
    mkdirSync(view);
    execFileSync('mount', ['--bind', disk, view]);
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', view]);
      const reader = await WalReader.open(join(view, 'log'));
      expect(reader.durableSequence).toBe(1);
      await wal.append([payloadOf(2)]).durable;
      expect(reader.recordAt(reader.durableSequence)?.sequence).toBe(2);
      await reader.close();
    } finally {
      execFileSync('umount', [view]);
      await wal.close();
    }
  });
});
