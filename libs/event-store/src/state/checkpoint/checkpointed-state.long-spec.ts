import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { runs } from '@holdfast/kernel/testing';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WalOptions } from '@holdfast/wal';
import fc from 'fast-check';
import { CheckpointedStateStore, type FrozenOverlay } from '../store/checkpointed-state-store.js';
import type { Evolve } from '../../fold/folded-state.js';
import { databaseFile, openStateDatabase } from '../database/state-database.js';
import { stateDigestAt } from '../../state-proof.js';
import type { StatePlace } from '../model/state-mark.js';
import type { StateFacts } from '../directory/state-record.js';
import { StateThread } from '../thread/state-thread.js';
import { allEvents, oneAppend, sampleEvent, sampleEvents } from '../../testing/sample-events.js';
import { describeStateStore } from '../../testing/state-store.contract.js';
import { WalEventLog, type WalEventLogOptions } from '../../wal-event-log.js';
import type { CheckpointedStateOptions, StateEvent } from '../model/state-options.js';

const WAL: WalOptions = {
  create: true,
  frameBytesMax: 8 * 1024 * 1024,
  segmentBytes: 16 * 1024 * 1024,
};

const cleanups: (() => Promise<void> | void)[] = [];
afterAll(cleanUp);

/** Also between the tests of a contract: each open database takes a part of the address space. */
async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-state-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const MARK = {
  logId: 'log',
  timeline: 't',
  lastRecordedAtMillis: 0,
  stateVersion: '1',
  atMillis: 0,
};

/** A store with its thread, checkpointed by hand. */
class StoreUnderTest {
  readonly directory = join(temporaryDirectory(), 'lmdb');
  private readonly database = openStateDatabase(this.directory);
  private readonly thread = new StateThread(this.directory);
  readonly store: CheckpointedStateStore;
  private position = 0;

  constructor(cacheEntries = 10) {
    this.store = new CheckpointedStateStore(this.database, undefined, {
      cacheEntries,
      databaseFile: databaseFile(this.directory),
      onDamage: () => undefined,
    });
    cleanups.push(async () => {
      this.store.close();
      await this.thread.close();
      await this.database.close();
    });
  }

  async checkpoint(
    meanwhile: () => void = () => undefined,
  ): Promise<{ entries: number; digest: string }> {
    return this.write(this.store.freeze(), meanwhile);
  }

  async write(
    overlay: FrozenOverlay,
    meanwhile: () => void = () => undefined,
  ): Promise<{ entries: number; digest: string }> {
    meanwhile();
    const changes = await this.store.encode(overlay);
    const answer = await this.thread.run({
      kind: 'checkpoint',
      changes,
      mark: { ...MARK, position: ++this.position },
      isTrusted: false,
    });
    if (!('mark' in answer)) throw new Error('no mark');
    this.store.retire(answer.mark);
    return answer.mark;
  }

  async scan(): Promise<unknown> {
    const answer = await this.thread.run({ kind: 'scan', bytesPerSecond: 1e9 });
    return 'scan' in answer ? answer.scan.kind : answer;
  }
}

describeStateStore('checkpointed', async () => {
  await cleanUp();
  return new StoreUnderTest().store;
});

