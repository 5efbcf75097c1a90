import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { NodeFileSystem, WalReader } from '@holdfast/wal';
import { assertNoUnfinishedRestore } from '@holdfast/event-store';
import { type WorkContext, RestorePlace } from '@holdfast/operations';
import { TestAdminService } from '../testing/admin-service.js';
import { openNotes, restoreNotes, writeNote } from '../testing/notes.js';

const context = (progress: WorkContext['progress'] = () => undefined): WorkContext => ({
  signal: new AbortController().signal,
  progress,
});

describe('a restore of a data directory', () => {
  let service: TestAdminService;
  let root: string;
  let place: string;
  let whole: string;
  /** Of a log that begins later than any snapshot of it. */
  let headless: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-restores-'));
    service = await TestAdminService.start();
    await service.rotate(2);
    [whole, headless] = [join(root, 'whole'), join(root, 'headless')];
    const { wal } = service.writer.log;
    await wal.maintenance.backup(whole);
    await service.writer.log.checkpoint();
    await wal.maintenance.removeSegments({ below: wal.durableSequence });
    await wal.maintenance.backup(headless);
  });
  afterAll(async () => {
    await service.stop();
    await rm(root, { recursive: true });
  });
  beforeEach(async () => {
    place = await mkdtemp(join(root, 'place-'));
  });
  afterEach(() => rm(place, { recursive: true }));

  it('that fails removes the directories above its target that it has made, and no others', async () => {
    await mkdir(join(place, 'there'));
    const target = join(place, 'there', 'made', 'by', 'it');
    const failed = restoreNotes({ backup: headless, target }, context());
    await expect(failed).rejects.toMatchObject({ code: 'EVENT_POSITION_GONE' });
    expect(await readdir(place)).toEqual(['there']);
    expect(await readdir(join(place, 'there'))).toEqual([]);
  });

  it('has built the state when it has succeeded, so that a start replays nothing', async () => {
    const target = join(place, 'new', 'target');
    const report = await restoreNotes({ backup: whole, target }, context());
    expect(report.state.position).toBe(report.lastSequence);
    expect(await readdir(join(place, 'new'))).toEqual(['target']);
    const copy = await openNotes(join(target, 'wal'), {
      state: { directory: join(target, 'state'), snapshotDirectory: join(target, 'snapshots') },
    });
    expect(copy.log.replayReport).toMatchObject({ after: report.lastSequence });
    await copy.close();
  });

  it('is refused to a time before anything was written, as to a position that there is not, and makes nothing', async () => {
    const target = join(place, 'target');
    const atMillis = Date.parse('2001-01-01T00:00:00Z');
    await expect(
      restoreNotes({ backup: whole, target, atMillis }, context()),
    ).rejects.toMatchObject({
      code: 'WAL_RESTORE_REFUSED',
      message: expect.stringContaining('2001-01-01T00:00:00.000Z'),
    });
    expect(existsSync(target)).toBe(false);
  });

  it('takes an empty directory, which may be a volume', async () => {
    const target = join(place, 'volume');
    await mkdir(target);
    await restoreNotes({ backup: whole, target }, context());
    expect((await readdir(target)).sort()).toEqual(['state', 'wal']);
    const reader = await WalReader.open(join(target, 'wal'));
    expect((await reader.verify()).problems).toEqual([]);
    await reader.close();
  });

  it.each(['new', 'empty'])(
    'of a log that no service can start fails, and leaves nothing in a %s directory',
    async (kind) => {
      const target = join(place, 'target');
      if (kind === 'empty') await mkdir(target);
      const failed = restoreNotes({ backup: headless, target }, context());
      await expect(failed).rejects.toMatchObject({ code: 'EVENT_POSITION_GONE' });
      expect(await readdir(place)).toEqual(kind === 'empty' ? ['target'] : []);
      if (kind === 'empty') expect(await readdir(target)).toEqual([]);
    },
  );

  describe('to a network file system', () => {
    let target: string;
    beforeEach(() => {
      target = join(place, 'new', 'target');
      jest.spyOn(NodeFileSystem.prototype, 'isNetwork').mockReturnValue(true);
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    it('is refused before anything is made', async () => {
      const progress = jest.fn();
      await expect(
        restoreNotes({ backup: whole, target }, context(progress)),
      ).rejects.toMatchObject({ code: 'WAL_UNSUPPORTED_FILE_SYSTEM' });
      expect(progress).not.toHaveBeenCalled();
      expect(await readdir(place)).toEqual([]);
    });

    it('is made where such a one is allowed', async () => {
      await restoreNotes({ backup: whole, target, allowNetworkFileSystem: true }, context());
      expect(await readdir(join(place, 'new'))).toEqual(['target']);
    });
  });

  it.each(['bytes', 'positions'])('that is cancelled at its %s leaves nothing', async (unit) => {
    const stop = new AbortController();
    const target = join(place, 'target');
    const cancelled = restoreNotes(
      { backup: whole, target },
      {
        signal: stop.signal,
        progress: (done, total, counted) => {
          if (counted === unit && done >= total) stop.abort();
        },
      },
    );
    await expect(cancelled).rejects.toMatchObject({ code: 'WORK_CANCELLED' });
    expect(await readdir(place)).toEqual([]);
  });

  it.each([
    ['a directory that is there', true],
    ['one to be made', false],
  ])(
    'keeps a service from beginning an empty log in %s while it is at work, or when it was killed',
    async (_, isThere) => {
      const target = join(place, 'volume');
      if (isThere) await mkdir(target);
      const start = () => assertNoUnfinishedRestore(join(target, 'wal'));
      expect(start).not.toThrow();
      let looked = 0;
      await restoreNotes(
        { backup: whole, target },
        context(() => {
          looked += 1;
          expect(start).toThrow(expect.objectContaining({ code: 'RESTORE_UNFINISHED' }));
        }),
      );
      expect(looked).toBeGreaterThan(0);
      expect(start).not.toThrow();
    },
  );

  it('takes the names back that it has given where the log cannot have its own', async () => {
    const target = join(place, 'target');
    await mkdir(target);
    const half = RestorePlace.prepare(target);
    await mkdir(join(half.directory, 'state'));
    expect(() => half.finish()).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect((await readdir(target)).sort()).toEqual(['restoring', 'state']);
    half.discard();
    expect(await readdir(target)).toEqual([]);
  });

  it.each(['new', 'empty'])(
    'leaves a log that has its name to whoever has opened it since, in a %s directory',
    async (kind) => {
      const target = join(place, 'target');
      if (kind === 'empty') await mkdir(target);
      const whole = RestorePlace.prepare(target);
      for (const name of ['state', 'wal']) await mkdir(join(whole.directory, name));
      whole.finish();
      const service = await openNotes(join(target, 'wal'), { wal: { create: true } });
      await writeNote(service, 'a');
      // As where the directory could not be synced in the end.
      whole.discard();
      await writeNote(service, 'b');
      await service.close();
      expect((await readdir(target)).sort()).toEqual(['state', 'wal']);
    },
  );

  it('is refused where another was killed, and where anything is', async () => {
    const target = join(place, 'target');
    await mkdir(`${target}.restoring`);
    const full = join(place, 'full');
    await mkdir(full);
    await writeFile(join(full, 'file'), '');
    for (const directory of [target, full])
      await expect(
        restoreNotes({ backup: whole, target: directory }, context()),
      ).rejects.toMatchObject({ code: 'RESTORE_TARGET_NOT_EMPTY' });
    expect(existsSync(`${target}.restoring`)).toBe(true);
    expect(await readdir(full)).toEqual(['file']);
  });
});
