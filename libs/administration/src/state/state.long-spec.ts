import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestAdminService } from '../testing/admin-service.js';

describe('the state over the admin API', () => {
  let service: TestAdminService;
  beforeEach(async () => {
    service = await TestAdminService.start();
    await service.fill(5);
  });
  afterEach(() => service.stop());

  it('is checkpointed when it is asked to, and tells what a start would replay', async () => {
    const before = await service.send('GET', '/admin/state');
    expect(before.body).toMatchObject({
      eventsToReplay: 5,
      verification: { state: 'pending', givenUp: 0 },
    });
    const job = await service.jobOf(await service.send('POST', '/admin/checkpoints'));
    expect(job).toMatchObject({
      kind: 'checkpoint',
      state: 'succeeded',
      result: { position: 5, digest: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    const { digest } = job['result'] as { digest: string };
    await service.fill(2);
    const after = await service.send('GET', '/admin/state');
    expect(after.body).toMatchObject({
      checkpoint: { position: 5, digest, at: expect.stringMatching(/Z$/) },
      ...{ checkpoints: 1, failedCheckpoints: 0, eventsToReplay: 2 },
    });
    const floors = await service.send('GET', '/admin/floors');
    expect(floors.body['items']).toMatchObject([{ position: 5 }]);
  });

  it('is compared with a replay of the log', async () => {
    await service.jobOf(await service.send('POST', '/admin/checkpoints'));
    const job = await service.jobOf(await service.send('POST', '/admin/state/verify'));
    expect(job).toMatchObject({
      state: 'succeeded',
      result: { sound: true, complete: true, unverified: [], state: { replayed: { events: 5 } } },
    });
  });

  it('is written to snapshots, of which the newest two are kept', async () => {
    const positions: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      await service.fill(1);
      const job = await service.jobOf(await service.send('POST', '/admin/snapshots'));
      const { position, path, entries } = job['result'] as {
        position: number;
        path: string;
        entries: number;
      };
      expect(existsSync(path)).toBe(true);
      // Each is written, and read back.
      const all = 2 * entries;
      expect(job['progress']).toMatchObject({ done: all, total: all, unit: 'entries' });
      positions.push(position);
    }
    const { body } = await service.send('GET', '/admin/snapshots');
    // Of the file itself, and not of the checkpoint that it was copied from.
    for (const { at, path } of body['items'] as readonly { at: string; path: string }[])
      expect(Date.parse(at)).toBe(Math.floor(statSync(path).mtimeMs));
    expect(body['items']).toMatchObject([
      { position: positions[2], entries: expect.any(Number), bytes: expect.any(Number) },
      { position: positions[1] },
    ]);
  });

  it('stops writing a snapshot when it is told to, and leaves no file', async () => {
    await service.stop();
    // A slice of some thousand entries, then a rest in which it hears that it should stop, and so on.
    service = await TestAdminService.start({ state: { firstVerifyBytesPerSecond: 300_000 } });
    await service.fill(1_500);
    const started = await service.send('POST', '/admin/snapshots');
    const path = started.headers.get('location') ?? '';
    for (;;) {
      const { body } = await service.send('GET', path);
      expect(body['state']).toMatch(/^(queued|running)$/);
      const progress = body['progress'] as { done: number; total: number } | undefined;
      if (progress !== undefined) break;
    }
    await service.send('POST', `${path}/cancel`);
    expect(await service.jobOf(started)).toMatchObject({ kind: 'snapshot', state: 'cancelled' });
    expect(readdirSync(join(service.directory, 'snapshots'))).toEqual([]);
    expect((await service.send('GET', '/admin/snapshots')).body['items']).toEqual([]);
    expect(service.lines.map(({ msg }) => msg)).not.toContain('a job has failed');
  });
});