describe('the checkpointed state store', () => {
  afterEach(cleanUp);

  it('reads the same from memory, while it is checkpointed, from what was kept, and from the database', async () => {
    const under = new StoreUnderTest(4);
    const values: Record<string, object | string | number> = {
      number: 2 ** 53 - 1,
      text: 'text €𝄞\0',
      empty: '',
      object: { a: 1, b: { c: ['d', null, true, 'ü'] } },
      ['long'.repeat(600)]: 'a key that LMDB would not take',
      ['€'.repeat(200)]: [1, 2],
    };
    const section = under.store.section<object | string | number>('section/ä');
    const seen = () =>
      Object.fromEntries(Object.keys(values).map((key) => [key, section.get(key)]));
    for (const [key, value] of Object.entries(values)) section.set(key, value);
    section.set('deleted', 1);
    section.delete('deleted');
    const states = [seen()];
    await under.checkpoint(() => states.push(seen()));
    states.push(seen());
    // What the last checkpoint wrote is kept in memory until the next.
    await under.checkpoint();
    states.push(seen(), seen());
    expect(states).toEqual(states.map(() => values));
    expect(section.get('deleted')).toBeUndefined();
    expect(await under.scan()).toBe('whole');
  });

  it('knows a key by its beginning in memory, while it is checkpointed and from the database, once absence is believed', async () => {
    const tested = new StoreUnderTest();
    const section = tested.store.section<number>('a');
    tested.store.section<number>('b').set('k-', 1);
    section.set('k"1', 1);
    const asked = () =>
      ['k"', 'k"1', 'k"2', 'k-', 'l', 'j'].map((key) => section.hasBeginning(key));
    const right = [true, true, false, false, false, false];
    expect(asked()).toEqual(right);
    tested.store.trust();
    await tested.checkpoint(() => expect(asked()).toEqual(right));
    expect(asked()).toEqual(right);
    section.set('k"1', 2);
    await tested.checkpoint();
    await tested.checkpoint();
    expect(asked()).toEqual(right);
    tested.store.isTrusted = false;
    expect(asked()).toEqual(right.map(() => undefined));
  });

  it('does not find the entry of U+FFFD under half of a surrogate pair', async () => {
    const under = new StoreUnderTest();
    under.store.section<number>('s').set('a\ufffd', 1);
    await under.checkpoint();
    await under.checkpoint();
    const section = under.store.section<number>('s');
    section.delete('a\ud800');
    await under.checkpoint();
    expect([section.get('a\ud800'), section.get('a\ufffd')]).toEqual([undefined, 1]);
  });

  it('holds what a map holds, whatever comes between checkpoints, and its digest says so', async () => {
    const key = fc.integer({ min: 0, max: 30 });
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ set: key, to: fc.integer() }) },
      { weight: 3, arbitrary: fc.record({ remove: key }) },
      { weight: 3, arbitrary: fc.record({ look: key }) },
      { weight: 1, arbitrary: fc.constantFrom('checkpoint', 'freeze', 'write') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const under = new StoreUnderTest(6);
        const section = under.store.section<number>('s');
        const model = new Map<number, number>();
        const frozen: FrozenOverlay[] = [];
        const write = async (overlay = frozen.shift()) => overlay && (await under.write(overlay));
        for (const taken of steps) {
          if (taken === 'freeze') frozen.push(under.store.freeze());
          else if (taken === 'write') await write();
          else if (taken === 'checkpoint') {
            while (frozen.length > 0) await write();
            await under.checkpoint();
          } else if (typeof taken === 'string') throw new Error(taken);
          else if ('set' in taken) {
            section.set(String(taken.set), taken.to);
            model.set(taken.set, taken.to);
          } else if ('remove' in taken) {
            section.delete(String(taken.remove));
            model.delete(taken.remove);
          } else expect(section.get(String(taken.look))).toBe(model.get(taken.look));
        }
        while (frozen.length > 0) await write();
        const { entries, digest } = await under.checkpoint();
        await under.checkpoint();
        for (let at = 0; at <= 30; at++) expect(section.get(String(at))).toBe(model.get(at));
        const anew = new StoreUnderTest();
        for (const [at, value] of model) anew.store.section<number>('s').set(String(at), value);
        expect(await anew.checkpoint()).toMatchObject({ entries, digest });
        expect(entries).toBe(model.size);
        expect(await under.scan()).toBe('whole');
        await cleanUp();
      }),
      { numRuns: runs({ short: 5, long: 25 }) },
    );
  });

  it('tells entries apart in its digest by section, key and value', async () => {
    const digests = new Set<string>();
    for (const [section, key, value] of [
      ['a', 'b', 'c'],
      ['ab', '', 'c'],
      ['a', 'bc', ''],
      ['a', 'b', 'd'],
      ['', 'ab', 'c'],
    ] as const) {
      const under = new StoreUnderTest();
      under.store.section<string>(section).set(key, value);
      digests.add((await under.checkpoint()).digest);
    }
    expect(digests.size).toBe(5);
  });
});

/** Counts events of each stream, and keeps the last: state that grows and changes. */
const evolve: Evolve = (event, state) => {
  const counts = state.section<number>('counts');
  counts.set(event.stream, (counts.get(event.stream) ?? 0) + 1);
  const { number } = event.data as { number: number };
  if (number % 7 === 0) state.section<object>('last').delete(event.stream);
  else state.section<object>('last').set(event.stream, { number, id: event.id });
};

