import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DirectoryFeed } from './directory-feed.js';
import type { FeedCursor, FeedSubscription } from '../event-feed.js';
import {
  type ConsumerReport,
  FeedConsumers,
  REPORTERS_OF_PEER_MAX,
  REPORT_SILENCE_MILLIS,
} from './feed-consumers.js';
import { GrpcReports } from '../grpc/grpc-reports.js';
import { eventually } from '../testing/eventually.js';
import { type FeedServer, freePort, serveFeed } from '../testing/feed-server.js';
import { LogUnderTest } from '../testing/log-under-test.js';

describe('reports of a consumer that reads the files itself', () => {
  let log: LogUnderTest;
  let server: FeedServer;
  let leaving: AbortController;
  let failures: (string | undefined)[];
  let reports: GrpcReports;
  let feed: DirectoryFeed;

  beforeEach(async () => {
    log = await LogUnderTest.create();
    server = await serveFeed(log.log, `127.0.0.1:${await freePort()}`);
    leaving = new AbortController();
    failures = [];
    reports = new GrpcReports({
      url: server.url,
      onReach: (failure) => failures.push((failure as { code?: string } | undefined)?.code),
    });
    feed = new DirectoryFeed(log.directory, { heartbeatMillis: 50, report: reports.report });
  });

  afterEach(async () => {
    leaving.abort();
    await feed.close();
    reports.close();
    await server.close();
    await log.dispose();
  });

  const open = (from?: FeedCursor): FeedSubscription =>
    feed.open({ from, consumer: 'balances', keepsFloor: true, signal: leaving.signal });
  const known = () =>
    server.consumers
      .list()
      .map(({ consumer, appliedPosition, durablePosition, keepsFloor }) => [
        ...[consumer, appliedPosition, durablePosition, keepsFloor],
      ]);

  it('reach the owner of the log, and end with the reading', async () => {
    await log.append({}, {});
    const subscription = open();
    for await (const { cursor } of subscription) {
      await eventually(() => expect(known()).toEqual([['balances', 0, 0, true]]));
      subscription.applied(cursor.position, false);
      await eventually(() => expect(known()).toEqual([['balances', 2, 0, true]]));
      subscription.applied(cursor.position);
      await eventually(() => expect(known()).toEqual([['balances', 2, 2, true]]));
      break;
    }
    await eventually(() => expect(known()).toEqual([]));
    expect(failures).toEqual([]);
  });

  it('are refused when they are of another log', async () => {
    await log.append({});
    const cursor: FeedCursor = { logId: randomUUID(), position: 1 as Position, timeline: 'x' };
    const foreign: ConsumerReport = {
      ...{ consumer: 'balances', reporter: 'a', ended: false },
      ...{ applied: cursor, durable: cursor },
    };
    reports.report(foreign);
    await eventually(() => expect(failures).toEqual(['FEED_DIVERGED']));
    expect(known()).toEqual([]);
  });

  it('are refused when they do not say where the consumer stands: it would be a floor at 0', async () => {
    await log.append({});
    const nowhere = { consumer: 'balances', reporter: 'a', ended: false } as ConsumerReport;
    reports.report(nowhere);
    await eventually(() => expect(failures).toEqual(['FEED_PROTOCOL']));
    expect(known()).toEqual([]);
  });

  it('are refused under a name that may keep no floor', async () => {
    await server.close();
    server = await serveFeed(log.log, server.url, { floorNames: new Set(['ledger']) });
    await log.append({});
    const batches = open()[Symbol.asyncIterator]();
    await batches.next();
    await eventually(() => expect(failures).toEqual(['FEED_REFUSED']));
    expect(known()).toEqual([]);
    await batches.return?.();
  });

  it('do not begin before the log has come as far as the consumer', async () => {
    await log.append({}, {});
    const { logId } = log.log;
    const timeline = log.log.timelineAt(2 as Position) ?? '';
    const told: ConsumerReport[] = [];
    const ahead = new DirectoryFeed(log.directory, {
      heartbeatMillis: 10,
      report: (report) => told.push(report),
    });
    const from: FeedCursor = { logId, position: 9 as Position, timeline };
    const { signal } = leaving;
    const batches = ahead.open({ from, consumer: 'balances', keepsFloor: true, signal });
    const reading = batches[Symbol.asyncIterator]();
    // A sign of life, or a refusal.
    await reading.next().catch(() => undefined);
    expect(told).toEqual([]);
    await reading.return?.();
    await ahead.close();
  });

  it('are lost while the owner is away, and made good once it is back', async () => {
    await log.append({});
    await server.close();
    const batches = open()[Symbol.asyncIterator]();
    await batches.next();
    await eventually(() => expect(failures).toEqual(['FEED_UNAVAILABLE']));
    server = await serveFeed(log.log, server.url);
    await eventually(() => expect(known()).toEqual([['balances', 0, 0, true]]));
    expect(failures).toEqual(['FEED_UNAVAILABLE', undefined]);
    await batches.return?.();
  });
});

describe('the list of consumers', () => {
  const cursor = (position: number): FeedCursor => ({
    logId: 'log',
    position: position as Position,
    timeline: 't',
  });
  const report = (reporter: string, position: number): ConsumerReport => ({
    ...{ consumer: 'balances', reporter, ended: false },
    ...{ applied: cursor(position), durable: cursor(position) },
  });

  it('forgets one that is silent for long', () => {
    let now = 1_000;
    const consumers = new FeedConsumers({
      clock: { nowMillis: () => 0, monotonicMillis: () => now },
    });
    consumers.report(report('a', 1));
    now += REPORT_SILENCE_MILLIS;
    consumers.report(report('b', 2));
    expect(consumers.list().map(({ peer }) => peer)).toEqual(['a', 'b']);
    now += 1;
    expect(consumers.list().map(({ peer }) => peer)).toEqual(['b']);
  });

  it('turns away what is more than so many of one machine, and hears those that it knows', () => {
    const consumers = new FeedConsumers();
    for (let number = 0; number < REPORTERS_OF_PEER_MAX; number += 1)
      consumers.report(report(`r${number}`, 1), `10.0.0.1:${number + 1}`);
    expect(() => consumers.report(report('one more', 1), '10.0.0.1:9')).toThrow(
      expect.objectContaining({ code: 'FEED_UNAVAILABLE' }),
    );
    consumers.report(report('r0', 5), '10.0.0.1:77');
    consumers.report(report('r0', 2), '10.0.0.2:1');
    const positions = consumers.list().map(({ durablePosition }) => durablePosition);
    expect(positions).toEqual([...Array<number>(REPORTERS_OF_PEER_MAX - 1).fill(1), 5, 2]);
  });

  it('takes no name that is too long for a floor', () => {
    const consumers = new FeedConsumers();
    for (const name of [{ consumer: 'x'.repeat(113) }, { reporter: 'x'.repeat(513) }])
      expect(() => consumers.report({ ...report('a', 1), ...name })).toThrow(
        expect.objectContaining({ code: 'FEED_REFUSED' }),
      );
    expect(consumers.list()).toEqual([]);
  });

  it('keeps nothing for one that was given up, until it begins to read anew', () => {
    const consumers = new FeedConsumers();
    const keeps = () => consumers.list().map(({ peer, keepsFloor }) => [peer, keepsFloor]);
    consumers.report(report('a', 1));
    consumers.giveUp('balances');
    consumers.report(report('a', 2));
    expect(keeps()).toEqual([['a', false]]);
    consumers.report(report('b', 2));
    expect(keeps()).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });
});
