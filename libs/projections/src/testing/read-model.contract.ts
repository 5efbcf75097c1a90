import type { JsonObject, Position, RecordedEvent, StreamVersion } from '@holdfast/event-store';
import type { MonotonicClock } from '@holdfast/kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FeedCursor } from '../event-feed.js';
import type { SqlProjection } from '../projection.js';
import type { ReadModelLease, ReadModelStore, ReadModelTarget } from '../read-model-store.js';

/** The row that the tally projection keeps for each stream. */
export interface TallyRow {
  readonly stream: string;
  readonly events: number;
  readonly total: number;
}

/** Read models of one kind that share a place, as several processes would. */
export interface ReadModelUnderTest<Transaction> {
  /** A projection that counts the events of each stream and sums their `amount`; throws at an event with `poison`. */
  tally(version?: number): SqlProjection<Transaction>;
  /** Another worker process's store on the same place. */
  open(projection: SqlProjection<Transaction>): ReadModelStore<Transaction>;
  /** What a query sees in the live tables, in the order of the streams; undefined while there are none. */
  rows(version?: number): Promise<readonly TallyRow[] | undefined>;
  readonly clock: TestClock;
  /** The read models as the next process finds them if every process that holds them dies at this moment. */
  afterCrash(): Promise<ReadModelUnderTest<Transaction>>;
  dispose(): Promise<void>;
}

export class TestClock implements MonotonicClock {
  private setMillis = 0;

  constructor(private millis = 1_000_000) {}

  nowMillis(): number {
    return this.millis + this.setMillis;
  }

  monotonicMillis(): number {
    return this.millis;
  }

  /** Sets the wall clock by so much: no time passes. */
  step(millis: number): void {
    this.setMillis += millis;
  }

  advance(millis: number): void {
    this.millis += millis;
  }
}

/** The lease of stores under test. */
export const LEASE_UNDER_TEST_MILLIS = 6_000;
export const GRACE_UNDER_TEST_MILLIS = 60_000;
export const OLDER_VERSION_UNDER_TEST_MILLIS = 600_000;

