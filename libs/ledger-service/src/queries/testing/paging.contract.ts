import type { Position } from '@holdfast/event-store';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProjectionRunner, SourceFeed, rebuildProjection } from '@holdfast/projections';
import { FreshPageQuery } from '../http/fresh-query.dto.js';
import { listTransfers } from '../list-transfers/list-transfers.query.js';
import { PageRequest, numbersKeys } from '../page-request.js';
import { TestLedgerService, type TestReply } from './ledger-service.js';

interface Listed<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
interface Line {
  readonly entryVersion: number;
  readonly amount: string;
  readonly balance: string;
}

/** That no page loses anything, whatever the read model is in. `start` starts a service of its own on the read model that is meant. */
export function describePaging(
  readModel: string,
  start: (waitMillisMax?: number) => Promise<TestLedgerService>,
): void {
  describe(readModel, () => {
    const MAIN = '/v1/ledgers/main';
    const TRANSFERS = 3_000;
    const BULK = 1_000;
    const CATCH_UP_MILLIS_MAX = 20_000;

    let service: TestLedgerService;
    let sent = 0;

    beforeAll(async () => {
      service = await start();
      service.follow();
      await service.command('PUT', MAIN);
      await service.command('PUT', `${MAIN}/assets/EUR`, { scale: 2 });
      for (const id of ['world', 'alice'])
        await service.command('POST', `${MAIN}/accounts`, {
          id,
          asset: 'EUR',
          normalSide: 'credit',
          floor: null,
        });
      while (sent < TRANSFERS) await postMany(BULK);
      await caughtUp();
    });
    afterAll(() => service.stopAndRemove());

    /** Transfers of 1, 2, 3 … to alice; every seventh is of the kind `rare`, and none of those has the kind `common`. */
    async function postMany(count: number): Promise<void> {
      const commands = Array.from({ length: count }, () => {
        sent += 1;
        const body = {
          legs: [
            { accountId: 'world', side: 'debit', amount: String(sent) },
            { accountId: 'alice', side: 'credit', amount: String(sent) },
          ],
          metadata: { kind: sent % 7 === 0 ? 'rare' : 'common' },
        };
        return { type: 'PostTransfer', idempotencyKey: `bulk-${sent}`, body };
      });
      const reply = await service.command<{ results: { status: number }[] }>(
        'POST',
        `${MAIN}/bulk`,
        {
          commands,
        },
      );
      expect(reply.body.results.find(({ status }) => status !== 201)).toBeUndefined();
    }

    function caughtUp(): Promise<void> {
      return service.reached(service.writer.log.durablePosition);
    }

    /** Every page of a list; `between` happens after each. */
    async function allPages<Item>(
      path: string,
      between: (page: number) => Promise<void> = () => Promise.resolve(),
    ): Promise<Item[][]> {
      const pages: Item[][] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const reply: TestReply<Listed<Item>> = await service.get(
          `${path}${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        expect(reply.status).toBe(200);
        pages.push([...reply.body.items]);
        cursor = reply.body.nextCursor;
        await between(pages.length);
      }
      return pages;
    }

    describe('a list of thousands', () => {
      it('has 50 entries a page unless asked for more, at most 1,000', async () => {
        const path = `${MAIN}/accounts/alice/statement`;
        const few = await service.get<Listed<Line>>(path);
        const most = await service.get<Listed<Line>>(`${path}?limit=1000`);
        expect([few.body.items.length, most.body.items.length]).toEqual([50, 1_000]);
      });

      it('is complete page by page, forward and backward, each line with its balance', async () => {
        const path = `${MAIN}/accounts/alice/statement?limit=700`;
        const forward = await allPages<Line>(path);
        const backward = await allPages<Line>(`${path}&direction=backward`);
        expect(forward.map((page) => page.length)).toEqual([700, 700, 700, 700, 200]);
        const lines = forward.flat();
        let balance = 0;
        const expected = lines.map((_, index) => {
          balance += index + 1;
          return [index + 1, String(index + 1), String(balance)];
        });
        const shown = lines.map((line) => [line.entryVersion, line.amount, line.balance]);
        expect(shown).toEqual(expected);
        expect(backward.flat().reverse()).toEqual(lines);
      });

      it('neither repeats nor hides an entry when others come in between two pages', async () => {
        const before = sent;
        const pages = await allPages<{ id: string; legs: { amount: string }[] }>(
          `${MAIN}/transfers?limit=500&direction=backward`,
          async (page) => {
            if (page > 3) return;
            await postMany(100);
            await caughtUp();
          },
        );
        const amounts = pages.flat().map(({ legs }) => Number(legs[0]?.amount));
        expect(amounts).toEqual(Array.from({ length: before }, (_, index) => before - index));
      });

      it('goes on after a page that found nothing within its bound', async () => {
        const filter = {
          account: 'alice',
          reference: undefined,
          metadata: { key: 'kind', value: 'rare' },
          effectiveFromMillis: undefined,
          effectiveBeforeMillis: undefined,
        };
        const query = Object.assign(new FreshPageQuery(), { limit: '100' });
        const found: string[] = [];
        let pages = 0;
        for (let cursor: string | null = null; pages === 0 || cursor !== null; pages++) {
          if (cursor !== null) query.cursor = cursor;
          const page = PageRequest.of(['spec'], query, numbersKeys);
          const finding = await service.answered(listTransfers('main', filter, page, 30));
          if (finding.kind === 'missing') throw new Error(finding.problem);
          found.push(...finding.body.items.map(({ legs }) => legs[0]?.amount ?? ''));
          cursor = finding.body.nextCursor;
        }
        const rare = Array.from({ length: Math.floor(sent / 7) }, (_, index) =>
          String(7 * (index + 1)),
        );
        expect(found).toEqual(rare);
        expect(pages).toBeGreaterThan(rare.length / 30);
      });
    });

    describe('the read model', () => {
      it('is the same after a runner was stopped at random and started again, and after a rebuild', async () => {
        await service.stopFollowing();
        const { sha256: expected } = await service.digest();
        const feed = new SourceFeed(service.writer.log);
        const store = await service.emptyStore();
        const end = service.writer.log.durablePosition;
        for (let reached = 0; reached < end;) {
          const stopping = new AbortController();
          const runner = new ProjectionRunner({ feed, store, batchEvents: 100 });
          const running = runner.run(stopping.signal);
          await runner.waitFor(Math.min(reached + 900, end) as Position, CATCH_UP_MILLIS_MAX);
          stopping.abort();
          await running;
          reached = runner.status.position;
        }
        expect((await store.digest()).sha256).toBe(expected);
        expect(await rebuildProjection({ feed, store, signal: new AbortController().signal })).toBe(
          true,
        );
        expect((await store.digest()).sha256).toBe(expected);
        await store.close();
        await feed.close();
      });
    });
  });
}
