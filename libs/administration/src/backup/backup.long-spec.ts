import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Sequence } from '@holdfast/wal';
import { verifyBackup } from '@holdfast/wal/maintenance';
import { TestAdminService } from '../testing/admin-service.js';
import { BackupPlace, backUp as backUpLog, snapshotPosition } from '@holdfast/operations';
import { openNotes, restoreNotes } from '../testing/notes.js';

describe('backups over the admin API', () => {
  let service: TestAdminService;
  let place: string;

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'holdfast-backups-'));
    service = await TestAdminService.start({ archive: true, backupDirectory: place });
  });
  afterEach(async () => {
    await service.stop();
    await rm(place, { recursive: true });
  });

  const backUp = async (directory: string, replace?: boolean) =>
    service.jobOf(await service.send('POST', '/admin/backups', { directory, replace }));

  it('copy the log, its archive and its snapshots, and the second time only what is new', async () => {
    const directory = join(place, 'ledger');
    await service.rotate(2);
    await service.jobOf(await service.send('POST', '/admin/archive'));
    await service.jobOf(await service.send('POST', '/admin/snapshots'));
    const first = await backUp(directory);
    const { durablePosition } = service.writer.log;
    expect(first).toMatchObject({
      state: 'succeeded',
      result: { firstSequence: 1, lastSequence: durablePosition, files: 1, copiedSegments: 2 },
      progress: { unit: 'bytes' },
    });
    await service.rotate(1);
    expect(await backUp(directory)).toMatchObject({ result: { copiedSegments: 1 } });

    const target = join(place, 'restored');
    const context = { signal: new AbortController().signal, progress: () => undefined };
    const restored = await restoreNotes({ backup: directory, target }, context);
    expect(restored).toMatchObject({
      lastSequence: service.writer.log.durablePosition,
      snapshots: 1,
    });
    const early = await restoreNotes(
      { backup: directory, target: join(place, 'early'), upTo: 3 },
      context,
    );
    // The snapshot is of a later position, and of no use there.
    expect(early).toMatchObject({ lastSequence: 3, snapshots: 0 });
    const copy = await openNotes(join(target, 'wal'), {
      state: { directory: join(target, 'state'), snapshotDirectory: join(target, 'snapshots') },
    });
    expect(copy.log.lastPosition).toBe(service.writer.log.lastPosition);
    expect(copy.log.replayReport.after).toBeGreaterThan(0);
    expect(copy.log.wal.timeline).not.toBe(service.writer.log.wal.timeline);
    await copy.close();
  });

  it('take no damaged snapshot along, name it, and keep the whole copy that they have of it', async () => {
    const directory = join(place, 'ledger');
    await service.rotate(1);
    await service.jobOf(await service.send('POST', '/admin/snapshots'));
    await backUp(directory);
    const { path, position } = service.writer.log.snapshots()[0]!;
    const content = await readFile(path);
    content.writeUInt8(content.readUInt8(content.length >> 1) ^ 1, content.length >> 1);
    await writeFile(path, content);
    expect(await backUp(directory)).toMatchObject({ result: { files: 1, leftOut: [] } });
    const target = join(place, 'restored');
    const context = { signal: new AbortController().signal, progress: () => undefined };
    expect(await restoreNotes({ backup: directory, target }, context)).toMatchObject({
      snapshots: 1,
    });
    const [restored = ''] = await readdir(join(target, 'snapshots'));
    expect(await readFile(join(target, 'snapshots', restored))).not.toEqual(content);
    const elsewhere = await backUp(join(place, 'other'));
    const name = `snapshots/${position}.snapshot`;
    expect(elsewhere).toMatchObject({ state: 'succeeded', result: { files: 0, leftOut: [name] } });
  });

  describe('of a log whose beginning is gone', () => {
    const context = { signal: new AbortController().signal, progress: () => undefined };
    const kept = (position: number) => `snapshots/${position}.snapshot`;
    const snapshot = async () => {
      await service.rotate(1);
      return (await service.writer.log.snapshot()).position;
    };
    const forget = (position: number) =>
      service.writer.log.wal.maintenance.removeSegments({ below: position as Sequence });

    beforeEach(async () => {
      // Nor is it in an archive.
      await service.stop();
      service = await TestAdminService.start({ backupDirectory: place });
    });

    it('go on to be restored to where they could be before', async () => {
      const directory = join(place, 'ledger');
      const early = await snapshot();
      await snapshot();
      await forget(early);
      const { result } = (await backUp(directory)) as { result: Record<string, unknown> };
      expect(result).toMatchObject({ files: 2, keptFiles: [], restorableFrom: early });
      // The service keeps two of them.
      const late = [await snapshot(), await snapshot()];
      expect(await backUp(directory)).toMatchObject({
        state: 'succeeded',
        result: { files: 3, keptFiles: [kept(early)], restorableFrom: early },
      });
      for (const [index, upTo] of [early, late[0]!].entries()) {
        const target = join(place, `restored-${index}`);
        const restored = await restoreNotes({ backup: directory, target, upTo }, context);
        expect(restored.state.position).toBe(upTo);
      }
    });

    it('keep the snapshots that they have, where those of the service are lost', async () => {
      const directory = join(place, 'ledger');
      const position = await snapshot();
      await forget(position);
      expect(await backUp(directory)).toMatchObject({ result: { files: 1, keptFiles: [] } });
      const snapshots = join(service.directory, 'snapshots');
      await rm(snapshots, { recursive: true });
      // Nor can one be made.
      await writeFile(snapshots, '');
      const keeps = { leftOut: [], keptFiles: [kept(position)], restorableFrom: position };
      expect(await backUp(directory)).toMatchObject({
        state: 'succeeded',
        result: { files: 1, ...keeps },
      });
      await rm(snapshots);
      // As after a restart, which finds none, and can make one.
      const data = join(place, 'data');
      await service.fill(1);
      await service.writer.log.checkpoint();
      await cp(service.directory, data, { recursive: true });
      const writer = await openNotes(join(data, 'wal'), {
        state: { directory: join(data, 'state'), snapshotDirectory: join(data, 'snapshots') },
      });
      expect(writer.log.stateStatus()).toMatchObject({ snapshots: [], damagedSnapshots: [] });
      const options = { apartFrom: [], replace: false };
      const report = await backUpLog(writer.log, directory, options, context);
      expect(report).toMatchObject({ files: 2, ...keeps });
      await writer.close();
      const target = join(place, 'new');
      expect(await restoreNotes({ backup: directory, target }, context)).toMatchObject({
        snapshots: 2,
      });
    });

    it('get a snapshot that is made for them, where the service has none', async () => {
      const directory = join(place, 'ledger');
      await forget(await snapshot());
      await rm(join(service.directory, 'snapshots'), { recursive: true });
      const { durablePosition } = service.writer.log;
      expect(await backUp(directory)).toMatchObject({
        state: 'succeeded',
        result: { files: 1, restorableFrom: durablePosition },
      });
      const restored = await restoreNotes(
        { backup: directory, target: join(place, 'new') },
        context,
      );
      expect(restored).toMatchObject({ snapshots: 1, state: { position: durablePosition } });
    });

    it('fail where none can be made, and verifying them says that they cannot be restored', async () => {
      const directory = join(place, 'ledger');
      await forget(await snapshot());
      const snapshots = join(service.directory, 'snapshots');
      await rm(snapshots, { recursive: true });
      await writeFile(snapshots, '');
      const { firstSequence } = service.writer.log.wal;
      expect(await backUp(directory)).toMatchObject({
        state: 'failed',
        problem: {
          code: 'BACKUP_NOT_RESTORABLE',
          message: expect.stringMatching(/none could be made: E(EXIST|NOTDIR)/),
          details: { firstSequence },
        },
      });
      const { problems } = await verifyBackup(directory, { standsAt: snapshotPosition });
      expect(problems).toMatchObject([
        { firstSequence, reason: expect.stringMatching(/cannot be restored$/) },
      ]);
      const target = join(place, 'new');
      await expect(restoreNotes({ backup: directory, target }, context)).rejects.toMatchObject({
        code: 'EVENT_POSITION_GONE',
      });
    });
  });

  it('that have lost a snapshot are restored without it', async () => {
    const directory = join(place, 'ledger');
    await service.fill(1);
    await service.jobOf(await service.send('POST', '/admin/snapshots'));
    await service.fill(1);
    await service.jobOf(await service.send('POST', '/admin/snapshots'));
    expect(await backUp(directory)).toMatchObject({ result: { files: 2 } });
    const [file = ''] = await readdir(join(directory, 'files'));
    await rm(join(directory, 'files', file));
    const context = { signal: new AbortController().signal, progress: () => undefined };
    const target = join(place, 'restored');
    expect(await restoreNotes({ backup: directory, target }, context)).toMatchObject({
      snapshots: 1,
    });
    expect(await readdir(join(target, 'snapshots'))).toHaveLength(1);
  });

  it('give up what the log does not hold only when they are told to', async () => {
    const directory = join(place, 'ledger');
    await service.rotate(1);
    await backUp(directory);
    const manifest = String(await readFile(join(directory, 'BACKUP')));
    // As of a log that has gone on in another timeline.
    const foreign = manifest
      .replace(/^timeline .*$/m, `timeline ${'0'.repeat(16)}`)
      .replace(/crc .*\n$/, '');
    const checksum = crc32(foreign).toString(16).padStart(8, '0');
    await writeFile(join(directory, 'BACKUP'), `${foreign}crc ${checksum}\n`);
    expect(await backUp(directory)).toMatchObject({ problem: { code: 'WAL_BACKUP_REFUSED' } });
    expect(await backUp(directory, true)).toMatchObject({ state: 'succeeded' });
  });

  it('are refused where they may not be, and nothing is made there', async () => {
    for (const directory of [
      join(tmpdir(), 'holdfast-elsewhere'),
      `${place}/../holdfast-elsewhere`,
      place,
    ]) {
      const { status, body } = await service.send('POST', '/admin/backups', { directory });
      expect([status, body['type']]).toEqual([403, '/problems/backup-place-refused']);
    }
    expect(existsSync(join(tmpdir(), 'holdfast-elsewhere'))).toBe(false);
    for (const asked of [
      { directory: 'backups' },
      { directory: join(place, 'ledger'), replace: 'yes' },
    ]) {
      const { status, body } = await service.send('POST', '/admin/backups', asked);
      expect([status, body['type']]).toEqual([400, '/problems/invalid-request']);
    }
  });

  it('are refused where a link leads out of that place, also one whose target is not there yet', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'holdfast-outside-'));
    await symlink(outside, join(place, 'link'));
    await symlink(join(outside, 'later'), join(place, 'dangling'));
    for (const directory of ['link', 'link/ledger', 'dangling', 'dangling/ledger']) {
      const asked = { directory: join(place, directory) };
      const { status } = await service.send('POST', '/admin/backups', asked);
      expect([directory, status]).toEqual([directory, 403]);
    }
    expect(await readdir(outside)).toEqual([]);
    await rm(outside, { recursive: true });
  });

  it('are refused inside of the live data and around it, and where other things are', async () => {
    await service.stop();
    service = await TestAdminService.start();
    const photographs = join(place, 'photographs');
    await mkdir(join(photographs, 'files'), { recursive: true });
    await writeFile(join(photographs, 'files', 'holiday.jpg'), 'x');
    const { directory } = service;
    for (const name of ['wal', 'state/backup', 'snapshots', 'read-models/backup', 'backup', ''])
      expect([name, await backUp(join(directory, name))]).toMatchObject([
        name,
        { state: 'failed', problem: { code: 'WAL_BACKUP_REFUSED' } },
      ]);
    expect(await backUp(photographs)).toMatchObject({ problem: { code: 'WAL_BACKUP_REFUSED' } });
    expect(await readdir(join(photographs, 'files'))).toEqual(['holiday.jpg']);
  });

  it('fail with the words of the log when the place is of no use', async () => {
    const directory = join(place, 'missing', 'parent');
    expect(await backUp(directory)).toMatchObject({
      state: 'failed',
      problem: { code: expect.any(String), message: expect.stringContaining(place) },
    });
  });
});

describe('where backups may be made', () => {
  it.each([
    ['', '/anywhere', true],
    ['/mnt', '/mnt/a', true],
    ['/mnt/', '/mnt/a/b', true],
    ['/mnt', '/mnt', false],
    ['/mnt', '/mnt-other/a', false],
    ['/mnt', '/mnt/../etc', false],
    ['/', '/etc', true],
  ])('below %p, %s is allowed: %p', (root, directory, allowed) => {
    expect(new BackupPlace(root).allows(directory)).toBe(allowed);
  });
});
