import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type StateFacts, StateRecord, readStateFacts } from './state-record.js';

const FACTS: StateFacts = { generation: 1, opening: false, unverifiedStarts: 0 };
/** More turns of the event loop than a write takes. */
const TURNS = 40;

describe('the record of a state', () => {
  let directory: string;

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'state-record-'));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  const written = () => readStateFacts(directory);

  it('keeps what was said at once, wherever an earlier change was on its way', async () => {
    for (let turns = 0; turns < TURNS; turns++) {
      const record = new StateRecord(directory, FACTS);
      const earlier = record.change({ unverifiedStarts: turns });
      for (let turn = 0; turn < turns; turn++) await setImmediate();
      record.changeNow({ rebuild: 'damaged' });
      await earlier;
      expect(fs.readdirSync(directory)).toEqual(['STATE']);
      expect([turns, written()]).toEqual([
        turns,
        { ...FACTS, unverifiedStarts: turns, rebuild: 'damaged' },
      ]);
    }
  });

  it('keeps a text that is told as durable with what came while it was written', async () => {
    const record = new StateRecord(directory, FACTS);
    const both = [record.change({ unverifiedStarts: 1 }), record.change({ opening: true })];
    await Promise.all(both);
    expect(written()).toEqual({ ...FACTS, unverifiedStarts: 1, opening: true });
  });

  it('writes nothing once it is closed, and what was on its way before that', async () => {
    const record = new StateRecord(directory, FACTS);
    const begun = record.change({ unverifiedStarts: 1 });
    await record.close();
    expect(written()).toMatchObject({ unverifiedStarts: 1 });
    await begun;
    const closed: unknown = expect.objectContaining({ code: 'EVENT_LOG_CLOSED' });
    await expect(record.change({ unverifiedStarts: 2 })).rejects.toEqual(closed);
    expect(() => record.changeNow({ rebuild: 'damaged' })).toThrow(closed);
    expect(written()).toMatchObject({ unverifiedStarts: 1 });
    expect(fs.readdirSync(directory)).toEqual(['STATE']);
  });

  it('of a process that was stopped and taken over from does not replace that of its successor', async () => {
    const stopped = new StateRecord(directory, FACTS);
    await stopped.change({});
    await new StateRecord(directory, FACTS).change({ generation: 2 });
    await expect(stopped.change({ unverifiedStarts: 1 })).rejects.toThrow('took the log over');
    expect(() => stopped.changeNow({ rebuild: 'damaged' })).toThrow('took the log over');
    expect(written()).toEqual({ ...FACTS, generation: 2 });
    expect(fs.readdirSync(directory)).toEqual(['STATE']);
  });

  it('leaves nothing of a text whose naming fails', async () => {
    const record = new StateRecord(directory, FACTS);
    fs.mkdirSync(join(directory, 'STATE'));
    await expect(record.change({ opening: true })).rejects.toMatchObject({ code: 'EISDIR' });
    expect(() => record.changeNow({ rebuild: 'damaged' })).toThrow('EISDIR');
    expect(fs.readdirSync(directory)).toEqual(['STATE']);
  });
});
