import { readFileSync, writeFileSync } from 'node:fs';
import type { ClockFault, Position, RetentionOptions } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type WorkContext,
  LogRetention,
  type LogRetentionOptions,
  type RetainedLog,
  RetentionSchedule,
  NO_SNAPSHOTS,
  type RetentionSnapshots,
} from '@holdfast/operations';
import { TestAdminService } from '../testing/admin-service.js';

const HOUR_MILLIS = 3_600_000;

/** Snapshots that are as good as they were. */
function snapshotsAt(...positions: readonly Position[]): RetentionSnapshots {
  return {
    ...NO_SNAPSHOTS,
    positions: () => positions,
    provenPositions: () => Promise.resolve(positions),
  };
}

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
      retention({}, { snapshots: snapshotsAt(durable()) }),
    ]) {
      expect(unmoved.plan().removal).toMatchObject({ segments: [], bytes: 0, pinnedBy: [] });
      expect((await unmoved.apply(context)).removal.segments).toEqual([]);
    }
    expect(segments()).toBe(before);
  });

  it('removes what lies below the older of two snapshots, as its plan said', async () => {
    const before = segments();
    const older = (durable() - 1) as Position;
    const applied = retention({}, { snapshots: snapshotsAt(durable(), older) });
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

  it('reads the snapshots before each removal, and not when nothing would go', async () => {
    let reads = 0;
    const older = (durable() - 1) as Position;
    const readingAt = (...positions: readonly Position[]): RetentionSnapshots => ({
      ...snapshotsAt(...positions),
      provenPositions: () => {
        reads += 1;
        return Promise.resolve(positions);
      },
    });
    for (const unread of [
      retention({}, { snapshots: readingAt(durable()) }),
      retention({ policy: 'keep-all' }, { snapshots: readingAt(durable(), older) }),
    ]) {
      unread.plan();
      await unread.apply(context);
    }
    expect(reads).toBe(0);
    const applied = retention({}, { snapshots: readingAt(durable(), older) });
    applied.plan();
    expect(reads).toBe(0);
    expect((await applied.apply(context)).removal.segments.length).toBeGreaterThan(2);
    expect(reads).toBe(1);
    await applied.apply(context);
    expect(reads).toBe(1);
  });

  it('removes only what the snapshots cover that turned out to be whole', async () => {
    const before = segments();
    const positions = [durable(), (durable() - 1) as Position, 1 as Position];
    const held = retention(
      {},
      {
        snapshots: {
          ...snapshotsAt(...positions),
          provenPositions: () => Promise.resolve(positions.slice(1)),
        },
      },
    );
    expect(held.plan().removal.segments.length).toBeGreaterThan(2);
    expect(await held.apply(context)).toMatchObject({
      limits: [{ reason: 'snapshots', below: 1 }, { reason: 'positions' }],
      removal: { segments: [] },
    });
    expect(segments()).toBe(before);
  });

  it('keeps what a consumer still needs, and says who it is', async () => {
    service.writer.log.wal.floors.set('projection:search', 1 as never);
    const applied = retention(
      {},
      { snapshots: snapshotsAt(durable(), (durable() - 1) as Position) },
    );
    const { removal } = applied.plan();
    expect(removal).toMatchObject({ segments: [], pinnedBy: [{ name: 'projection:search' }] });
    expect(removal.pinnedBy[0]!.bytes).toBeGreaterThan(3 * 30 * 1024);
    expect((await applied.apply(context)).removal.segments).toEqual([]);
  });

  it('keeps what is young, by the times of the events themselves', () => {
    const parts = { snapshots: snapshotsAt(durable(), (durable() - 1) as Position) };
    expect(retention({ liveMillisMin: HOUR_MILLIS }, parts).plan()).toMatchObject({
      below: 1,
      limits: [{ reason: 'age' }, { reason: 'snapshots' }, { reason: 'positions' }],
    });
  });

  it.each([
    ['is in the log', true],
    ['compaction has dropped', false],
  ])('lets go of what is older by so much than the last event, which %s', (_, isThere) => {
    const { wal, firstPosition, durablePosition } = service.writer.log;
    const laterMillis = Date.now() + 2 * HOUR_MILLIS;
    const log: RetainedLog = {
      ...{ wal, firstPosition, durablePosition, lastRecordedAtMillis: laterMillis },
      eventAtOrAbove: (position) =>
        position === durablePosition
          ? isThere
            ? { position, recordedAtMillis: laterMillis }
            : undefined
          : service.writer.log.eventAtOrAbove(position),
      clockStatus: () => ({ fault: undefined }),
    };
    const snapshots = snapshotsAt(durable(), (durable() - 1) as Position);
    const clock = { nowMillis: () => laterMillis };
    const plan = retention({ liveMillisMin: HOUR_MILLIS }, { log, snapshots, clock }).plan();
    expect(plan.removal.segments.length).toBeGreaterThan(2);
  });

  it('takes nothing for old because a wall clock says so that the log does not follow', async () => {
    const parts = {
      snapshots: snapshotsAt(durable(), (durable() - 1) as Position),
      clock: { nowMillis: () => Date.now() + 31 * 24 * HOUR_MILLIS },
    };
    const aged = retention({ liveMillisMin: 30 * 24 * HOUR_MILLIS }, parts);
    expect(aged.plan().removal.segments).toEqual([]);
    expect((await aged.apply(context)).removal.segments).toEqual([]);
    expect(service.writer.log.firstPosition).toBe(1);
  });

  it('is not begun by schedule while the clock cannot be believed', () => {
    let fault: ClockFault | undefined = 'ahead';
    const begun: string[] = [];
    const jobs = { has: () => false, start: (kind: string) => begun.push(kind) };
    const { wal, firstPosition, durablePosition } = service.writer.log;
    const log: RetainedLog = {
      ...{ wal, firstPosition, durablePosition, lastRecordedAtMillis: 0 },
      eventAtOrAbove: () => undefined,
      clockStatus: () => ({ fault }),
    };
    const timers = jest.spyOn(globalThis, 'setInterval');
    const schedule = new RetentionSchedule(retention({}, { log }), jobs as never, HOUR_MILLIS);
    const tick = timers.mock.calls.find(([, millis]) => millis === HOUR_MILLIS)?.[0];
    timers.mockRestore();
    schedule.stop();
    tick?.();
    expect(begun).toEqual([]);
    fault = undefined;
    tick?.();
    expect(begun).toEqual(['retention']);
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
    expect(log.eventAt(1 as Position)).toMatchObject({ type: 'NoteWritten' });
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

  it.each([
    ['older', 1],
    ['newer', 0],
  ])('removes nothing once a byte of the %s snapshot has flipped', async (_, place) => {
    service = await TestAdminService.start({
      retention: { policy: 'snapshots', ...NOTHING_STAYS },
    });
    await service.rotate(3);
    const snapshot = async () => service.jobOf(await service.send('POST', '/admin/snapshots'));
    await snapshot();
    await service.fill(3);
    await snapshot();
    const { path, position } = service.writer.log.snapshots()[place]!;
    const bytes = readFileSync(path);
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(path, bytes);
    // The dry run reads nothing: it says what would go if they are whole.
    const before = (await service.send('GET', '/admin/retention')).body;
    expect((before['removal'] as { segments: object[] }).segments.length).toBeGreaterThan(1);
    const damage = [{ position, path, reason: expect.stringContaining('damaged block') }];
    for (let run = 0; run < 2; run += 1)
      expect(await apply()).toMatchObject({
        state: 'succeeded',
        result: {
          below: 0,
          limits: [{ reason: 'snapshots', below: 0 }, { reason: 'positions' }],
          damagedSnapshots: damage,
          removal: { segments: [] },
        },
      });
    expect(service.writer.log.firstPosition).toBe(1);
    const { body } = await service.send('GET', '/admin/retention');
    expect(body).toMatchObject({ damagedSnapshots: damage, removal: { segments: [] } });
    // A new one takes the place of the damaged one, and not of the good one.
    await service.fill(3);
    await snapshot();
    expect((await apply())['result']).toMatchObject({
      removal: { segments: [expect.anything(), expect.anything(), expect.anything()] },
    });
  });

  it('keeps everything by itself', async () => {
    service = await TestAdminService.start();
    const { status, body } = await service.send('GET', '/admin/retention');
    expect([status, body['policy'], body['below']]).toEqual([200, 'keep-all', 0]);
    expect(await apply()).toMatchObject({ state: 'succeeded', result: { policy: 'keep-all' } });
  });
});
