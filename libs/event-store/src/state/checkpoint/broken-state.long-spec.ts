import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Evolve } from '../../fold/folded-state.js';
import type { CheckpointedStateOptions, StateEvent } from '../model/state-options.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const BROKEN: unknown = expect.objectContaining({ code: 'EVENT_STATE_BROKEN' });
/** What each number adds to the total of the state, and where a program may fail. */
const COMMIT = [10, 20, 30];

const sum: Evolve = ({ data }, state) => {
  const totals = state.section<number>('totals');
  totals.set('total', (totals.get('total') ?? 0) + (data as { number: number }).number);
};

const failingAt =
  (number: number): Evolve =>
  (event, state) => {
    // As far as a fold may come: it has changed something of the event that it fails at.
    sum(event, state);
    if ((event.data as { number: number }).number === number) throw new Error('cannot fold');
  };

describe('a state that a program failed to fold an event into', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'broken-state-'));
    log = await open(sum);
    await log.appendDurably(oneAppend('stream', [sampleEvent(1)]));
    await log.checkpoint();
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  async function open(
    evolve: Evolve,
    state: Partial<CheckpointedStateOptions> = {},
  ): Promise<WalEventLog> {
    events = [];
    return WalEventLog.open(join(directory, 'log'), {
      wal: { create: true, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 },
      evolve,
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        onEvent: (event) => events.push(event),
        ...state,
      },
    });
  }

  /** Opened by a program that fails at 20, with a commit whose second event it could not fold. */
  async function breakOff(state: Partial<CheckpointedStateOptions> = {}): Promise<void> {
    await log.close();
    log = await open(failingAt(20), state);
    const commit = oneAppend(
      'stream',
      COMMIT.map((number) => sampleEvent(number)),
    );
    expect(() => log.append(commit)).toThrow(BROKEN);
    await log.wal.flush();
  }

  /** A program that folds everything carries on at the event that the first one could not. */
  async function expectWhole(): Promise<void> {
    await log.close();
    log = await open(sum);
    expect(log.replayReport).toMatchObject({ after: 1, events: COMMIT.length });
    expect(log.state.section<number>('totals').get('total')).toBe(61);
    expect(log.streamVersion('stream')).toBe(4);
  }

  it.each<[string, () => Promise<unknown>]>([
    ['a checkpoint', () => log.checkpoint()],
    ['a snapshot', () => log.snapshot()],
  ])('is not written by %s, which is refused', async (_, write) => {
    await breakOff();
    await expect(write()).rejects.toEqual(BROKEN);
    expect(log.stateStatus()).toMatchObject({ checkpoint: { position: 1 } });
    await expectWhole();
    expect(readdirSync(directory)).not.toContain('snapshots');
  });

  it('is not written by closing the log', async () => {
    await breakOff();
    await expectWhole();
  });

  it('is not written by the timer, nor by what waits for memory', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    await breakOff({ checkpointMillis: 0, checkpointEntries: 1, checkpointBytes: 1 });
    const ticks = timers.mock.calls.filter(([, millis]) => millis === 1_000);
    timers.mockRestore();
    expect(ticks).toHaveLength(1);
    for (const [tick] of ticks) tick();
    await expectWhole();
    expect(events.filter(({ kind }) => kind === 'checkpointed')).toEqual([]);
  });

  it('lets a checkpoint end that was begun before, of whole commits', async () => {
    await log.close();
    log = await open(failingAt(20));
    await log.appendDurably(oneAppend('stream', [sampleEvent(5)]));
    const begun = log.checkpoint();
    expect(() => log.append(oneAppend('stream', [sampleEvent(20)]))).toThrow(BROKEN);
    expect(await begun).toMatchObject({ position: 2 });
    await log.close();
    log = await open(sum);
    expect(log.replayReport).toMatchObject({ after: 2, events: 1 });
    expect(log.state.section<number>('totals').get('total')).toBe(26);
  });
});
