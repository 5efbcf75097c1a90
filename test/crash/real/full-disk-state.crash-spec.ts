import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Evolve, type StateEvent, WalEventLog } from '@holdfast/event-store';
import { oneAppend, sampleEvent } from '@holdfast/event-store/testing';
import { Services } from '../../support/services.js';
import { describeWith, runs } from './requirements.js';

const canMount = (): boolean => process.getuid?.() === 0 && runs('which', 'mount');
const PAGE_BYTES = 4_096;

const evolve: Evolve = ({ stream }, state) =>
  state.section<string>('last').set(stream, 'x'.repeat(500));

describeWith('root, to mount a tmpfs', canMount, 'a full disk under the state', () => {
  let directory: string;
  let disk: string;
  let events: StateEvent[];
  let number = 0;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'full-state-'));
    disk = join(directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', disk]);
  });

  afterEach(() => {
    execFileSync('umount', ['-l', disk]);
    rmSync(directory, { recursive: true });
  });

  /** The log has room, and the state has none; or both are on the one disk. */
  const open = (place = directory): Promise<WalEventLog> => {
    events = [];
    const segments = { frameBytesMax: 256 * 1024, segmentBytes: 1024 * 1024 };
    return WalEventLog.open(join(place, 'log'), {
      wal: { create: true, ...segments, roomRetryMillis: 0 },
      evolve,
      state: {
        directory: join(disk, 'state'),
        snapshotDirectory: join(disk, 'snapshots'),
        onEvent: (event) => events.push(event),
      },
    });
  };

  const append = async (log: WalEventLog, commits: number): Promise<void> => {
    for (let commit = 0; commit < commits; commit += 1)
      log.append(oneAppend(`stream-${(number += 1)}`, [sampleEvent(number)]));
    await log.whenDurable(log.lastPosition);
  };

  const fill = (pagesLeft: number): void => {
    const filler = openSync(join(disk, 'filler'), 'a');
    const page = Buffer.alloc(PAGE_BYTES, 1);
    for (;;) {
      const { bavail, bsize } = statfsSync(disk);
      if (bavail * bsize <= pagesLeft * PAGE_BYTES) break;
      writeSync(filler, page);
    }
    closeSync(filler);
  };

  const free = (): void => rmSync(join(disk, 'filler'));

  // LMDB writes runs of pages at once: where the room ends within a run, the system calls it a short write and LMDB an input/output error.
  it.each([0, 1, 2, 3, 5, 8])(
    'is waited for by checkpoints when %i pages are left, and is no damage',
    async (pagesLeft) => {
      const log = await open();
      await append(log, 50);
      const { digest } = await log.checkpoint();
      fill(pagesLeft);
      await append(log, 400);
      for (let attempt = 0; attempt < 3; attempt += 1)
        await expect(log.checkpoint()).rejects.toMatchObject({
          message: expect.stringMatching(/no space left|ENOSPC/i),
        });
      expect([log.poisoned, log.stateStatus()?.verification.state]).not.toContain('damaged');
      expect(log.stateStatus()?.checkpoint).toMatchObject({ position: 50, digest });
      await append(log, 1);
      free();
      expect(await log.checkpoint()).toMatchObject({ position: 451 });
      await log.close();
      const again = await open();
      expect(again.replayReport).toMatchObject({ after: 451 });
      expect(events.map(({ kind }) => kind)).not.toContain('rebuilding');
      await again.close();
    },
  );

  it('is kept from checkpoints and snapshots by a log that leaves them room, and goes on once they have let segments go', async () => {
    const log = await open(disk);
    await append(log, 50);
    await log.checkpoint();
    const large = sampleEvent(1, { data: { text: 'x'.repeat(100_000) } });
    const fillLog = async (): Promise<void> => {
      for (;;) await log.appendDurably(oneAppend('large', [large]));
    };
    await expect(fillLog()).rejects.toMatchObject({ code: 'WAL_FULL' });
    for (let attempt = 0; attempt < 60; attempt += 1)
      await expect(fillLog()).rejects.toMatchObject({ code: 'WAL_FULL' });
    await log.checkpoint();
    await log.snapshot();
    const full = log.durablePosition;
    expect(log.stateStatus()?.checkpoint).toMatchObject({ position: full });
    await log.wal.maintenance.removeSegments({ below: log.wal.durableSequence });
    for (let commit = 0; commit < 20; commit += 1)
      await log.appendDurably(oneAppend('large', [large]));
    await log.close();
  });

  it('ends a snapshot, leaves no file of it, and says nothing against the state', async () => {
    const log = await open();
    await append(log, 1_000);
    await log.checkpoint();
    fill(20);
    await expect(log.snapshot()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(readdirSync(join(disk, 'snapshots'))).toEqual([]);
    expect([log.poisoned, log.stateStatus()?.verification.state]).toEqual([undefined, 'pending']);
    free();
    expect(await log.snapshot()).toMatchObject({ position: 1_000 });
    await log.close();
  });

  it('refuses to begin a database, which LMDB would die of, and one that is there is kept', async () => {
    fill(2);
    await expect(open()).rejects.toMatchObject({ code: 'ENOSPC' });
    free();
    const log = await open();
    await append(log, 50);
    await log.close();
    fill(0);
    await expect(open()).rejects.toMatchObject({ code: 'ENOSPC' });
    free();
    const again = await open();
    expect(again.replayReport).toMatchObject({ after: 50 });
    expect(events.map(({ kind }) => kind)).not.toContain('rebuilding');
    await again.close();
  });

  it('ends a start of the command service with the code that says so, until there is room', async () => {
    const installation = join(disk, 'installation');
    mkdirSync(installation);
    const services = await Services.prepare({}, installation);
    try {
      await services.start('command-service');
      expect((await services.end('command-service', 'SIGTERM')).code).toBe(0);
      for (const pagesLeft of [3, 0]) {
        fill(pagesLeft);
        const child = services.spawn('command-service');
        expect([pagesLeft, (await child.exited).code]).toEqual([pagesLeft, FULL_DISK]);
      }
      free();
      await services.start('command-service');
      expect((await services.end('command-service', 'SIGTERM')).code).toBe(0);
    } finally {
      await services.remove();
    }
  });
});

/** As docs/http-commands.md says. */
const FULL_DISK = 74;
