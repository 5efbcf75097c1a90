import type { Position, RetentionOptions } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkContext } from '../jobs/job.js';
import { TestAdminService } from '../testing/admin-service.js';
import { LogRetention, type LogRetentionOptions } from './log-retention.js';

const HOUR_MILLIS = 3_600_000;

describe('retention of a log', () => {
  let service: TestAdminService;
  let context: WorkContext;

  beforeEach(async () => {
    service = await TestAdminService.start();
    await service.rotate(4);
    context = { signal: new AbortController().signal, progress: () => undefined };
  });
  afterEach(() => service.stop());

  const retention = (
    options: Partial<RetentionOptions>,
    parts: Partial<LogRetentionOptions> = {},
  ): LogRetention =>
    new LogRetention({
      log: service.writer.log,
      options: { policy: 'snapshots', livePositionsMin: 0, liveMillisMin: 0, ...options },
      ...parts,
    });
  const durable = (): Position => service.writer.log.durablePosition;
  const segments = (): number => service.writer.log.stats().segments;

  it('removes nothing under keep-all, and nothing below a single snapshot', async () => {
    const before = segments();
    for (const unmoved of [
      retention({ policy: 'keep-all' }),
      retention({}, { snapshotPositions: () => [durable()] }),
    ]) {
      expect(unmoved.plan().removal).toMatchObject({ segments: [], bytes: 0, pinnedBy: [] });
      expect((await unmoved.apply(context)).removal.segments).toEqual([]);
    }
    expect(segments()).toBe(before);
  });

  it('removes what lies below the older of two snapshots, as its plan said', async () => {
    const before = segments();
    const older = (durable() - 1) as Position;
    const applied = retention({}, { snapshotPositions: () => [durable(), older] });
    const plan = applied.plan();
    expect(plan).toMatchObject({ policy: 'snapshots', below: older });
    expect(plan.removal.segments.length).toBeGreaterThan(2);
    const report = await applied.apply(context);
    expect(report).toMatchObject({ below: older, removal: { left: [] } });
    // A file may be trimmed to its data meanwhile, so that it has fewer bytes.
    const files = ({ removal }: Pick<typeof plan, 'removal'>) =>
      removal.segments.map(({ file, lastSequence }) => [file, lastSequence]);
    expect(files(report)).toEqual(files(plan));
    expect(segments()).toBe(before - plan.removal.segments.length);
    expect(applied.totals).toMatchObject({
      removedSegments: plan.removal.segments.length,
      removedBytes: report.removal.bytes,
      failures: 0,
    });
    expect(service.writer.log.firstPosition).toBe(plan.removal.firstSequence);
  });

  it('keeps what a consumer still needs, and says who it is', async () => {
    service.writer.log.wal.floors.set('projection:search', 1 as never);
    const applied = retention(
      {},
      { snapshotPositions: () => [durable(), (durable() - 1) as Position] },
    );
    const { removal } = applied.plan();
    expect(removal).toMatchObject({ segments: [], pinnedBy: [{ name: 'projection:search' }] });
    expect(removal.pinnedBy[0]!.bytes).toBeGreaterThan(3 * 30 * 1024);
    expect((await applied.apply(context)).removal.segments).toEqual([]);
  });

  it('keeps what is young, by the times of the events themselves', () => {
    const parts = { snapshotPositions: () => [durable(), (durable() - 1) as Position] };
    expect(retention({ liveMillisMin: HOUR_MILLIS }, parts).plan()).toMatchObject({
      below: 1,
      limits: [{ reason: 'age' }, { reason: 'snapshots' }, { reason: 'positions' }],
    });
    const later = { nowMillis: () => Date.now() + 2 * HOUR_MILLIS };
    const plan = retention({ liveMillisMin: HOUR_MILLIS }, { ...parts, clock: later }).plan();
    expect(plan.removal.segments.length).toBeGreaterThan(2);
  });

  it('removes nothing when archiving fails or was cancelled, and counts the failure', async () => {
    const before = segments();
    const cancelling = new AbortController();
    const failing = retention(
      { policy: 'archive' },
      {
        archive: {
          archivedPosition: durable(),
          archiveSealed: () => Promise.reject(new Error('the disk of the archive is full')),
        },
      },
    );
    await expect(failing.apply(context)).rejects.toThrow('full');
    expect(failing.totals.failures).toBe(1);
    const cancelled = retention(
      { policy: 'archive' },
      {
        archive: {
          archivedPosition: durable(),
          archiveSealed: () => {
            cancelling.abort();
            return Promise.resolve({});
          },
        },
      },
    );
    await expect(cancelled.apply({ ...context, signal: cancelling.signal })).rejects.toThrow();
    expect([segments(), cancelled.totals.failures]).toEqual([before, 0]);
  });
});

describe('retention over HTTP', () => {
  const NOTHING_STAYS = { livePositionsMin: 0, liveMinutesMin: 0, intervalSeconds: 86_400 };
  let service: TestAdminService;
  afterEach(() => service.stop());

  const apply = async () => service.jobOf(await service.send('POST', '/admin/retention/apply'));

  it('archives first, then removes what is in the archive, and every event can still be read', async () => {
    service = await TestAdminService.start({
      archive: true,
      retention: { policy: 'archive', ...NOTHING_STAYS },
    });
    await service.rotate(4);
    const before = service.writer.log.durablePosition;
    const { body } = await service.send('GET', '/admin/retention');
    expect(body).toMatchObject({
      policy: 'archive',
      removal: { segments: [], pinnedBy: [] },
      limits: [{ reason: 'archive', below: 1 }, { reason: 'positions' }],
    });
    const job = await apply();
    expect(job).toMatchObject({
      state: 'succeeded',
      result: { archived: { segments: 4 }, removal: { left: [] } },
    });
    const { removal } = job['result'] as { removal: { segments: object[] } };
    expect(removal.segments).toHaveLength(3);
    const { log } = service.writer;
    expect(log.stats().archivedSegments).toBeGreaterThan(2);
    expect(log.firstPosition).toBe(1);
    let events = 0;
    for await (const batch of log.readAll()) events += batch.events.length;
    expect(events).toBe(before);
    expect(log.eventAt(1 as Position)).toMatchObject({ type: 'LedgerOpened' });
  });

  it('removes what two snapshots of the state cover, for good', async () => {
    service = await TestAdminService.start({
      retention: { policy: 'snapshots', ...NOTHING_STAYS },
    });
    await service.rotate(3);
    const snapshot = async () => service.jobOf(await service.send('POST', '/admin/snapshots'));
    expect(await snapshot()).toMatchObject({
      state: 'succeeded',
      result: { entries: expect.any(Number) },
    });
    expect(((await apply())['result'] as { removal: object }).removal).toMatchObject({
      segments: [],
    });
    await service.fill(3);
    await snapshot();
    const { body } = await service.send('GET', '/admin/snapshots');
    expect((body['items'] as object[]).length).toBe(2);
    const { removal } = (await apply())['result'] as { removal: { segments: object[] } };
    expect(removal.segments.length).toBeGreaterThan(1);
    expect(service.writer.log.firstPosition).toBeGreaterThan(1);
  });

  it('keeps everything by itself', async () => {
    service = await TestAdminService.start();
    const { status, body } = await service.send('GET', '/admin/retention');
    expect([status, body['policy'], body['below']]).toEqual([200, 'keep-all', 0]);
    expect(await apply()).toMatchObject({ state: 'succeeded', result: { policy: 'keep-all' } });
  });
});
