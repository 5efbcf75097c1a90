import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestAdminService } from './testing/admin-service.js';

describe('the admin API', () => {
  let service: TestAdminService;
  beforeEach(async () => {
    service = await TestAdminService.start();
  });
  afterEach(() => service.stop());

  it('tells what the log holds', async () => {
    await service.fill(3);
    const { status, body } = await service.send('GET', '/admin/log');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ logId: service.writer.log.logId, durability: 'sync', epoch: 1 },
      ...{ firstPosition: 1, durablePosition: 3, lastPosition: 3, segments: 1, events: 3 },
    });
  });

  it('says which methods an address takes', async () => {
    for (const [method, path] of [
      ['DELETE', '/admin/log'],
      ['GET', '/admin/log/verify'],
    ] as const) {
      const { status, body } = await service.send(method, path);
      expect([status, body['type']]).toEqual([405, '/problems/method-not-allowed']);
    }
  });

  it('verifies the log as a job, and finds damage', async () => {
    await service.rotate(2);
    const begun = await service.send('POST', '/admin/log/verify');
    expect([begun.status, begun.body['kind']]).toEqual([202, 'verify-log']);
    expect(await service.jobOf(begun)).toMatchObject({
      state: 'succeeded',
      result: { sound: true, problems: [], firstSequence: 1 },
      progress: { unit: 'bytes' },
    });
    const wal = join(service.directory, 'wal');
    const file = join(
      wal,
      readdirSync(wal)
        .filter((name) => name.endsWith('.wal'))
        .sort()[0]!,
    );
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('NoteWritten')]! ^= 1;
    writeFileSync(file, bytes);
    const job = await service.jobOf(await service.send('POST', '/admin/log/verify'));
    expect(job).toMatchObject({
      state: 'succeeded',
      result: { sound: false },
    });
    const { problems } = job['result'] as { problems: object[] };
    expect(problems[0]).toMatchObject({ file, firstSequence: 1 });
  });

  it('scrubs at the rate that it is told, and stops when it is cancelled', async () => {
    await service.rotate(3);
    const fast = await service.jobOf(await service.send('POST', '/admin/log/scrub', {}));
    expect(fast).toMatchObject({
      state: 'succeeded',
      result: { sound: true, complete: false, lastSequence: expect.any(Number) },
    });
    const refused = await service.send('POST', '/admin/log/scrub', { bytesPerSecond: 1 });
    expect([refused.status, refused.body['type']]).toEqual([400, '/problems/invalid-request']);
    const slow = await service.send('POST', '/admin/log/scrub', { bytesPerSecond: 1024 * 1024 });
    const path = slow.headers.get('location') ?? '';
    expect((await service.send('POST', `${path}/cancel`)).status).toBe(200);
    expect(await service.jobOf(slow)).toMatchObject({ state: 'cancelled' });
  });

  it('lists jobs, newest first, and says of one that it does not know why that may be', async () => {
    const first = await service.send('POST', '/admin/log/verify');
    const second = await service.send('POST', '/admin/log/scrub', {});
    await service.jobOf(second);
    const { body } = await service.send('GET', '/admin/jobs');
    expect((body['items'] as { id: string }[]).map(({ id }) => id)).toEqual([
      second.body['id'],
      first.body['id'],
    ]);
    const unknown = '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10';
    for (const [method, path] of [
      ['GET', `/admin/jobs/${unknown}`],
      ['POST', `/admin/jobs/${unknown}/cancel`],
    ] as const) {
      const missing = await service.send(method, path);
      expect(missing).toMatchObject({
        status: 404,
        body: { type: '/problems/job-not-found', detail: expect.stringContaining('restart') },
      });
    }
    expect((await service.send('GET', '/admin/jobs/nonsense')).status).toBe(400);
  });

  it('describes every route of its own in its OpenAPI document', async () => {
    const { body } = await service.send('GET', '/openapi.json');
    const paths = body['paths'] as Record<string, object>;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/admin/log', '/admin/jobs/{job}', '/admin/floors/{floor}/drop']),
    );
    expect(Object.keys(paths).every((path) => path.startsWith('/admin/'))).toBe(true);
  });
});