describe('an event log with checkpointed state', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;

  beforeEach(async () => {
    directory = temporaryDirectory();
    events = [];
    log = await open();
  });

  afterEach(() => log.close());

  async function open(
    state: Partial<CheckpointedStateOptions> = {},
    options: WalEventLogOptions = {},
  ): Promise<WalEventLog> {
    return WalEventLog.open(join(directory, 'log'), {
      wal: WAL,
      evolve,
      ...options,
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        onEvent: (event) => events.push(event),
        ...state,
      },
    });
  }

  async function reopen(state?: Partial<CheckpointedStateOptions>): Promise<void> {
    await log.close();
    events = [];
    log = await open(state);
  }

  async function append(commits: number, from = 0): Promise<void> {
    for (let commit = from; commit < from + commits; commit++)
      log.append(oneAppend(`s-${commit % 17}`, [sampleEvent(commit), sampleEvent(commit + 1)]));
    await log.whenDurable(log.lastPosition);
  }

  it('begins where the last checkpoint was, and replays what came after it', async () => {
    await append(50);
    const report = await log.checkpoint();
    expect(report).toMatchObject({ position: 100 });
    await append(5, 50);
    const counts = Array.from({ length: 17 }, (_, at) =>
      log.state.section<number>('counts').get(`s-${at}`),
    );
    const digest = (await log.checkpoint()).digest;
    await append(3, 55);
    await log.wal.flush();
    const before = log.stateStatus()?.checkpoint;
    expect(before).toMatchObject({ position: 110, digest });
    await reopen();
    // The clean close made a checkpoint of everything.
    expect(log.replayReport).toMatchObject({ after: 116, events: 0, bytes: 0 });
    expect(log.wal.floors.all().get('checkpoint')).toBe(116);
    expect(counts).not.toContain(undefined);
    expect(log.streamVersion('s-0')).toBe(8);
    expect(await allEvents(log)).toHaveLength(116);
  });

  it('makes checkpoints by entries, by bytes and by time', async () => {
    for (const by of [
      { checkpointEntries: 20 },
      { checkpointBytes: 1_000 },
      { checkpointMillis: 1 },
    ]) {
      await reopen(by);
      await append(40, log.lastPosition);
      const enough = Date.now() + 10_000;
      while (log.stateStatus()?.checkpoints === 0 && Date.now() < enough)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(log.stateStatus()?.checkpoints).toBeGreaterThan(0);
    }
  });

  it('writes no more in one checkpoint than it should, however much changes while one is made', async () => {
    await reopen({ checkpointEntries: 50 });
    // Within one turn: the first checkpoint has only begun when the last commit comes.
    await append(150, log.lastPosition);
    const enough = Date.now() + 10_000;
    while (log.stateStatus()!.overlayEntries >= 50 && Date.now() < enough)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const reports = events.flatMap((event) => (event.kind === 'checkpointed' ? event.report : []));
    expect(reports.length).toBeGreaterThan(4);
    // A commit of two events changes some dozen entries, and a checkpoint ends between two commits.
    expect(Math.max(...reports.map(({ changes }) => changes))).toBeLessThan(70);
    expect(reports.map(({ position }) => position)).toEqual(
      reports.map(({ position }) => position).toSorted((a, b) => a - b),
    );
    const { position, entries, digest } = await log.checkpoint();
    expect(await stateDigestAt(log.wal, position, { evolve })).toMatchObject({ entries, digest });
  });

  it('refuses more than memory may hold, before anything is assigned', async () => {
    await reopen({ overlayEntriesMax: 100, checkpointEntries: 1_000_000 });
    let stream = 0;
    while (log.stateStatus()!.overlayEntries <= 100)
      log.append(oneAppend(`${(stream += 1)}`, sampleEvents(1)));
    const last = log.lastPosition;
    expect(() => log.append(oneAppend('s', sampleEvents(1)))).toThrow(
      expect.objectContaining({ code: 'EVENT_STATE_OVERLOADED' }),
    );
    expect(log.lastPosition).toBe(last);
    await log.checkpoint();
    await log.appendDurably(oneAppend('s', sampleEvents(1)));
  });

  it('bounds memory while it replays a long log, by checkpoints on the way', async () => {
    for (let stream = 0; stream < 400; stream++)
      log.append(oneAppend(`${stream}`, sampleEvents(2)));
    await log.close();
    rmSync(join(directory, 'state'), { recursive: true });
    events = [];
    log = await open({ checkpointEntries: 60 });
    expect(events.filter(({ kind }) => kind === 'checkpointed').length).toBeGreaterThan(3);
    expect(log.replayReport).toMatchObject({ after: 0, events: 800 });
  });

  it('checkpoints on the way of a long replay also where few entries change', async () => {
    for (let commit = 0; commit < 400; commit++) log.append(oneAppend('one', sampleEvents(1)));
    await log.close();
    rmSync(join(directory, 'state'), { recursive: true });
    events = [];
    log = await open({ checkpointBytes: 2_000, checkpointEntries: 1_000_000 });
    expect(events.filter(({ kind }) => kind === 'checkpointed').length).toBeGreaterThan(3);
  });

  it('does not call a checkpoint made that an older release has left ahead of its record', async () => {
    for (let commit = 0; commit < 2; commit++) {
      await log.appendDurably(oneAppend('one', sampleEvents(1)));
      await log.checkpoint();
    }
    await log.close();
    const path = join(directory, 'state', 'STATE');
    const [title = '', body = ''] = readFileSync(path, 'utf8').split('\n');
    const facts = JSON.parse(body) as StateFacts & { checkpoint: StatePlace };
    const checkpoint = { ...facts.checkpoint, position: 1 };
    const left = JSON.stringify({ ...facts, checkpoint, tree: undefined });
    writeFileSync(path, `${title}\n${left}\n${crc32(left).toString(16).padStart(8, '0')}\n`);
    log = await open({});
    expect(log.replayReport).toMatchObject({ after: 2 });
    expect(log.stateStatus()?.checkpoint).toBeUndefined();
    await log.checkpoint();
    expect(log.stateStatus()?.checkpoint).toMatchObject({ position: 2 });
  });
});
