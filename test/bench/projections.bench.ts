import {
  EventLogReader,
  type Position,
  type RecordedEvent,
  WalEventLog,
} from '@holdfast/event-store';
import {
  DirectoryFeed,
  type EventFeed,
  ProjectionRunner,
  type SqlProjection,
  SqliteReadModelStore,
  type SqliteTransaction,
} from '@holdfast/projections';
import { GrpcFeed } from '@holdfast/projections/grpc';
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Measurement, type Suite, interleaved } from './suite.js';

/** With their envelope about 300 bytes each in the log. */
const EVENTS = 200_000;
const COMMIT_EVENTS = 100;
const STREAMS = 1_000;
const CATCH_UP_MILLIS_MAX = 120_000;

/** One consumer from the first event to the end of a log: by each feed, and into a read model. */
export const projectionsSuite: Suite = {
  name: 'projections',
  async run(context) {
    const directory = join(context.directory, 'feed-log');
    await fill(directory);
    const server = await serve(directory);
    const directoryFeed = new DirectoryFeed(directory);
    const grpcFeed = new GrpcFeed({ url: server.url });
    try {
      const feeds = await interleaved(context, 'feed, 300 B events', 'events/s', 'directory feed', {
        'directory feed': () => rateOf(() => drain(directoryFeed)),
        'gRPC feed, its server another process': () => rateOf(() => drain(grpcFeed)),
        'the log alone': () => rateOf(() => readLog(directory)),
      });
      const models = join(context.directory, 'read-models');
      const catchUp = await interleaved(
        context,
        'catch-up into SQLite, one upsert an event',
        'events/s',
        'runner on the directory feed',
        {
          'runner on the directory feed': catchUpOf(directoryFeed, models),
          'runner on the gRPC feed': catchUpOf(grpcFeed, models),
        },
      );
      return { name: 'projections', scenarios: [feeds, catchUp] };
    } finally {
      await directoryFeed.close();
      await grpcFeed.close();
      server.process.kill();
      await once(server.process, 'exit');
    }
  },
};

async function fill(directory: string): Promise<void> {
  const log = await WalEventLog.open(directory, { wal: { create: true } });
  for (let event = 0; event < EVENTS; event += COMMIT_EVENTS) {
    const { position } = log.append({
      appends: Array.from({ length: COMMIT_EVENTS }, (_, index) => ({
        stream: `account-${(event + index) % STREAMS}`,
        expectedVersion: 'any' as const,
        events: [newEvent(event + index)],
      })),
    });
    if ((event / COMMIT_EVENTS) % 20 === 0) await log.whenDurable(position);
  }
  await log.close();
}

function newEvent(index: number) {
  return {
    id: randomUUID(),
    type: 'transfer-posted',
    schemaVersion: 1,
    data: {
      transfer: randomUUID(),
      amount: index % 1_000,
      legs: [`main/cash-${index % 50}`, `main/sales-${index % 70}`],
      note: 'a transfer of the benchmark',
    },
    tags: [`account:main/cash-${index % 50}`],
    metadata: { key: randomUUID() },
  };
}

async function serve(directory: string): Promise<{ process: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL('./feed-server.js', import.meta.url));
  const server = fork(script, [directory], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [url] = (await once(server, 'message')) as [string];
  return { process: server, url };
}

async function rateOf(read: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const events = await read();
  return (events * 1_000) / (performance.now() - startedAt);
}

async function drain(feed: EventFeed): Promise<number> {
  let events = 0;
  const leaving = new AbortController();
  for await (const batch of feed.open({ from: undefined, signal: leaving.signal })) {
    events += batch.events.length;
    if (batch.cursor.position >= batch.head) break;
  }
  leaving.abort();
  return events;
}

async function readLog(directory: string): Promise<number> {
  const reader = await EventLogReader.open(directory);
  let events = 0;
  for await (const batch of reader.readAll()) events += batch.events.length;
  await reader.close();
  return events;
}

function catchUpOf(feed: EventFeed, directory: string): Measurement {
  return () => rateOf(() => catchUp(feed, directory));
}

async function catchUp(feed: EventFeed, directory: string): Promise<number> {
  rmSync(directory, { recursive: true, force: true });
  const store = SqliteReadModelStore.open({ directory, projection: turnover });
  const runner = new ProjectionRunner({ feed, store });
  const leaving = new AbortController();
  const running = runner.run(leaving.signal);
  const reached = await runner.waitFor(EVENTS as Position, CATCH_UP_MILLIS_MAX);
  leaving.abort();
  await running;
  await store.close();
  return reached ? runner.status.appliedEvents : NaN;
}

const turnover: SqlProjection<SqliteTransaction> = {
  name: 'turnover',
  version: 1,
  handles: ['transfer-posted'],
  tables: [
    'CREATE TABLE turnover (account text PRIMARY KEY, transfers integer NOT NULL, total integer NOT NULL)',
  ],
  apply: (events: readonly RecordedEvent[], transaction) => {
    const count = transaction.prepare(`
      INSERT INTO turnover (account, transfers, total) VALUES (?, 1, ?)
      ON CONFLICT (account) DO UPDATE SET transfers = transfers + 1, total = total + excluded.total
    `);
    for (const { stream, data } of events) count.run(stream, data['amount']);
  },
};
