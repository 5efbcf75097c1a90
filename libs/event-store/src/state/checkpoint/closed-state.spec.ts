import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorCode } from '@holdfast/kernel';
import type { Evolve } from '../../fold/folded-state.js';
import { readStateFacts } from '../directory/state-record.js';
import type { StateEvent } from '../model/state-options.js';
import { collected, oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const CLOSED: unknown = expect.objectContaining({ code: 'EVENT_LOG_CLOSED' });

const evolve: Evolve = ({ data }, state) => {
  const { number } = data as { number: number };
  state.section<number>('numbers').set(`${number}`, number);
};

type Use = readonly [name: string, use: (log: WalEventLog) => unknown];

const READS: readonly Use[] = [
  ['streamVersion', (log) => log.streamVersion('stream')],
  ['positionOf', (log) => log.positionOf('stream', 1 as never)],
  ['eventAt', (log) => log.eventAt(1 as never)],
  ['readStream', (log) => collected(log.readStream('stream'))],
  ['readTag', (log) => collected(log.readTag('tag'))],
  ['lastTagged', (log) => log.lastTagged('tag')],
  ['readAll', (log) => collected(log.readAll())],
  ['a key of the state', (log) => log.state.section<number>('numbers').get('1')],
  ['an absent key of the state', (log) => log.state.section<number>('numbers').get('none')],
];
const WRITES: readonly Use[] = [
  ['append', (log) => log.append(oneAppend('stream', [sampleEvent(2)]))],
  ['checkpoint', (log) => log.checkpoint()],
  ['snapshot', (log) => log.snapshot()],
  ['wholeSnapshots', (log) => log.wholeSnapshots({ signal: new AbortController().signal })],
];

describe('a log with checkpointed state that is closed', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'closed-state-'));
    log = await open();
    await log.appendDurably(oneAppend('stream', [sampleEvent(1)]));
    // What is read from here on is read from the database.
    await log.close();
    log = await open();
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  async function open(): Promise<WalEventLog> {
    events = [];
    return WalEventLog.open(join(directory, 'log'), {
      wal: { create: true, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 },
      evolve,
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        onEvent: (event) => events.push(event),
      },
    });
  }

  const record = () => readFileSync(join(directory, 'state', 'STATE'), 'utf8');
  const told = () => events.map(({ kind }) => kind);

  async function outcomeOf(use: Use[1], of: WalEventLog): Promise<unknown> {
    try {
      return await use(of);
    } catch (error) {
      return error;
    }
  }

  it('says so to whoever reads or writes, and writes nothing', async () => {
    await log.close();
    const before = record();
    events = [];
    for (const [name, use] of [...READS, ...WRITES])
      expect([name, await outcomeOf(use, log)]).toEqual([name, CLOSED]);
    expect([told(), record()]).toEqual([[], before]);
    expect(readStateFacts(join(directory, 'state'))).not.toHaveProperty('rebuild');
  });

  it.each(READS)('answers %s while it closes, or says that it is closed', async (_, use) => {
    const closed = new AbortController();
    const closing = log.close().then(() => closed.abort());
    while (!closed.signal.aborted) {
      const outcome = await outcomeOf(use, log);
      if (errorCode(outcome) !== undefined) expect(outcome).toEqual(CLOSED);
      await setImmediate();
    }
    await closing;
    expect(told()).not.toContain('damaged');
  });

  it('leaves the state to its successor, whatever is asked of it', async () => {
    const first = log;
    await first.close();
    log = await open();
    const before = record();
    for (const [, use] of [...READS, ...WRITES]) await outcomeOf(use, first);
    expect(record()).toBe(before);
    expect([told(), log.poisoned]).toEqual([[], undefined]);
    expect(log.state.section<number>('numbers').get('1')).toBe(1);
  });
});
