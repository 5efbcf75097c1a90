import type { Position } from '@holdfast/event-store';
import type { FeedCursor } from '@holdfast/projections';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TestAdminService } from '../testing/admin-service.js';

describe('floors of consumers', () => {
  let service: TestAdminService;
  afterEach(() => service.stop());

  const report = (consumer: string, durable: number, reporter = 'a', ended = false): void => {
    const cursor: FeedCursor = {
      logId: service.writer.log.logId,
      position: durable as Position,
      timeline: service.writer.log.timelineAt(durable as Position) ?? '',
    };
    service.consumers.report({ consumer, reporter, applied: cursor, durable: cursor, ended });
    service.operations.floors.move();
  };
  const floors = () => Object.fromEntries(service.writer.log.wal.floors.all());
  const drop = (floor: string, confirm = floor) =>
    service.send('POST', `/admin/floors/${encodeURIComponent(floor)}/drop`, { confirm });

  it('moves with what is durable, waits for the slowest of a name, and stays while its consumer is away', async () => {
    service = await TestAdminService.start();
    await service.fill(10);
    expect(floors()).toEqual({});
    report('ledger', 3);
    expect(floors()).toEqual({ 'projection:ledger': 3 });
    report('ledger', 7);
    report('search', 1);
    expect(floors()).toEqual({ 'projection:search': 1, 'projection:ledger': 7 });
    // A rebuild from the start: what it needs is needed again.
    report('ledger', 0, 'rebuild');
    expect(floors()['projection:ledger']).toBe(0);
    report('ledger', 9);
    report('ledger', 9, 'rebuild', true);
    expect(floors()['projection:ledger']).toBe(9);
    report('ledger', 9, 'a', true);
    expect(floors()['projection:ledger']).toBe(9);
  });

  it('takes none above the end of the log, and moves those of the others', async () => {
    service = await TestAdminService.start();
    await service.fill(5);
    const beyond = { logId: service.writer.log.logId, position: 99 as Position, timeline: 'x' };
    service.consumers.report({
      ...{ consumer: 'ahead', reporter: 'a', ended: false },
      ...{ applied: beyond, durable: beyond },
    });
    report('ledger', 3);
    report('ledger', 4);
    expect(floors()).toEqual({ 'projection:ledger': 4 });
    expect(service.lines.filter(({ msg }) => msg.includes('cannot be moved'))).toHaveLength(1);
  });

  it('takes no floor from a consumer whose name cannot be one, and says so once', async () => {
    service = await TestAdminService.start();
    await service.fill(1);
    report('no name: this', 1);
    report('no name: this', 1);
    expect(floors()).toEqual({});
    expect(service.lines.filter(({ msg }) => msg.includes('cannot be moved'))).toHaveLength(1);
  });

  it('lists what each pins, and reports one that is far behind', async () => {
    service = await TestAdminService.start({ floors: { behindEventsMax: 50 } });
    await service.rotate(3);
    report('ledger', service.writer.log.durablePosition);
    report('search', 1, 'a');
    const { body } = await service.send('GET', '/admin/floors');
    const durable = service.writer.log.durablePosition;
    expect(body['items']).toEqual([
      {
        ...{ name: 'projection:search', position: 1, eventsBehind: durable - 1 },
        ...{ bytesPinned: expect.any(Number), connected: true, farBehind: true },
      },
      {
        ...{ name: 'projection:ledger', position: durable, eventsBehind: 0 },
        ...{ bytesPinned: 0, connected: true, farBehind: false },
      },
    ]);
    const [search] = body['items'] as { bytesPinned: number }[];
    expect(search!.bytesPinned).toBeGreaterThan(3 * 30 * 1024);
  });

  it('is dropped only by its own name, given twice, and a consumer that is read under it does not bring it back', async () => {
    service = await TestAdminService.start();
    await service.rotate(2);
    report('search', 1);
    expect(await drop('projection:search', 'projection:ledger')).toMatchObject({
      status: 422,
      body: { type: '/problems/confirmation-missing' },
    });
    expect(await drop('projection:ledger')).toMatchObject({
      status: 404,
      body: { type: '/problems/floor-not-found' },
    });
    expect(floors()).toEqual({ 'projection:search': 1 });
    expect(await drop('projection:search')).toMatchObject({
      status: 200,
      body: { name: 'projection:search', position: 1 },
    });
    report('search', 2);
    expect(floors()).toEqual({});
    expect(service.lines.map(({ msg }) => msg)).toContain(
      'a floor was dropped: what it kept may go',
    );
    // One that begins to read anew is a consumer like any other.
    report('search', 2, 'b');
    expect(floors()).toEqual({ 'projection:search': 2 });
  });

  it("keeps the service's own floors from being dropped", async () => {
    service = await TestAdminService.start();
    await service.fill(2);
    service.writer.log.wal.floors.set('checkpoint', 1 as never);
    expect(await drop('checkpoint')).toMatchObject({
      status: 409,
      body: { type: '/problems/floor-kept' },
    });
    expect(floors()).toEqual({ checkpoint: 1 });
  });
});
