import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CheckpointedStateStore } from '../store/checkpointed-state-store.js';
import { stateUnavailable } from '../../event-store.errors.js';
import type { Evolve } from '../../fold/folded-state.js';
import { openStateDatabase } from '../database/state-database.js';
import type { StateEvent } from '../model/state-options.js';
import { type StateFacts, StateRecord, readStateFacts } from '../directory/state-record.js';
import { StateJobFailed, StateThread } from '../thread/state-thread.js';
import type { StateJob } from '../thread/state.worker.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const OF_THE_SYSTEM = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EACCES', 'EIO', 'EROFS', 'ENOSPC'];
const UNAVAILABLE: unknown = expect.objectContaining({ code: 'EVENT_STATE_UNAVAILABLE' });

const DAMAGED: unknown = expect.objectContaining({ code: 'EVENT_STATE_DAMAGED' });

const evolve: Evolve = ({ position, stream }, state) => {
  state.section<number>('last').set(stream, position);
};

describe('what the machine is short of', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;
  let told: (event: StateEvent) => void;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-unavailable-'));
    told = () => undefined;
    log = await open();
    await log.appendDurably(oneAppend('stream', [sampleEvent(1)]));
    await log.checkpoint();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await log.close();
    rmSync(directory, { recursive: true });
  });

  async function open(folding: Evolve = evolve): Promise<WalEventLog> {
    events = [];
    return WalEventLog.open(join(directory, 'log'), {
      wal: { create: true, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 },
      evolve: folding,
      state: {
        directory: join(directory, 'state'),
        onEvent: (event) => {
          events.push(event);
          told(event);
        },
      },
    });
  }

  function facts(): StateFacts | undefined {
    const read = readStateFacts(join(directory, 'state'));
    return read === 'damaged' ? undefined : read;
  }
  const recorded = () => facts()?.checkpoint?.position;
  const kinds = () => events.map(({ kind }) => kind);

  /** The thread has other jobs too: a state that was not read through yet is, whenever it comes to that. */
  function nextJobFails(code: string | undefined, kind: StateJob['kind'] = 'checkpoint'): void {
    const run = Reflect.get(StateThread.prototype, 'run');
    let isDue = true;
    jest.spyOn(StateThread.prototype, 'run').mockImplementation(async function (
      this: StateThread,
      job,
      ...more
    ) {
      if (!isDue || job.kind !== kind) return run.call(this, job, ...more);
      isDue = false;
      throw new StateJobFailed('it failed', code);
    });
  }

  async function expectSound(): Promise<void> {
    expect(kinds()).not.toContain('damaged');
    expect(readStateFacts(join(directory, 'state'))).not.toHaveProperty('rebuild');
    await log.close();
    log = await open();
    expect(kinds()).not.toContain('rebuilding');
    expect(log.replayReport.after).toBeGreaterThan(0);
  }

  it.each(OF_THE_SYSTEM)('%s fails a checkpoint, and the next one is made', async (code) => {
    nextJobFails(code);
    log.append(oneAppend('stream', [sampleEvent(2)]));
    await expect(log.checkpoint()).rejects.toMatchObject({ code });
    expect([log.poisoned, kinds().includes('checkpoint-failed')]).toEqual([undefined, true]);
    expect(await log.checkpoint()).toMatchObject({ position: 2 });
    await expectSound();
  });

  it('keeps a checkpoint unmade until its record is written and the floor has moved', async () => {
    const floor = () => log.wal.floors.all().get('checkpoint');
    const inTheWay = join(directory, 'state', `STATE.${facts()?.generation}.tmp`);
    await log.appendDurably(oneAppend('stream', [sampleEvent(2)]));
    mkdirSync(inTheWay);
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(log.checkpoint()).rejects.toMatchObject({ code: 'EISDIR' });
    expect([recorded(), floor(), log.stateStatus()?.failedCheckpoints]).toEqual([1, 1, 2]);
    expect(log.stateStatus()).toMatchObject({ checkpoints: 1, checkpoint: { position: 1 } });
    rmSync(inTheWay, { recursive: true });
    const report = await log.checkpoint();
    expect(report).toMatchObject({ position: 2, changes: 2 });
    expect([recorded(), floor()]).toEqual([2, 2]);
    expect(log.stateStatus()).toMatchObject({ checkpoints: 2, checkpoint: { position: 2 } });
    expect(await log.checkpoint()).toMatchObject({ position: 2, changes: 0 });
    expect(events.filter(({ kind }) => kind === 'checkpointed').slice(1)).toEqual([
      { kind: 'checkpointed', report },
    ]);
    await expectSound();
  });

  it('is no reason to keep silent about damage that is found while the log is closed', async () => {
    const run = Reflect.get(StateThread.prototype, 'run');
    const begun = Promise.withResolvers<boolean>();
    jest.spyOn(StateThread.prototype, 'run').mockImplementation(async function (
      this: StateThread,
      job,
      transfer,
      options,
    ) {
      if (job.kind !== 'scan') return run.call(this, job, transfer, options);
      begun.resolve(true);
      await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve));
      return { scan: { kind: 'damaged', reason: 'a bit' } };
    });
    await log.close();
    log = await open();
    await log.appendDurably(oneAppend('stream', [sampleEvent(2)]));
    await begun.promise;
    await log.close();
    expect(kinds()).toContain('damaged');
    expect(facts()).toMatchObject({ rebuild: 'a bit', checkpoint: { position: 1 } });
    jest.restoreAllMocks();
    log = await open();
    expect(kinds()).toContain('rebuilding');
  });

  it('records the checkpoint of a process that ended before it could', async () => {
    await log.appendDurably(oneAppend('stream', [sampleEvent(2)]));
    const failing = jest
      .spyOn(StateRecord.prototype, 'change')
      .mockRejectedValue(new Error('ended'));
    await log.close();
    failing.mockRestore();
    expect(recorded()).toBe(1);
    log = await open();
    expect(log.stateStatus()?.checkpoints).toBe(0);
    expect(await log.checkpoint()).toMatchObject({ position: 2 });
    expect([recorded(), log.stateStatus()?.checkpoints]).toEqual([2, 1]);
  });

  it.each(['STATE_THREAD_ENDED', 'LMDB_-30795', undefined])(
    '%s ends the process, and the next start looks at the state',
    async (code) => {
      nextJobFails(code);
      log.append(oneAppend('stream', [sampleEvent(2)]));
      await expect(log.checkpoint()).rejects.toThrow('it failed');
      expect(await log.failed).toEqual(UNAVAILABLE);
      expect(() => log.append(oneAppend('stream', [sampleEvent(3)]))).toThrow(UNAVAILABLE);
      await expectSound();
    },
  );

  it('is not taken for what LMDB says of damage', async () => {
    nextJobFails('MDB_CORRUPTED');
    log.append(oneAppend('stream', [sampleEvent(2)]));
    await expect(log.checkpoint()).rejects.toThrow('it failed');
    expect(await log.failed).toEqual(DAMAGED);
    expect(readStateFacts(join(directory, 'state'))).toHaveProperty('rebuild');
  });

  it('keeps the state from being read through for a while, and is told', async () => {
    await log.close();
    const failed = Promise.withResolvers<StateEvent>();
    told = (event) => event.kind === 'verify-failed' && failed.resolve(event);
    log = await open();
    nextJobFails('EMFILE', 'scan');
    expect(await failed.promise).toMatchObject({ reason: expect.stringContaining('it failed') });
    expect([log.poisoned, log.stateStatus()?.verification.state]).toEqual([undefined, 'pending']);
    await expectSound();
  });

  it('refuses a start, which changes nothing', async () => {
    await log.close();
    const state = join(directory, 'state');
    const [name = ''] = readdirSync(state).filter((file) => file.startsWith('lmdb-'));
    const file = join(state, name, 'data.mdb');
    renameSync(file, `${file}.aside`);
    symlinkSync('data.mdb', file);
    for (let attempt = 0; attempt < 6; attempt++)
      await expect(open()).rejects.toMatchObject({ code: 'ELOOP' });
    renameSync(`${file}.aside`, file);
    log = await open();
    await expectSound();
  });

  it('refuses a start with a number of LMDB, and such a start counts: a fifth makes the state anew', async () => {
    await log.close();
    // Without a seal the whole database is read before the first answer.
    const sealed = facts();
    if (sealed === undefined) throw new Error('no record');
    await new StateRecord(join(directory, 'state'), sealed).change({ tree: undefined });
    for (let start = 1; start <= 5; start++) {
      nextJobFails('LMDB_-30782', 'scan');
      await expect(open()).rejects.toMatchObject({ code: 'LMDB_-30782' });
      expect(facts()).toMatchObject({ opening: false, unverifiedStarts: start });
    }
    log = await open();
    expect(kinds()).toContain('rebuilding');
    expect(log.streamVersion('stream')).toBe(1);
  });

  it('in the middle of a fold is no refusal of the commit, which stands', async () => {
    await log.close();
    log = await open(() => {
      throw stateUnavailable('no descriptor', undefined);
    });
    const commit = oneAppend('stream', [sampleEvent(2)]);
    expect(() => log.append(commit)).toThrow(
      expect.objectContaining({ code: 'EVENT_STATE_BROKEN', cause: UNAVAILABLE }),
    );
    expect(log.poisoned).toEqual(UNAVAILABLE);
    await expectSound();
    expect(log.streamVersion('stream')).toBe(2);
  });

  it('refuses one read, and only damage condemns what is read', async () => {
    const lmdb = join(directory, 'lmdb');
    const database = openStateDatabase(lmdb);
    const damages: unknown[] = [];
    const store = new CheckpointedStateStore(database, undefined, {
      cacheEntries: 10,
      databaseFile: join(lmdb, 'data.mdb'),
      onDamage: (error) => damages.push(error),
    });
    // LMDB gives the last of them to a transaction that had failed before, and says no more.
    for (const code of [...OF_THE_SYSTEM, 24, -30790, -30782]) {
      const cause = Object.assign(new Error('it failed'), { code });
      expect(() => store.unreadable(cause)).toThrow(UNAVAILABLE);
    }
    expect([damages, store.populated]).toEqual([[], undefined]);
    const corrupted = Object.assign(new Error('it failed'), { code: -30796 });
    expect(() => store.unreadable(corrupted)).toThrow(DAMAGED);
    expect(damages).toHaveLength(1);
    await database.close();
  });

  it('keeps a thread from starting once, and not for ever', async () => {
    const lmdb = join(directory, 'lmdb');
    writeFileSync(lmdb, 'no directory');
    const thread = new StateThread(lmdb);
    const scan = { kind: 'scan', bytesPerSecond: Infinity } as const;
    await expect(thread.run(scan)).rejects.toMatchObject({ code: 'ERR_WORKER_START' });
    rmSync(lmdb);
    expect(await thread.run(scan)).toEqual({ scan: { kind: 'empty' } });
    await thread.close();
    await expect(thread.run(scan)).rejects.toMatchObject({ code: 'EVENT_LOG_CLOSED' });
  });
});
