import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Evolve } from '../../fold/folded-state.js';
import { databaseFile, openStateDatabase } from './state-database.js';
import { currentDatabaseDirectory } from '../directory/state-directory.js';
import type { CheckpointedStateOptions, StateEvent } from '../model/state-options.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const MEBIBYTE = 1024 * 1024;
/** Four slices of a reading. */
const ENTRIES = 3_500;
/** An event changes one entry in so many: all leaves of the database. */
const ENTRIES_A_CHANGE = 10;
const CHANGES = ENTRIES / ENTRIES_A_CHANGE;
/** A minute for the whole state: whoever waits for its end without limit waits long. */
const SLOW_BYTES_PER_SECOND = 15_000;
const PINNED_BYTES_MAX = 2 * MEBIBYTE;
const CHECKPOINT_BYTES_MAX = 1.5 * MEBIBYTE;
/** Time enough to look several times whether a reading has ended. */
const LOOKS_MILLIS = 100;

const SLOW = {
  firstVerifyBytesPerSecond: SLOW_BYTES_PER_SECOND,
  verifyBytesPerSecond: SLOW_BYTES_PER_SECOND,
  verifyPauseMillis: 1,
};

/** The first event makes all entries. */
const evolve: Evolve = (event, state) => {
  const { number } = event.data as { number: number };
  const entries = state.section<string>('entries');
  const apart = number === 1 ? 1 : ENTRIES_A_CHANGE;
  for (let at = number % apart; at < ENTRIES; at += apart)
    entries.set(`${at}`.padStart(8, '0'), `${number}`.padEnd(200, '.'));
};

