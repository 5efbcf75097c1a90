import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NodeFileSystem, type Sequence } from '@holdfast/wal';
import type { Evolve } from '../../fold/folded-state.js';
import { StateRecord, readStateFacts } from './state-record.js';
import type { StateEvent } from '../model/state-options.js';
import { StateJobFailed, StateThread } from '../thread/state-thread.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const EVENTS = 8;
/** A few of them fill a segment. */
const PAD = 'x'.repeat(12_000);

const evolve: Evolve = ({ stream }, state) => {
  const counts = state.section<number>('counts');
  counts.set(stream, (counts.get(stream) ?? 0) + 1);
};

describe('a start that finds no beginning for the state of a log without its own', () => {
  let directory: string;
  let events: StateEvent[];
  const opened: WalEventLog[] = [];
  const at = (name: string): string => join(directory, name);

  async function open({ takeover = false, stateVersion = '1' } = {}): Promise<WalEventLog> {
    events = [];
    const log = await WalEventLog.open(at('log'), {
      wal: { create: true, takeover, frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 },
      evolve,
      state: {
        directory: at('state'),
        snapshotDirectory: at('snapshots'),
        stateVersion,
        onEvent: (event) => events.push(event),
      },
    });
    opened.push(log);
    return log;
  }

  async function append(log: WalEventLog): Promise<void> {
    await log.appendDurably(oneAppend('stream', [sampleEvent(1, { data: { pad: PAD } })]));
  }

  const count = (log: WalEventLog): number | undefined =>
    log.state.section<number>('counts').get('stream');
  const generations = (): string[] =>
    readdirSync(at('state')).filter((name) => name.startsWith('lmdb-'));
  const seen = (): unknown => [
    generations(),
    readFileSync(join(at('state'), 'STATE'), 'utf8'),
    readFileSync(join(at('state'), generations()[0]!, 'data.mdb')),
  ];

  async function changeRecord(change: object): Promise<void> {
    const facts = readStateFacts(at('state'));
    if (typeof facts !== 'object') throw new Error('there is no record');
    await new StateRecord(at('state'), facts).change(change);
  }

  function damageRecord(): void {
    const path = join(at('state'), 'STATE');
    const content = readFileSync(path);
    content[60]! ^= 1;
    writeFileSync(path, content);
  }

  /** A log whose beginning is in snapshots only, and in the state; its process goes on. */
  let log: WalEventLog;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'refused-state-'));
    log = await open();
    for (let event = 0; event < EVENTS; event++) await append(log);
    await log.snapshot();
    await append(log);
    await log.snapshot();
    await log.wal.maintenance.removeSegments({
      below: Number(log.snapshots()[1]!.position) as Sequence,
    });
    expect(log.firstPosition).toBeGreaterThan(1);
    await append(log);
    await log.checkpoint();
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close().catch(() => undefined);
    jest.restoreAllMocks();
    rmSync(directory, { recursive: true });
  });

  const CASES: Record<string, () => Promise<void> | void> = {
    'the database made by another way of folding': () => undefined,
    'a damaged record': damageRecord,
    'a start that died while it opened the database': () => changeRecord({ opening: true }),
    'starts that died before the database was read through': () =>
      changeRecord({ unverifiedStarts: 5 }),
    'a database that was found damaged': () => changeRecord({ rebuild: 'it was' }),
  };

  it.each(Object.keys(CASES))('touches nothing of the state over %s', async (label) => {
    await log.close();
    await CASES[label]!();
    renameSync(at('snapshots'), at('snapshots-away'));
    const before = seen();
    const refused = open({ stateVersion: '2' });
    await expect(refused).rejects.toMatchObject({ code: 'EVENT_POSITION_GONE' });
    expect(seen()).toEqual(before);
    expect(events).toMatchObject([{ kind: 'rebuilding' }]);
    renameSync(at('snapshots-away'), at('snapshots'));
    expect(count(await open())).toBe(EVENTS + 2);
    expect(generations()).toHaveLength(1);
  });

  it('leaves the state to a start that comes when nobody holds it any more', async () => {
    renameSync(at('snapshots'), at('snapshots-away'));
    await expect(open({ takeover: true })).rejects.toMatchObject({ code: 'EVENT_POSITION_GONE' });
    expect(generations()).toEqual(['lmdb-1']);
    await log.close();
    expect(count(await open())).toBe(EVENTS + 2);
    expect(events.filter(({ kind }) => kind === 'rebuilding')).toEqual([]);
  });

  /** Loads of snapshots fail so often, and what the directory holds by then is told. */
  function failLoads(code: string, times: number): string[][] {
    const held: string[][] = [];
    const run = Object.getOwnPropertyDescriptor(StateThread.prototype, 'run')!
      .value as StateThread['run'];
    jest.spyOn(StateThread.prototype, 'run').mockImplementation(function (
      this: StateThread,
      job,
      ...rest
    ) {
      if (job.kind !== 'load') return run.call(this, job, ...rest);
      held.push(generations().filter((name) => name === 'lmdb-1'));
      if (held.length > times) return run.call(this, job, ...rest);
      return Promise.reject(new StateJobFailed('it failed', code));
    });
    return held;
  }

  it('keeps the old database until the new one is filled', async () => {
    await log.close();
    await changeRecord({ rebuild: 'it was damaged' });
    const before = seen();
    failLoads('EMFILE', 1);
    await expect(open()).rejects.toMatchObject({ code: 'EMFILE' });
    expect(seen()).toEqual(before);
    expect(count(await open())).toBe(EVENTS + 2);
    expect(generations()).toEqual(['lmdb-2']);
  });

  it('gives the old database up where there is no room for both, once the snapshot was read through', async () => {
    await log.close();
    await changeRecord({ rebuild: 'it was damaged' });
    const held = failLoads('ENOSPC', 1);
    expect(count(await open())).toBe(EVENTS + 2);
    expect(held).toEqual([['lmdb-1'], []]);
  });

  it('leaves nothing of what a killed start has half filled beside a state that is sound, but what somebody is filling', async () => {
    await log.checkpoint();
    await log.close();
    const [own = ''] = generations();
    const [dead, living] = ['lmdb-7', 'lmdb-8'] as const;
    for (const name of [dead, living]) mkdirSync(join(at('state'), name));
    const fileSystem = new NodeFileSystem();
    const lock = fileSystem.open(join(at('state'), 'LOCK-8'), 'create');
    expect(fileSystem.tryLock(lock)).toBe(true);
    await open();
    expect(generations()).toEqual([own, living]);
    lock.close();
    await fileSystem.close();
  });

  it('removes what a start has half filled, and what one has left behind its record', async () => {
    await log.close();
    await changeRecord({ rebuild: 'it was damaged' });
    mkdirSync(join(at('state'), 'lmdb-2'));
    expect(count(await open())).toBe(EVENTS + 2);
    await opened.at(-1)!.close();
    mkdirSync(join(at('state'), 'lmdb-1'));
    expect(count(await open())).toBe(EVENTS + 2);
    expect(generations()).toEqual(['lmdb-2']);
  });
});
