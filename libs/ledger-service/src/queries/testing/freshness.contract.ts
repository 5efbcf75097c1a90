import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodePosition } from '@holdfast/commands';
import { TestLedgerService, type TestReply } from './ledger-service.js';

interface Problem {
  readonly type: string;
  readonly outcome?: string;
}

/** How fresh answers are, whatever the read model is in. `start` starts a service of its own on the read model that is meant. */
export function describeFreshness(
  readModel: string,
  start: (waitMillisMax?: number) => Promise<TestLedgerService>,
): void {
  describe(readModel, () => {
    const POSITION = 'holdfast-position';

    let service: TestLedgerService;

    beforeEach(async () => {
      service = await start();
    });
    afterEach(() => service.stopAndRemove());

    async function openLedger(name: string): Promise<string> {
      const { headers } = await service.command('PUT', `/v1/ledgers/${name}`);
      return headers.get(POSITION) ?? '';
    }

    async function timed<Body>(reply: Promise<TestReply<Body>>) {
      const startedAt = performance.now();
      return { reply: await reply, millis: performance.now() - startedAt };
    }

    describe('how fresh an answer is', () => {
      it('is at least as the position asked for, however far the read model has to come', async () => {
        service.follow();
        for (let number = 1; number <= 20; number++) {
          const token = await openLedger(`ledger-${number}`);
          const path = `/v1/ledgers/ledger-${number}?minPosition=${token}`;
          const { status, headers } = await service.get(path);
          expect([status, headers.get(POSITION)]).toEqual([200, token]);
        }
      });

      it('is the position that the answer shows, also of an empty read model', async () => {
        service.follow();
        const token = await openLedger('main');
        await service.get(`/v1/ledgers?minPosition=${token}`);
        const { headers, body } = await service.get<{ items: object[] }>('/v1/ledgers');
        expect([headers.get(POSITION), body.items.length]).toEqual([token, 1]);
      });

      it('is reached by waiting: a query that is ahead is answered when the read model arrives', async () => {
        const token = await openLedger('main');
        service.follow();
        await service.get(`/v1/ledgers/main?minPosition=${token}`);
        await service.stopFollowing();
        const ahead = await openLedger('second');
        const waiting = service.get(`/v1/ledgers/second?minPosition=${ahead}`);
        service.follow();
        const { status, headers } = await waiting;
        expect([status, headers.get(POSITION)]).toEqual([200, ahead]);
      });

      it('is refused as lagging when the wait was not enough, with what there is and when to come again', async () => {
        service.follow();
        const seen = await openLedger('main');
        await service.get(`/v1/ledgers?minPosition=${seen}`);
        await service.stopFollowing();
        const ahead = await openLedger('second');
        const { reply, millis } = await timed(
          service.get<Problem>(`/v1/ledgers/second?minPosition=${ahead}`),
        );
        expect([reply.status, reply.body.type]).toEqual([503, '/problems/projection-lagging']);
        expect(reply.body.outcome).toBe('not-applied');
        expect(reply.headers.get('retry-after')).toBe('1');
        expect(reply.headers.get(POSITION)).toBe(seen);
        expect(millis).toBeGreaterThan(200);
        expect((await service.get('/v1/ledgers')).headers.get(POSITION)).toBe(seen);
      });

      it('does not wait with Prefer: wait=0, and never longer than the service allows', async () => {
        service.follow();
        await service.get(`/v1/ledgers?minPosition=${await openLedger('main')}`);
        await service.stopFollowing();
        const path = `/v1/ledgers?minPosition=${await openLedger('second')}`;
        const impatient = await timed(service.get<Problem>(path, { prefer: 'wait=0' }));
        const patient = await timed(
          service.get<Problem>(path, { prefer: 'respond-async, wait="600"' }),
        );
        expect([impatient.reply.status, patient.reply.status]).toEqual([503, 503]);
        expect(impatient.millis).toBeLessThan(patient.millis);
        expect(patient.millis).toBeGreaterThan(200);
        expect(patient.millis).toBeLessThan(5_000);
      });

      it('says which preference was applied, and minds none that it does not know', async () => {
        await service.stopAndRemove();
        service = await start(3_500);
        service.follow();
        const path = `/v1/ledgers?minPosition=${await openLedger('main')}`;
        const known = await service.get(path, { prefer: 'wait=2' });
        const unknown = await service.get(path, { prefer: 'wait=soon, colour=red' });
        expect([known.status, known.headers.get('preference-applied')]).toEqual([200, 'wait=2']);
        expect([unknown.status, unknown.headers.get('preference-applied')]).toEqual([200, null]);
        const capped = await service.get('/v1/ledgers', { prefer: 'wait=999999' });
        expect(capped.headers.get('preference-applied')).toBe('wait=3');
      });

      it('is not waited for by a stop', async () => {
        await service.stopAndRemove();
        service = await start(60_000);
        service.follow();
        await service.get(`/v1/ledgers?minPosition=${await openLedger('main')}`);
        await service.stopFollowing();
        const path = `/v1/ledgers?minPosition=${await openLedger('second')}`;
        const waiting = service.get<Problem>(path);
        const metrics = async () => (await fetch(`${service.url}/metrics`)).text();
        while (!(await metrics()).includes('requests_in_flight 2'));
        await service.application.stop(50_000);
        const { status, headers, body } = await waiting;
        expect([status, body.type]).toEqual([503, '/problems/service-stopping']);
        expect([body.outcome, headers.get('retry-after')]).toEqual(['not-applied', '1']);
      });

      it('is unknown for the position of another log or of a history that was taken back, and for what is no position', async () => {
        service.follow();
        await service.get(`/v1/ledgers?minPosition=${await openLedger('main')}`);
        const foreign = encodePosition({
          logId: '0'.repeat(32),
          position: 1 as Position,
          timeline: '',
        });
        const { logId } = service.writer.log;
        const takenBack = [1, 9_999].map((position) =>
          encodePosition({ logId, position: position as Position, timeline: 'f'.repeat(16) }),
        );
        for (const token of [foreign, ...takenBack, 'nonsense', '1']) {
          const { status, body } = await service.get<Problem>(`/v1/ledgers?minPosition=${token}`);
          expect([token, status, body.type]).toEqual([token, 400, '/problems/position-unknown']);
        }
      });

      it('is as of a position in a history that begins too long ago to be told of', async () => {
        service.follow();
        const token = await openLedger('main');
        await service.get(`/v1/ledgers?minPosition=${await openLedger('second')}`);
        const { logId, durablePosition, newestTimeline } = service.writer.log;
        service.seen.log = {
          ...{ logId, durablePosition, newestTimeline },
          timelineAt: (position) => (position < durablePosition ? '' : newestTimeline),
        };
        expect((await service.get(`/v1/ledgers?minPosition=${token}`)).status).toBe(200);
      });

      it.each([
        ['another log', { logId: 'f'.repeat(32), durablePosition: 1_000 as Position }],
        ['a history that ends before it', { durablePosition: 0 as Position }],
        ['another history at its place', { durablePosition: 1_000 as Position }],
      ])(
        'is none of a read model when commands go to %s: neither answers nor health',
        async (_, log) => {
          service.follow();
          const token = await openLedger('main');
          await service.reached(service.writer.log.durablePosition);
          expect((await service.get(`/v1/ledgers/main?minPosition=${token}`)).status).toBe(200);
          const { logId } = service.writer.log;
          const newestTimeline = 'f'.repeat(16);
          service.seen.log = { logId, newestTimeline, timelineAt: () => newestTimeline, ...log };
          for (const path of [
            '/v1/ledgers/main',
            `/v1/ledgers/main?minPosition=${token}`,
            '/v1/ledgers/x',
          ])
            expect(await service.get(path)).toMatchObject({
              status: 503,
              body: { type: '/problems/projection-lagging', outcome: 'not-applied' },
            });
          const { status, body } = await service.get<{
            checks: Record<string, string>;
            facts: object;
          }>('/health/ready');
          expect([status, body.checks['read-model']]).toEqual([
            503,
            expect.stringContaining('the log is not the one that position 1 was read from'),
          ]);
          expect(body.facts).not.toHaveProperty('readModelLagEvents');
        },
      );

      it('is no freshness at all before there is a read model', async () => {
        const token = await openLedger('main');
        const without = await service.get<Problem>('/v1/ledgers');
        const asking = await service.get<Problem>(`/v1/ledgers?minPosition=${token}`);
        for (const { status, body, headers } of [without, asking]) {
          expect([status, body.type]).toEqual([503, '/problems/projection-lagging']);
          expect(headers.get('retry-after')).toBe('1');
        }
        const { body, status } = await service.get<{ checks: Record<string, string> }>(
          '/health/ready',
        );
        expect([status, body.checks['read-model']]).toEqual([
          503,
          'there is no read model ledger of version 1 yet',
        ]);
      });
    });
  });
}