/** What every `ReadModelStore` promises. */
export function describeReadModelStore<Transaction>(
  name: string,
  create: () => Promise<ReadModelUnderTest<Transaction>>,
): void {
  describe(`read model contract: ${name}`, () => {
    let subject: ReadModelUnderTest<Transaction>;
    let stores: ReadModelStore<Transaction>[];
    let leases: ReadModelLease<Transaction>[];
    const signal = new AbortController().signal;

    beforeEach(async () => {
      subject = await create();
      stores = [];
      leases = [];
    });

    afterEach(async () => {
      for (const lease of leases) await lease.release();
      for (const store of stores) await store.close();
      await subject.dispose();
    });

    const worker = (version?: number) => {
      const store = subject.open(subject.tally(version));
      stores.push(store);
      return store;
    };

    const leaseOf = async (
      store: ReadModelStore<Transaction>,
      target: ReadModelTarget = 'live',
    ) => {
      const lease = await store.acquire({ owner: 'a test', target, signal });
      leases.push(lease!);
      // The first tables of all, as if they had caught up with an empty log.
      if (lease!.generation === 1) await lease!.promote();
      return lease!;
    };

    /** Applies events as the runner does: from where the lease stands to the position of the last one. */
    const apply = (lease: ReadModelLease<Transaction>, ...events: RecordedEvent[]) =>
      lease.transact(at(events.at(-1)!.position), (transaction) =>
        subject.tally().apply(events, transaction),
      );

    describe('position and tables', () => {
      it('starts without a cursor, and moves rows and position together', async () => {
        const lease = await leaseOf(worker());
        expect([lease.cursor, lease.promoted, lease.failure]).toEqual([undefined, true, undefined]);
        await apply(lease, event(1, 'a', 5), event(2, 'b', 7));
        await apply(lease, event(3, 'a', 1));
        expect(lease.cursor).toEqual(at(3));
        expect(await subject.rows()).toEqual([
          { stream: 'a', events: 2, total: 6 },
          { stream: 'b', events: 1, total: 7 },
        ]);
      });

      it('knows its position after it was closed and opened again', async () => {
        const store = worker();
        const lease = await leaseOf(store);
        await apply(lease, event(1, 'a', 5));
        await lease.release();
        const again = await leaseOf(worker());
        expect(again.cursor).toEqual(at(1));
        await apply(again, event(2, 'a', 5));
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 2, total: 10 }]);
      });

      it('moves the position without any event', async () => {
        const lease = await leaseOf(worker());
        await lease.transact(at(40), () => undefined);
        await lease.release();
        expect((await leaseOf(worker())).cursor).toEqual(at(40));
      });

      it('keeps nothing of a batch whose work fails, and can go on', async () => {
        const lease = await leaseOf(worker());
        await apply(lease, event(1, 'a', 5));
        const failing = apply(lease, event(2, 'a', 1), event(3, 'b', 1, { poison: true }));
        await expect(failing).rejects.toThrow('poison');
        expect(lease.cursor).toEqual(at(1));
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 1, total: 5 }]);
        await apply(lease, event(2, 'a', 1));
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 2, total: 6 }]);
      });

      it('keeps nothing of a batch whose work fails after it waited', async () => {
        const lease = await leaseOf(worker());
        const failing = lease.transact(at(1), async (transaction) => {
          await subject.tally().apply([event(1, 'a', 5)], transaction);
          await new Promise((resolve) => setTimeout(resolve, 5));
          throw new Error('late');
        });
        await expect(failing).rejects.toThrow('late');
        expect(await subject.rows()).toEqual([]);
      });
    });

    describe('crashes', () => {
      it('keeps neither rows nor position of a batch that was applied but not committed', async () => {
        const lease = await leaseOf(worker());
        await apply(lease, event(1, 'a', 5));
        let crashed: ReadModelUnderTest<Transaction> | undefined;
        await lease.transact(at(2_001), async (transaction) => {
          const events = Array.from({ length: 2_000 }, (_, index) =>
            event(2 + index, `${index}`, 1),
          );
          await subject.tally().apply(events, transaction);
          crashed = await subject.afterCrash();
        });
        expect(await subject.rows()).toHaveLength(2_001);
        expect(await crashed!.rows()).toEqual([{ stream: 'a', events: 1, total: 5 }]);
        const store = crashed!.open(crashed!.tally());
        const again = (await store.acquire({ owner: 'next', signal }))!;
        expect(again.cursor).toEqual(at(1));
        await apply(again, event(2, 'a', 5));
        expect(await crashed!.rows()).toEqual([{ stream: 'a', events: 2, total: 10 }]);
        await again.release();
        await store.close();
        await crashed!.dispose();
      });

      it('keeps both of a batch that was committed', async () => {
        const lease = await leaseOf(worker());
        await apply(lease, event(1, 'a', 5));
        await lease.recordFailure('remembered');
        const crashed = await subject.afterCrash();
        const store = crashed.open(crashed.tally());
        const again = (await store.acquire({ owner: 'next', signal }))!;
        expect([again.cursor, again.failure?.attempts]).toEqual([at(1), 1]);
        expect(await crashed.rows()).toEqual([{ stream: 'a', events: 1, total: 5 }]);
        await again.release();
        await store.close();
        await crashed.dispose();
      });
    });

    describe('leases', () => {
      it('lets a second worker wait, by name, until the first one is done', async () => {
        const first = await leaseOf(worker());
        const waitsFor: string[] = [];
        const waiting = worker().acquire({
          owner: 'second',
          onWaiting: (holder) => waitsFor.push(holder),
          signal,
        });
        await pause();
        expect([...new Set(waitsFor)]).toEqual(['a test']);
        await apply(first, event(1, 'a', 5));
        await first.release();
        const second = (await waiting)!;
        leases.push(second);
        expect(second.token).toBeGreaterThan(first.token);
        expect(second.cursor).toEqual(at(1));
      });

      it('gives up waiting when its signal fires', async () => {
        await leaseOf(worker());
        const leaving = new AbortController();
        const waiting = worker().acquire({ owner: 'second', signal: leaving.signal });
        await pause();
        leaving.abort();
        expect(await waiting).toBeUndefined();
      });

      it('fences a holder that was stuck for longer than its lease, and loses nothing by it', async () => {
        const stuck = await leaseOf(worker());
        await apply(stuck, event(1, 'a', 5));
        subject.clock.advance(LEASE_UNDER_TEST_MILLIS + 1);
        const successor = await leaseOf(worker());
        await expect(apply(stuck, event(2, 'a', 100))).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
        await apply(successor, event(2, 'a', 1));
        await expect(apply(stuck, event(3, 'a', 100))).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
        await expect(stuck.recordFailure('late')).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 2, total: 6 }]);
      });

      it('renews its lease as before when the wall clock is set back, and loses it when it hangs', async () => {
        const stuck = await leaseOf(worker());
        await apply(stuck, event(1, 'a', 5));
        subject.clock.step(-3_600_000);
        subject.clock.advance(LEASE_UNDER_TEST_MILLIS / 2);
        await stuck.renew();
        subject.clock.advance(LEASE_UNDER_TEST_MILLIS + 1);
        const successor = await leaseOf(worker());
        expect(successor.token).toBeGreaterThan(stuck.token);
        await expect(apply(stuck, event(2, 'a', 1))).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
      });

      it('loses a lease that nobody has seen it renew for as long as one lasts, whatever the wall clock says', async () => {
        const stuck = await leaseOf(worker());
        await apply(stuck, event(1, 'a', 5));
        subject.clock.step(-3_600_000);
        let looks = 0;
        const successor = (await worker().acquire({
          owner: 'second',
          onWaiting: () => {
            looks += 1;
            subject.clock.advance(LEASE_UNDER_TEST_MILLIS / 2);
          },
          signal,
        }))!;
        leases.push(successor);
        expect([looks, successor.token > stuck.token]).toEqual([2, true]);
      });

      it('keeps its lease for as long as it renews it', async () => {
        const lease = await leaseOf(worker());
        for (let third = 0; third < 6; third += 1) {
          subject.clock.advance(LEASE_UNDER_TEST_MILLIS / 3);
          await lease.renew();
        }
        const leaving = new AbortController();
        const waiting = worker().acquire({ owner: 'second', signal: leaving.signal });
        await pause();
        await apply(lease, event(1, 'a', 5));
        leaving.abort();
        expect(await waiting).toBeUndefined();
      });

      it('gives exactly one of many workers that ask at once the lease', async () => {
        const leaving = new AbortController();
        const asking = Array.from({ length: 5 }, () =>
          worker().acquire({ owner: 'one of many', signal: leaving.signal }),
        );
        await pause();
        leaving.abort();
        const got = (await Promise.all(asking)).filter((lease) => lease !== undefined);
        leases.push(...got);
        expect(got).toHaveLength(1);
      });
    });

    describe('a pause', () => {
      it('keeps workers from applying anything, also after a crash, while queries go on, and ends', async () => {
        const store = worker();
        expect([await store.setPaused(true), await store.paused()]).toEqual([false, false]);
        const lease = await leaseOf(store);
        await apply(lease, event(1, 'a', 5));
        expect([await worker().setPaused(true), await store.paused()]).toEqual([true, true]);
        await expect(lease.renew()).rejects.toMatchObject({ code: 'READ_MODEL_PAUSED' });
        await lease.release();
        const stands: (FeedCursor | undefined)[] = [];
        const waiting = worker().acquire({
          owner: 'second',
          onPaused: (cursor) => stands.push(cursor),
          signal,
        });
        await pause();
        expect([stands[0], await subject.rows()]).toEqual([
          at(1),
          [{ stream: 'a', events: 1, total: 5 }],
        ]);
        const crashed = await subject.afterCrash();
        const again = crashed.open(crashed.tally());
        expect(await again.paused()).toBe(true);
        await again.close();
        await crashed.dispose();
        await store.setPaused(true);
        await store.setPaused(false);
        const second = (await waiting)!;
        leases.push(second);
        await apply(second, event(2, 'a', 5));
        await second.renew();
      });

      it('is waited for until the signal fires', async () => {
        const store = worker();
        await (await leaseOf(store)).release();
        await store.setPaused(true);
        const leaving = new AbortController();
        const waiting = worker().acquire({ owner: 'second', signal: leaving.signal });
        leaving.abort();
        expect(await waiting).toBeUndefined();
      });

      it('is for every version, and not for a rebuild', async () => {
        const one = await leaseOf(worker(1));
        const two = await leaseOf(worker(2));
        const fresh = await leaseOf(worker(1), 'fresh');
        await worker(2).setPaused(true);
        for (const lease of [one, two])
          await expect(lease.renew()).rejects.toMatchObject({ code: 'READ_MODEL_PAUSED' });
        await fresh.renew();
        expect(await fresh.promote()).toEqual({ promoted: true });
      });
    });

    describe('failures', () => {
      it('counts failed attempts across workers, and forgets them with the next commit', async () => {
        const first = await leaseOf(worker());
        await apply(first, event(1, 'a', 5));
        await first.recordFailure('one');
        expect(await first.recordFailure('two')).toEqual({ attempts: 2, after: 1, error: 'two' });
        await first.release();
        const second = await leaseOf(worker());
        expect(second.failure).toEqual({ attempts: 2, after: 1, error: 'two' });
        await apply(second, event(2, 'a', 5));
        expect(second.failure).toBeUndefined();
        await second.release();
        expect((await leaseOf(worker())).failure).toBeUndefined();
      });
    });

    describe('what queries see', () => {
      it('is nothing of the first tables until they have caught up once', async () => {
        const first = (await worker().acquire({ owner: 'first', signal }))!;
        leases.push(first);
        await apply(first, event(1, 'a', 5));
        expect([first.promoted, await subject.rows()]).toEqual([false, undefined]);
        const afterwards = await subject.afterCrash();
        expect(await afterwards.rows()).toBeUndefined();
        await afterwards.dispose();
        expect(await first.promote()).toEqual({ promoted: true });
        expect(await subject.rows()).toHaveLength(1);
      });

      it('is nothing of tables that are refused, through a restart too, until they are accepted', async () => {
        const lease = await leaseOf(worker());
        await apply(lease, event(1, 'a', 5));
        await lease.refuse('of another history');
        expect(await subject.rows()).toBeUndefined();
        await lease.release();
        const again = await leaseOf(worker());
        expect(await subject.rows()).toBeUndefined();
        await again.accept();
        expect(await subject.rows()).toHaveLength(1);
        await again.accept();
      });

      it('is nothing of tables that were given up, and the next ones begin anew', async () => {
        const lease = await leaseOf(worker());
        await apply(lease, event(9, 'a', 5));
        await lease.giveUp();
        expect(await subject.rows()).toBeUndefined();
        await expect(apply(lease, event(10, 'a', 5))).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
        await lease.release();
        const fresh = await leaseOf(worker());
        expect([fresh.promoted, fresh.cursor]).toEqual([false, undefined]);
        await apply(fresh, event(1, 'a', 5));
        expect(await fresh.promote()).toEqual({ promoted: true });
        expect(await subject.rows()).toHaveLength(1);
      });

      it('is decided by nobody who has lost the lease', async () => {
        const stuck = await leaseOf(worker());
        await apply(stuck, event(1, 'a', 5));
        subject.clock.advance(LEASE_UNDER_TEST_MILLIS + 1);
        await leaseOf(worker());
        for (const change of [() => stuck.refuse('late'), () => stuck.giveUp()])
          await expect(change()).rejects.toMatchObject({ code: 'READ_MODEL_FENCED' });
        expect(await subject.rows()).toHaveLength(1);
      });
    });

    describe('generations', () => {
      it('does not switch to tables that the live ones overtook after the lease on these had run out', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        expect(await fresh.promote()).toEqual({ promoted: false, behind: 1 });
        await apply(fresh, event(1, 'a', 5));
        subject.clock.advance(LEASE_UNDER_TEST_MILLIS + 1);
        const again = await leaseOf(worker());
        await apply(again, event(2, 'a', 5), event(3, 'a', 5));
        expect(await fresh.promote()).toMatchObject({ promoted: false });
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 3, total: 15 }]);
        expect(await fresh.promote()).toEqual({ promoted: false, behind: 3 });
        await apply(fresh, event(2, 'a', 5), event(3, 'a', 5));
        expect(await fresh.promote()).toEqual({ promoted: true });
      });

      it('does not switch where the last look at the still live tables says no', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        await apply(fresh, event(1, 'a', 7));
        const look = async () => {
          await expect(apply(live, event(2, 'a', 5))).rejects.toMatchObject({
            code: 'READ_MODEL_FENCED',
          });
          throw new Error('these lack something');
        };
        await expect(fresh.promote(undefined, look)).rejects.toThrow('these lack something');
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 1, total: 5 }]);
        expect(await fresh.promote()).toEqual({ promoted: true });
      });

      it('keeps the live tables still while it commits, for longer than a lease lasts', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        expect(await fresh.promote()).toEqual({ promoted: false, behind: 1 });
        await live.release();
        for (let position = 1; position <= 6; position += 1) {
          subject.clock.advance(LEASE_UNDER_TEST_MILLIS / 3);
          await apply(fresh, event(position, 'a', 5));
          await fresh.renew();
        }
        const leaving = new AbortController();
        const waiting = worker().acquire({ owner: 'live again', signal: leaving.signal });
        await pause();
        leaving.abort();
        expect(await waiting).toBeUndefined();
        expect(await fresh.promote()).toEqual({ promoted: true });
      });

      it('never replaces live tables by ones that were given up while they waited for the switch', async () => {
        const live = await leaseOf(worker());
        const fresh = await leaseOf(worker(), 'fresh');
        await fresh.transact(at(9), () => undefined);
        let promoting: Promise<unknown> = Promise.resolve();
        await live.transact(at(1), async () => {
          // It waits for the end of this very transaction.
          promoting = fresh.promote().catch((error: unknown) => error);
          await pause();
          await worker().drop(fresh.generation);
        });
        expect(await promoting).toMatchObject({ code: 'READ_MODEL_FENCED' });
        expect(await subject.rows()).toEqual([]);
      });

      it('fills fresh tables beside the live ones and switches to them at once', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5), event(2, 'b', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        expect([fresh.promoted, fresh.cursor]).toEqual([false, undefined]);
        await apply(fresh, event(1, 'a', 6));
        expect(await subject.rows()).toHaveLength(2);
        await apply(fresh, event(2, 'a', 6));
        expect(await fresh.promote()).toEqual({ promoted: true });
        expect(fresh.promoted).toBe(true);
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 2, total: 12 }]);
        await apply(fresh, event(3, 'a', 6));
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 3, total: 18 }]);
      });

      it('does not switch to tables that are behind, and stops the live worker until they are not', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        await apply(fresh, event(1, 'a', 5));
        await apply(live, event(2, 'a', 5));
        expect(await fresh.promote()).toEqual({ promoted: false, behind: 2 });
        await expect(apply(live, event(3, 'a', 5))).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
        await apply(fresh, event(2, 'a', 5));
        expect(await fresh.promote()).toEqual({ promoted: true });
        const waiting = worker().acquire({ owner: 'live again', signal });
        await apply(fresh, event(3, 'a', 5));
        await fresh.release();
        const again = (await waiting)!;
        leases.push(again);
        expect(again.cursor).toEqual(at(3));
      });

      it('gives the live tables back to their worker when the filling one leaves before the switch', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5));
        const filling = await leaseOf(worker(), 'fresh');
        expect(await filling.promote()).toEqual({ promoted: false, behind: 1 });
        await filling.release();
        const again = await leaseOf(worker());
        expect([again.promoted, again.cursor]).toEqual([true, at(1)]);
      });

      it('takes up half-filled tables where they were left', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5), event(2, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        await apply(fresh, event(1, 'a', 5));
        await fresh.release();
        const again = await leaseOf(worker(), 'fresh');
        expect([again.generation, again.promoted, again.cursor]).toEqual([
          fresh.generation,
          false,
          at(1),
        ]);
      });

      it('fills a new version beside the live one, whose worker and queries go on, also after the switch', async () => {
        const one = await leaseOf(worker(1));
        await apply(one, event(1, 'a', 5));
        const two = await leaseOf(worker(2));
        expect(two.promoted).toBe(false);
        expect(await subject.rows(2)).toBeUndefined();
        await apply(two, event(1, 'a', 5));
        await apply(one, event(2, 'a', 5));
        expect(await two.promote()).toEqual({ promoted: false, behind: 2 });
        await apply(two, event(2, 'b', 5));
        expect(await two.promote()).toEqual({ promoted: true });
        await apply(one, event(3, 'a', 5));
        expect(await subject.rows(1)).toEqual([{ stream: 'a', events: 3, total: 15 }]);
        expect(await subject.rows(2)).toHaveLength(2);
        await one.release();
        expect((await leaseOf(worker(1))).cursor).toEqual(at(3));
      });

      it('switches to a new version whatever the older ones hold of a history that is no more', async () => {
        const one = await leaseOf(worker(1));
        await apply(one, event(9, 'a', 5));
        const two = await leaseOf(worker(2));
        await apply(two, event(1, 'a', 5));
        expect(await two.promote(() => Promise.resolve(true))).toEqual({ promoted: true });
      });

      it('begins no tables of an older version by itself, and goes on with half-filled ones', async () => {
        const one = (await worker(1).acquire({ owner: 'one', signal }))!;
        leases.push(one);
        await apply(one, event(1, 'a', 5));
        const three = await leaseOf(worker(3));
        await apply(three, event(1, 'a', 5));
        await apply(one, event(2, 'a', 5));
        expect(await one.promote()).toEqual({ promoted: true });
        await expect(worker(2).acquire({ owner: 'two', signal })).rejects.toMatchObject({
          code: 'READ_MODEL_NEWER',
        });
        await apply(three, event(2, 'a', 5));
        expect(await three.promote()).toEqual({ promoted: true });
        expect([await subject.rows(1), await subject.rows(3)]).toEqual(
          Array(2).fill([{ stream: 'a', events: 2, total: 10 }]),
        );
      });

      it('removes the tables of an older version once nobody has kept them for long after the switch', async () => {
        const one = await leaseOf(worker(1));
        await apply(one, event(1, 'a', 5));
        const two = await leaseOf(worker(2));
        await apply(two, event(1, 'a', 5));
        await two.promote();
        for (let kept = 0; kept < 3; kept += 1) {
          subject.clock.advance(OLDER_VERSION_UNDER_TEST_MILLIS / 2);
          await one.renew();
          await two.renew();
        }
        expect(await subject.rows(1)).toHaveLength(1);
        await one.release();
        subject.clock.advance(OLDER_VERSION_UNDER_TEST_MILLIS);
        await two.renew();
        expect([await subject.rows(1), await subject.rows(2)]).toEqual([
          undefined,
          [{ stream: 'a', events: 1, total: 5 }],
        ]);
        await expect(worker(1).acquire({ owner: 'one', signal })).rejects.toMatchObject({
          code: 'READ_MODEL_NEWER',
        });
      });

      it("lists every version's tables for people, with who keeps them up and why queries do not see them", async () => {
        const store = worker(1);
        const one = await leaseOf(store);
        await apply(one, event(1, 'a', 5));
        await one.refuse('of another history');
        const two = await leaseOf(worker(2));
        await two.release();
        const of = {
          owner: undefined,
          refusal: undefined,
          cursor: undefined,
          promotedAtMillis: undefined,
          quarantinedEvents: 0,
        };
        const listed = [
          {
            ...of,
            version: 1,
            state: 'live',
            promotedAtMillis: subject.clock.nowMillis(),
            cursor: at(1),
            owner: 'a test',
            refusal: 'of another history',
          },
          { ...of, version: 2, state: 'filling' },
        ].map((status, index) => ({ ...status, generation: [one, two][index]!.generation }));
        expect(await store.generations()).toEqual(listed);
        expect([await store.drop(one.generation), await store.drop(one.generation)]).toEqual([
          true,
          false,
        ]);
        expect(await store.generations()).toEqual(listed.slice(1));
        await expect(apply(one, event(2, 'a', 5))).rejects.toMatchObject({
          code: 'READ_MODEL_FENCED',
        });
      });

      it('goes back to an older version on purpose from tables that a newer one has half filled', async () => {
        const two = (await worker(2).acquire({ owner: 'two', signal }))!;
        leases.push(two);
        const one = await leaseOf(worker(1), 'fresh');
        await apply(one, event(1, 'a', 5));
        expect(await one.promote()).toEqual({ promoted: true });
        expect(await subject.rows(1)).toHaveLength(1);
      });

      it('replaces the tables of another log', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5), event(2, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        await fresh.transact({ ...at(1), logId: 'another log' }, () => undefined);
        expect(await fresh.promote()).toEqual({ promoted: true });
      });

      it('replaces tables that are refused, however far they came in a history that is no more', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5), event(9, 'a', 5));
        await live.refuse('of another history');
        const fresh = await leaseOf(worker(), 'fresh');
        await apply(fresh, event(1, 'a', 5));
        expect(await fresh.promote()).toEqual({ promoted: true });
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 1, total: 5 }]);
      });

      it('goes on with live tables after the grace time has swept the replaced ones away', async () => {
        const live = await leaseOf(worker());
        await apply(live, event(1, 'a', 5));
        const fresh = await leaseOf(worker(), 'fresh');
        await apply(fresh, event(1, 'a', 9));
        await fresh.promote();
        for (const millis of [GRACE_UNDER_TEST_MILLIS, 1]) {
          subject.clock.advance(millis);
          await fresh.renew();
        }
        await expect(live.renew()).rejects.toMatchObject({ code: 'READ_MODEL_FENCED' });
        expect(await subject.rows()).toEqual([{ stream: 'a', events: 1, total: 9 }]);
      });
    });

    describe('digest', () => {
      it('is the same for the same rows however they came there, and another for any others', async () => {
        const store = worker();
        const lease = await leaseOf(store);
        await apply(lease, event(1, 'a', 5));
        await apply(lease, event(2, 'b', 5));
        await apply(lease, event(3, 'a', 5));
        const incremental = await store.digest();
        const fresh = await leaseOf(worker(), 'fresh');
        await apply(fresh, event(1, 'b', 5), event(2, 'a', 8));
        await apply(fresh, event(3, 'a', 2));
        await fresh.promote();
        expect(await store.digest()).toEqual(incremental);
        expect(incremental).toMatchObject({ cursor: at(3), tables: { tally: { rows: 2 } } });
        await apply(fresh, event(4, 'a', 0));
        const changed = await store.digest();
        expect(changed.sha256).not.toBe(incremental.sha256);
        expect(changed.tables['tally']!.rows).toBe(2);
      });
    });
  });
}

export function event(
  position: number,
  stream: string,
  amount: number,
  more: JsonObject = {},
): RecordedEvent {
  return {
    position: position as Position,
    stream,
    version: 1 as StreamVersion,
    id: `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`,
    type: 'counted',
    schemaVersion: 1,
    recordedAtMillis: 1_000 + position,
    tags: [],
    metadata: {},
    data: { amount, ...more },
    endsCommit: true,
  };
}

function at(position: number): FeedCursor {
  return { logId: 'the log', position: position as Position, timeline: 'a'.repeat(16) };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 250));
}