describe('the file of a state that is read while it changes', () => {
  let directory: string;
  let log: WalEventLog;
  let events: StateEvent[];
  let number: number;
  let told: (event: StateEvent) => void;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'held-pages-'));
    number = 0;
    told = () => undefined;
    await open();
    await change();
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(state: Partial<CheckpointedStateOptions> = {}): Promise<void> {
    events = [];
    log = await WalEventLog.open(join(directory, 'log'), {
      wal: { create: true, frameBytesMax: 256 * 1024, segmentBytes: MEBIBYTE },
      evolve,
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        pinnedBytesMax: PINNED_BYTES_MAX,
        onEvent: (event) => {
          events.push(event);
          told(event);
        },
        ...state,
      },
    });
  }

  async function reopen(state: Partial<CheckpointedStateOptions>): Promise<void> {
    await log.close();
    await open(state);
  }

  const databaseDirectory = (): string => currentDatabaseDirectory(join(directory, 'state')) ?? '';
  const fileBytes = (): number => statSync(databaseFile(databaseDirectory())).size;

  function append(): Promise<unknown> {
    return log.appendDurably(oneAppend('stream', [sampleEvent((number += 1))]));
  }

  async function change(): Promise<void> {
    await append();
    await log.checkpoint();
  }

  /** A snapshot that has read its first slice, and rests. */
  async function begunSnapshot(): Promise<{ readonly report: Promise<unknown> }> {
    const { promise: moved, resolve } = Promise.withResolvers<undefined>();
    const report = log.snapshot({ onProgress: () => resolve(undefined) });
    report.catch(() => undefined);
    await Promise.race([moved, report]);
    return { report };
  }

  /** Somebody else reads, for as long as it likes. */
  function heldReading(): { end(): Promise<void> } {
    const database = openStateDatabase(databaseDirectory());
    const transaction = database.useReadTransaction();
    return {
      end: async () => {
        transaction.done();
        await database.close();
      },
    };
  }

  /** Makes the file grow beyond the limit: the next checkpoint is one too many. */
  async function outgrow(): Promise<void> {
    const begunBytes = fileBytes();
    while (fileBytes() - begunBytes <= PINNED_BYTES_MAX) await change();
  }

  /** One that waits. */
  async function begunCheckpoint(): Promise<{ readonly made: Promise<unknown> }> {
    const { promise: begun, resolve } = Promise.withResolvers<undefined>();
    told = (event) =>
      event.kind === 'checkpoint-step' && event.step === 'durable' && resolve(undefined);
    await append();
    const made = log.checkpoint();
    made.catch(() => undefined);
    await begun;
    return { made };
  }

  const steps = (): string[] =>
    events.flatMap((event) => (event.kind === 'checkpoint-step' ? [event.step] : []));

  it('grows by no more than the limit and a checkpoint, however often it is read, and a snapshot is made', async () => {
    await reopen(SLOW);
    const begunBytes = fileBytes();
    const { report } = await begunSnapshot();
    for (let made = 0; made < 10; made += 1) await change();
    expect(fileBytes() - begunBytes).toBeLessThan(PINNED_BYTES_MAX + 2 * CHECKPOINT_BYTES_MAX);
    expect(await report).toMatchObject({ position: 1 });
    expect(log.stateStatus()?.verification.givenUp).toBe(0);
  });

  it('is written again once the reading of somebody else has ended', async () => {
    const reading = heldReading();
    await outgrow();
    const outgrownBytes = fileBytes();
    const { made } = await begunCheckpoint();
    await setTimeout(LOOKS_MILLIS);
    expect(steps().at(-1)).toBe('durable');
    await reading.end();
    await made;
    for (let more = 0; more < 5; more += 1) await change();
    expect(fileBytes() - outgrownBytes).toBeLessThan(CHECKPOINT_BYTES_MAX / 10);
  });

  it('is written once half of what may be in memory only is used up', async () => {
    await reopen({ overlayEntriesMax: 3 * CHANGES });
    const reading = heldReading();
    await outgrow();
    const { made } = await begunCheckpoint();
    await append();
    await made;
    await reading.end();
  });

  it('is written when the log is closed', async () => {
    const reading = heldReading();
    await outgrow();
    const { made } = await begunCheckpoint();
    await log.close();
    await made;
    await reading.end();
  });

  it('is written once who reads it was killed', async () => {
    const script = `
      const { open } = await import('lmdb');
      const [path] = process.argv.slice(1);
      open({ path, noSubdir: false, maxDbs: 1, mapSize: 2 ** 39 }).useReadTransaction();
      process.kill(process.pid, 'SIGKILL');
    `;
    const killed = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, databaseDirectory()],
      { encoding: 'utf8' },
    );
    expect([killed.signal, killed.stderr]).toEqual(['SIGKILL', '']);
    for (let made = 0; made < 3; made += 1) await change();
    // Two versions are kept in any case.
    const begunBytes = fileBytes();
    for (let made = 0; made < 5; made += 1) await change();
    expect(fileBytes() - begunBytes).toBeLessThan(CHECKPOINT_BYTES_MAX);
  });

  it('ends a snapshot that no checkpoint can wait for, and says so; the next one is made', async () => {
    await reopen({ ...SLOW, pinnedBytesMax: 1, overlayEntriesMax: 1 });
    const { report } = await begunSnapshot();
    await change();
    await change();
    await expect(report).rejects.toMatchObject({
      code: 'EVENT_STATE_UNAVAILABLE',
      message: expect.stringContaining('given up'),
    });
    const reason: unknown = expect.stringContaining('given up');
    expect(events).toContainEqual({ kind: 'snapshot-failed', reason });
    expect(readdirSync(join(directory, 'snapshots'))).toEqual([]);
    expect(log.stateStatus()?.verification).toMatchObject({ state: 'pending', scans: 0 });
    expect(log.stateStatus()?.verification.givenUp).toBeGreaterThan(0);
    await reopen({});
    expect(await log.snapshot()).toMatchObject({ position: number });
  });

  it('ends a reading-through in the same way, which then counts as none', async () => {
    const givenUp = Promise.withResolvers<StateEvent>();
    told = (event) => {
      if (event.kind === 'verify-failed') givenUp.resolve(event);
    };
    // No checkpoint waits.
    await reopen({ ...SLOW, pinnedBytesMax: 1, overlayEntriesMax: 1 });
    const changing = (async () => {
      while (log.stateStatus()?.verification.givenUp === 0) await change();
    })();
    expect(await givenUp.promise).toMatchObject({ reason: expect.stringContaining('given up') });
    await changing;
    const verified = events.filter(({ kind }) => kind === 'verified');
    expect(log.stateStatus()?.verification.scans).toBe(verified.length);
  });
});
