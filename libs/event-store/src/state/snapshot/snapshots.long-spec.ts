import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Evolve } from '../../fold/folded-state.js';
import type { SnapshotProgress } from './snapshot-work.js';
import { currentDatabaseDirectory } from '../directory/state-directory.js';
import type { CheckpointedStateOptions, StateEvent } from '../model/state-options.js';
import { StateThread } from '../thread/state-thread.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const ENTRIES_AN_EVENT = 20;
const EVENTS = 300;
/** Some ten slices of the state below, each with a rest in which the thread hears what it is told. */
const SLOW_BYTES_PER_SECOND = 500_000;
/** Many seconds: what goes at this rate is still under way when it is stopped, however late that is. */
const ENDLESS_BYTES_PER_SECOND = 20_000;

const evolve: Evolve = (event, state) => {
  const { number } = event.data as { number: number };
  for (let at = 0; at < ENTRIES_AN_EVENT; at += 1)
    state.section<number>('entries').set(`${number}/${at}`, number);
};

describe('a snapshot', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;

  const at = (name: string): string => join(directory, name);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'snapshots-'));
    log = await open();
    for (let number = 0; number < EVENTS; number += 1)
      log.append(oneAppend('stream', [sampleEvent(number)]));
    await log.checkpoint();
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(state: Partial<CheckpointedStateOptions> = {}): Promise<WalEventLog> {
    events = [];
    return WalEventLog.open(at('log'), {
      wal: { create: true, frameBytesMax: 256 * 1024, segmentBytes: 1024 * 1024 },
      evolve,
      state: {
        directory: at('state'),
        snapshotDirectory: at('snapshots'),
        onEvent: (event) => events.push(event),
        ...state,
      },
    });
  }

  async function reopen(state: Partial<CheckpointedStateOptions>): Promise<void> {
    await log.close();
    log = await open(state);
  }

  /** A snapshot that is on its way: some of its entries are written. */
  async function begun(signal?: AbortSignal): Promise<{ report: Promise<unknown> }> {
    const { promise: moved, resolve: hasMoved } = Promise.withResolvers<boolean>();
    const report = log.snapshot({ ...(signal && { signal }), onProgress: () => hasMoved(true) });
    report.catch(() => undefined);
    await moved;
    expect(drafts()).toHaveLength(1);
    return { report };
  }

  const drafts = () => readdirSync(at('snapshots')).filter((name) => name.endsWith('.tmp'));

  it('tells how many entries are written, and then read back', async () => {
    const told: SnapshotProgress[] = [];
    const { entries } = await log.snapshot({ onProgress: (progress) => told.push(progress) });
    expect(entries).toBeGreaterThan(ENTRIES_AN_EVENT * EVENTS);
    expect(new Set(told.map(({ total }) => total))).toEqual(new Set([2 * entries]));
    const done = told.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.length).toBeGreaterThan(5);
    expect(done.at(-1)).toBe(2 * entries);
  });

  it('that is cancelled leaves no file, and is no failure', async () => {
    await reopen({ firstVerifyBytesPerSecond: ENDLESS_BYTES_PER_SECOND });
    const cancelling = new AbortController();
    const { report } = await begun(cancelling.signal);
    cancelling.abort();
    await expect(report).rejects.toMatchObject({ code: 'EVENT_CANCELLED' });
    expect([readdirSync(at('snapshots')), log.snapshots()]).toEqual([[], []]);
    expect(events.map(({ kind }) => kind)).not.toContain('snapshot-failed');
    expect(log.stateStatus()?.verification.state).not.toBe('damaged');
    await reopen({});
    expect(await log.snapshot()).toMatchObject({ position: EVENTS });
  });

  it('that two wait for is made for the one who stays', async () => {
    await reopen({ firstVerifyBytesPerSecond: SLOW_BYTES_PER_SECOND });
    const cancelling = new AbortController();
    const scheduled = log.snapshot();
    const { report } = await begun(cancelling.signal);
    cancelling.abort();
    await expect(report).rejects.toMatchObject({ code: 'EVENT_CANCELLED' });
    expect(await scheduled).toMatchObject({ position: EVENTS });
    expect(readdirSync(at('snapshots'))).toEqual([`${EVENTS}.snapshot`]);
  });

  it('ends when the log is closed, and leaves no file', async () => {
    await reopen({ firstVerifyBytesPerSecond: ENDLESS_BYTES_PER_SECOND });
    const { report } = await begun();
    await log.close();
    // Stopped by its own end, or refused because it came to that first.
    await expect(report).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:EVENT_CANCELLED|WAL_FENCED)$/),
    });
    expect(readdirSync(at('snapshots'))).toEqual([]);
  });

  it('that cannot be written says nothing against the state', async () => {
    writeFileSync(at('snapshots'), '');
    await expect(log.snapshot()).rejects.toMatchObject({ code: 'EEXIST' });
    expect(events).toContainEqual({
      kind: 'snapshot-failed',
      reason: expect.stringContaining('EEXIST'),
    });
    expect([log.poisoned, log.stateStatus()?.verification.state]).toEqual([undefined, 'pending']);
    rmSync(at('snapshots'));
    expect(await log.snapshot()).toMatchObject({ position: EVENTS });
  });

  it('that is being written stays where another starts, who removes what ended processes have left', async () => {
    await reopen({ firstVerifyBytesPerSecond: ENDLESS_BYTES_PER_SECOND });
    const { report } = await begun();
    const writing = drafts();
    for (const name of ['snapshot.tmp', 'snapshot-0a1b-2c.tmp'])
      writeFileSync(at(`snapshots/${name}`), 'left');
    const other = await WalEventLog.open(at('log'), {
      wal: { takeover: true, frameBytesMax: 256 * 1024, segmentBytes: 1024 * 1024 },
      evolve,
      state: { directory: at('state'), snapshotDirectory: at('snapshots') },
    });
    expect(drafts()).toEqual(writing);
    const { path } = await other.snapshot();
    await log.close();
    // Stopped by its own end, or refused because it came to that first.
    await expect(report).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:EVENT_CANCELLED|WAL_FENCED)$/),
    });
    expect(readdirSync(at('snapshots')).map((name) => at(`snapshots/${name}`))).toEqual([path]);
    await other.close();
  });

  it('does not wait for a scan, and neither stops the other', async () => {
    mkdirSync(at('snapshots'));
    const thread = new StateThread(currentDatabaseDirectory(at('state')) ?? '');
    const stopping = new AbortController();
    let scanned = false;
    const scan = thread
      .run({ kind: 'scan', bytesPerSecond: ENDLESS_BYTES_PER_SECOND }, [], stopping)
      .finally(() => (scanned = true));
    const snapshot = { kind: 'snapshot', path: at('snapshots/written') } as const;
    writeFileSync(snapshot.path, '');
    const cancelling = new AbortController();
    const cancelled = thread.run({ ...snapshot, bytesPerSecond: ENDLESS_BYTES_PER_SECOND }, [], {
      signal: cancelling.signal,
      onProgress: () => cancelling.abort(),
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'STOPPED' });
    const made = await thread.run({ ...snapshot, bytesPerSecond: Infinity });
    expect(made).toMatchObject({ snapshot: { mark: { position: EVENTS } } });
    expect(scanned).toBe(false);
    stopping.abort();
    expect(await scan).toEqual({ scan: { kind: 'stopped' } });
    await thread.close();
  });
});
