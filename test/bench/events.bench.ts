import {
  type Commit,
  type Evolve,
  type NewEvent,
  type RecordedEvent,
  WalEventLog,
} from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { BEFORE_FIRST, Wal } from '@holdfast/wal';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchContext, interleaved, type ScenarioResult, type Suite } from './suite.js';

/** What one event of this suite takes in the log. */
const EVENT_BYTES = 317;
const REPLAYED_EVENTS = 500_000;
/** Events of one commit while a log is filled. */
const FILLED_COMMIT_EVENTS = 200;
/** A stream with as many events one beside the other, and a tag with as many far apart. */
const READ_EVENTS = 1_000;
/** The account that one event in so many touches. */
const SPARSE_ACCOUNTS = 499;

/** The event log against the write-ahead log alone with records of the same size: what JSON, index and state cost. */
export const eventsSuite: Suite = {
  name: 'events',
  async run(context) {
    const scenarios: ScenarioResult[] = [];
    for (const appenders of [1, 64, 1024]) scenarios.push(await appends(context, appenders));
    const directory = join(context.directory, 'filled');
    await fill(directory);
    scenarios.push(await replays(context, directory), await reads(context, directory));
    rmSync(directory, { recursive: true });
    return { name: 'events', scenarios };
  },
};

function appends(context: BenchContext, appenders: number): Promise<ScenarioResult> {
  const name = `${appenders} ${appenders === 1 ? 'appender' : 'appenders'}, one event a commit`;
  const directory = join(context.directory, 'appended');
  return interleaved(context, name, 'commits/s', 'event log', {
    'event log': async () => {
      const log = await WalEventLog.open(directory, { wal: { create: true }, evolve: balances });
      const commits = Array.from({ length: 10_000 }, (_, index) => commitOf(index));
      let next = 0;
      const append = () => log.appendDurably(commits[next++ % commits.length] as Commit);
      const rate = await rateOfAppenders(appenders, context.seconds, append);
      await log.close();
      rmSync(directory, { recursive: true });
      return rate;
    },
    'the wal alone': async () => {
      const wal = await Wal.open(directory, { create: true });
      const batch = [Buffer.alloc(EVENT_BYTES, 0x5a)];
      const append = () => wal.append(batch).durable;
      const rate = await rateOfAppenders(appenders, context.seconds, append);
      await wal.close();
      rmSync(directory, { recursive: true });
      return rate;
    },
  });
}

/** Each appender waits for its commit before it appends the next. */
async function rateOfAppenders(
  appenders: number,
  seconds: number,
  append: () => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.now();
  const end = startedAt + seconds * 1_000;
  let count = 0;
  const appender = async (): Promise<void> => {
    while (performance.now() < end) {
      await append();
      count++;
    }
  };
  await Promise.all(Array.from({ length: appenders }, appender));
  return (count * 1_000) / (performance.now() - startedAt);
}

function replays(context: BenchContext, directory: string): Promise<ScenarioResult> {
  const opening = (evolve?: Evolve) => () =>
    rateOf(REPLAYED_EVENTS, async () => {
      let millis = 0;
      const onReplayProgress = ({ elapsedMillis }: { elapsedMillis: number }): void => {
        millis = elapsedMillis;
      };
      const log = await WalEventLog.open(directory, {
        onReplayProgress,
        ...(evolve && { evolve }),
      });
      await log.close();
      return millis;
    });
  return interleaved(context, 'replay at the opening', 'events/s', 'index and state', {
    'index and state': opening(balances),
    'index alone': opening(),
    'a scan of the wal': async () => {
      const wal = await Wal.open(directory);
      const rate = await rateOf(REPLAYED_EVENTS, () =>
        millisOf(() => wal.scan(BEFORE_FIRST, () => undefined)),
      );
      await wal.close();
      return rate;
    },
  });
}

async function reads(context: BenchContext, directory: string): Promise<ScenarioResult> {
  const log = await WalEventLog.open(directory);
  const all = (types: readonly string[] | undefined, expected: number) => () =>
    rateOf(REPLAYED_EVENTS, () =>
      millisOf(async () => {
        let count = 0;
        for await (const { events } of log.readAll(types && { filter: { types } }))
          count += events.length;
        assert(count === expected, `${expected} events are read, not ${count}`);
      }),
    );
  const some = (read: () => AsyncIterable<RecordedEvent>) => () =>
    rateOf(READ_EVENTS, () =>
      millisOf(async () => {
        let count = 0;
        for await (const { position } of read()) if (position > 0) count++;
        assert(count === READ_EVENTS, `${READ_EVENTS} events are read, not ${count}`);
      }),
    );
  const tag = `account:main/${SPARSE_ACCOUNTS - 1}`;
  const result = await interleaved(context, 'reading', 'events/s', 'everything', {
    everything: all(undefined, REPLAYED_EVENTS),
    'everything, filter passes nothing': all(['none'], 0),
    'a stream of 1,000, close': some(() => log.readStream('close', { limit: READ_EVENTS })),
    'a tag of 1,000, 1 in 499': some(() => log.readTag(tag, { limit: READ_EVENTS })),
  });
  await log.close();
  return result;
}

async function millisOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function rateOf(events: number, millis: () => Promise<number>): Promise<number> {
  return (events * 1_000) / (await millis());
}

async function fill(directory: string): Promise<void> {
  const log = await WalEventLog.open(directory, { wal: { create: true } });
  for (let event = 0; event < REPLAYED_EVENTS; event += FILLED_COMMIT_EVENTS) {
    const isClose = event < READ_EVENTS;
    const { position } = log.append({
      appends: Array.from({ length: FILLED_COMMIT_EVENTS }, (_, index) => ({
        stream: isClose ? 'close' : `transfer:${event + index}`,
        expectedVersion: 'any' as const,
        events: [eventOf(event + index)],
      })),
      metadata: METADATA,
    });
    if ((event / FILLED_COMMIT_EVENTS) % 20 === 0) await log.whenDurable(position);
  }
  await log.close();
}

const METADATA = { key: 'key-000001', actor: 'alice' };

function commitOf(index: number): Commit {
  return {
    appends: [{ stream: `transfer:${index}`, expectedVersion: 'any', events: [eventOf(index)] }],
    metadata: METADATA,
  };
}

function eventOf(index: number): NewEvent {
  return {
    id: randomUUID(),
    type: 'TransferPosted',
    schemaVersion: 1,
    tags: [`account:main/${index % SPARSE_ACCOUNTS}`, `account:main/${index % 97}`],
    data: {
      transferId: randomUUID(),
      reference: null,
      legs: [
        { accountId: `${index % SPARSE_ACCOUNTS}`, side: 'debit', amount: '1250' },
        { accountId: `${index % 97}`, side: 'credit', amount: '1250' },
      ],
    },
  };
}

/** As cheap a state as a ledger can have: a sum for each account. */
const balances: Evolve = ({ data }, state) => {
  const section = state.section<number>('balances');
  for (const leg of data['legs'] as readonly { accountId: string; side: string }[])
    section.set(leg.accountId, (section.get(leg.accountId) ?? 0) + (leg.side === 'debit' ? -1 : 1));
};
