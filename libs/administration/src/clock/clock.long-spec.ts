import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestAdminService } from '../testing/admin-service.js';

const MONTH_MILLIS = 30 * 86_400_000;

describe('the clock, in the admin API', () => {
  let service: TestAdminService;
  let wallMillis: number;

  beforeEach(async () => {
    wallMillis = Date.UTC(2026, 10, 23);
    service = await TestAdminService.start({
      writer: {
        clock: { nowMillis: () => wallMillis, monotonicMillis: () => 0 },
        clockBounds: { skewMillisMax: 10_000, gapMillisMax: MONTH_MILLIS },
      },
    });
    await service.fill(1);
  });
  afterEach(() => service.stop());

  it('is shown, and accepted as it is', async () => {
    const believed = { trusted: true, clockTime: '2026-11-23T00:00:00.000Z' };
    expect((await service.send('GET', '/admin/clock')).body).toMatchObject(believed);
    wallMillis += MONTH_MILLIS;
    expect((await service.send('GET', '/admin/clock')).body).toEqual({
      ...{ trusted: false, fault: 'ahead' },
      ...{ clockTime: '2026-12-23T00:00:00.000Z', expectedTime: '2026-11-23T00:00:00.000Z' },
    });
    await expect(service.fill(1)).rejects.toMatchObject({ code: 'EVENT_CLOCK_SKEW' });
    const accepted = await service.send('POST', '/admin/clock/accept', {});
    expect(accepted).toMatchObject({ status: 200, body: { trusted: true } });
    expect(service.lines).toContainEqual(
      expect.objectContaining({ msg: 'an operator has accepted the clock' }),
    );
    await service.fill(1);
  });
});
