import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestCommandService, answerOfReply } from './testing/command-service.js';
import { LEDGER, openWorld, transfer } from './testing/world.js';

const START = Date.UTC(2026, 10, 23, 10);
const MONTH_MILLIS = 31 * 86_400_000;

describe('a clock that cannot be believed', () => {
  let service: TestCommandService;
  let wallMillis = START;

  beforeEach(async () => {
    wallMillis = START;
    service = await TestCommandService.start({
      clock: { nowMillis: () => wallMillis, monotonicMillis: () => 0 },
      clockBounds: { skewMillisMax: 10_000, gapMillisMax: MONTH_MILLIS },
    });
    await openWorld(service);
  });
  afterEach(() => service.stopAndRemove());

  const pay = (key: string) =>
    service.send('POST', `${LEDGER}/transfers`, { key, body: transfer('world', 'bob', '1') });
  const problem = {
    type: '/problems/clock-skew',
    ...{ status: 503, outcome: 'not-applied' },
    ...{ clockTime: '2026-12-24T10:00:00.000Z', expectedTime: '2026-11-23T10:00:00.000Z' },
    detail:
      'The clock of the service says 2026-12-24T10:00:00.000Z, and 2026-11-23T10:00:00.000Z was expected. Nothing was applied.',
  };

  it('refuses commands and names both times, answers what is known, and heals by itself', async () => {
    const first = await pay('first');
    const { lastPosition } = service;
    wallMillis += MONTH_MILLIS;
    const refused = await pay('second');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    expect(refused.body).toMatchObject(problem);
    expect(answerOfReply(await pay('first'))).toEqual(answerOfReply(first));
    expect((await service.send('GET', `${LEDGER}/commands/first`)).status).toBe(200);
    expect(service.lastPosition).toBe(lastPosition);
    wallMillis -= MONTH_MILLIS;
    expect((await pay('second')).status).toBe(201);
  });

  it('refuses each command of a bulk, and records nothing', async () => {
    const { lastPosition } = service;
    wallMillis += MONTH_MILLIS;
    const commands = ['a', 'b'].map((idempotencyKey) => ({
      ...{ type: 'PostTransfer', idempotencyKey },
      body: transfer('world', 'bob', '1'),
    }));
    const { body } = await service.send('POST', `${LEDGER}/bulk`, { body: { commands } });
    expect(body['results']).toMatchObject([
      { status: 503, body: problem },
      { status: 503, body: { type: '/problems/not-applied' } },
    ]);
    expect(service.lastPosition).toBe(lastPosition);
  });

  it('is seen in the health, which stays ready for queries, and in the metrics', async () => {
    wallMillis += MONTH_MILLIS;
    const { status, body } = await service.send('GET', '/health/ready');
    expect(status).toBe(200);
    expect(body['checks']).toMatchObject({ clock: expect.stringMatching(/^degraded: ahead: /) });
    const metrics = await fetch(`${service.url}/metrics`);
    expect(await metrics.text()).toContain(`holdfast_clock_skew_seconds ${MONTH_MILLIS / 1_000}`);
  });
});
