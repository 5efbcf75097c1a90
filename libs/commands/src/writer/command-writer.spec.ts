import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RecordedEvent } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AdmittedLog,
  type CommandModel,
  type Verdict,
  malformed,
} from '../model/command-model.js';
import type { Attempt } from '../model/command-outcome.js';
import { type CommandWriter, openCommandWriter } from './command-writer.js';

/** Adds to counters: the smallest model that has every verdict. */
interface Add {
  readonly type: 'Add';
  readonly to: readonly string[];
  readonly by: number;
}

const MOST = 100;

const counters: CommandModel<Add, object> = {
  stateVersion: 'counters-1',
  schemas: [{ type: 'Added', schemaVersion: 1 }],
  evolve({ type, data }, state) {
    if (type !== 'Added') return;
    const { counter, by } = data as { counter: string; by: number };
    const section = state.section<number>('counters');
    section.set(counter, (section.get(counter) ?? 0) + by);
  },
  viewOf: (log) => log,
  malformationOf: (command) =>
    Number.isInteger((command as Add).by) ? undefined : malformed('by', 'must be a whole number'),
  decide({ to, by }, _, { state }): Verdict {
    const values = to.map((counter) => state.section<number>('counters').get(counter) ?? 0);
    const [value = 0] = values;
    if (by === 0) {
      const facts = [{ type: 'CommandUnchanged', data: { value } }];
      return { kind: 'unchanged', append: { stream: 'unchanged', facts } };
    }
    if (Math.max(...values) + by > MOST)
      return { kind: 'refused', rejection: { problem: 'too-much', parameters: { value } } };
    return {
      kind: 'accepted',
      appends: to.map((counter) => ({
        stream: `counter/${counter}`,
        facts: [{ type: 'Added', data: { counter, by } }],
        tags: ['added'],
      })),
    };
  },
  answerOf: ({ type, schemaVersion, data }) => ({ type, schemaVersion, ...data }),
};

let directory: string;
let writer: CommandWriter<Add, object, AdmittedLog>;

const wal = { create: true, segmentBytes: 128 * 1024, frameBytesMax: 64 * 1024 };
const open = (model = counters) => openCommandWriter(directory, model, { wal });
const add = (by: number, ...to: string[]): Add => ({ type: 'Add', to, by });
const attempt = (key: string, bodyHash = 'hash'): Attempt => ({
  actor: 'tester',
  idempotency: { key, bodyHash },
});
async function recorded(): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of writer.log.readAll()) events.push(...batch.events);
  return events;
}

beforeEach(async () => {
  directory = join(mkdtempSync(join(tmpdir(), 'commands-')), 'log');
  writer = await open();
});
afterEach(async () => {
  await writer.close();
  rmSync(dirname(directory), { recursive: true });
});

describe('a writer of commands', () => {
  it('appends all facts of a command in one commit, with its key on the first', async () => {
    const made = await writer.execute(add(2, 'a', 'b', 'c'), attempt('k'));
    expect(made).toEqual({
      ...{ kind: 'answered', outcome: 'accepted', position: 1, replayed: false },
      answer: { type: 'Added', schemaVersion: 1, counter: 'a', by: 2 },
    });
    const events = await recorded();
    expect(
      events.map(({ stream, tags, metadata, endsCommit }) => ({
        ...{ stream, tags, metadata, endsCommit },
      })),
    ).toEqual([
      {
        ...{ stream: 'counter/a', tags: ['added', 'key:/tester/k'], endsCommit: false },
        metadata: { actor: 'tester', key: 'k', bodyHash: 'hash' },
      },
      {
        ...{ stream: 'counter/b', tags: ['added'], endsCommit: false },
        metadata: { actor: 'tester' },
      },
      {
        ...{ stream: 'counter/c', tags: ['added'], endsCommit: true },
        metadata: { actor: 'tester' },
      },
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(await writer.execute(add(2, 'a', 'b', 'c'), attempt('k'))).toEqual({
      ...made,
      replayed: true,
    });
    expect(writer.log.lastPosition).toBe(3);
  });

  it('records a refusal under its key, and answers with it for ever', async () => {
    await writer.execute(add(60, 'a'), attempt('first'));
    const refused = await writer.execute(add(60, 'a'), attempt('k'));
    expect(refused).toMatchObject({
      outcome: 'rejected',
      answer: { type: 'CommandRejected', problem: 'too-much', parameters: { value: 60 } },
    });
    expect((await recorded()).at(-1)).toMatchObject({ stream: 'rejections' });
    await writer.execute(add(-60, 'a'), attempt('back'));
    expect(await writer.execute(add(60, 'a'), attempt('k'))).toEqual({
      ...refused,
      replayed: true,
    });
    expect(await writer.find({ scope: '', actor: 'tester', key: 'k' })).toMatchObject({
      kind: 'found',
      outcome: 'rejected',
    });
  });

  it('uses up the key of a command that has nothing to do', async () => {
    expect(await writer.execute(add(0, 'a'), attempt('k'))).toMatchObject({
      ...{ outcome: 'accepted', position: 1, answer: { type: 'CommandUnchanged', value: 0 } },
    });
    expect(await writer.execute(add(1, 'a'), attempt('k', 'other'))).toEqual({
      kind: 'refused',
      rejection: { problem: 'idempotency-key-reused', parameters: { key: 'k' } },
    });
  });

  it('asks for a key, unless a command is idempotent by its name', async () => {
    const actor = 'tester';
    const missing = { kind: 'malformed', field: 'idempotencyKey', problem: 'must be given' };
    expect(await writer.execute(add(1, 'a'), { actor })).toEqual(missing);
    await writer.close();
    writer = await open({ ...counters, keyless: ['Add'] });
    await writer.execute(add(1, 'a'), { actor });
    const events = await recorded();
    expect(events[0]?.metadata).toEqual({ actor });
    const found = await writer.execute(add(0, 'a'), { actor });
    expect(found).toMatchObject({ kind: 'answered', position: 1, answer: { value: 1 } });
    expect(writer.log.lastPosition).toBe(1);
  });

  it('keeps keys of different scopes and actors apart, and the scopes without "/"', async () => {
    await writer.close();
    writer = await open({ ...counters, scopeOf: ({ to: [scope = ''] }) => scope });
    for (const [counter, actor] of [
      ['a', 'x'],
      ['b', 'x'],
      ['b', 'y'],
    ] as const)
      await writer.execute(add(1, counter), { ...attempt('k'), actor });
    expect((await recorded()).flatMap(({ tags }) => tags.slice(1))).toEqual([
      'key:a/x/k',
      'key:b/x/k',
      'key:b/y/k',
    ]);
    await expect(writer.execute(add(1, 'a/b'), attempt('k'))).rejects.toThrow('scope of a key');
  });

  it('answers a repeated command from the event as it was recorded, whatever upcasters make of it', async () => {
    const made = await writer.execute(add(1, 'a'), attempt('k'));
    await writer.close();
    const upcast = () => ({ counter: 'a', by: 7, unit: 'piece' });
    const schemas = [{ type: 'Added', schemaVersion: 2, steps: { 1: upcast } }];
    writer = await open({ ...counters, stateVersion: 'counters-2', schemas });
    expect(await writer.execute(add(1, 'a'), attempt('k'))).toEqual({ ...made, replayed: true });
    expect(await writer.find({ scope: '', actor: 'tester', key: 'k' })).toMatchObject({
      answer: { schemaVersion: 1, by: 1 },
    });
    expect(writer.view.state.section<number>('counters').get('a')).toBe(7);
  });

  it('answers anything that is no command', async () => {
    const model = { ...counters, malformationOf: () => malformed('type', 'must be a command') };
    await writer.close();
    writer = await open(model);
    for (const command of [null, undefined, 7, [], {}])
      expect(await writer.execute(command as never, attempt('k'))).toMatchObject({
        kind: 'malformed',
      });
  });

  it('answers a dry run from its first event, behind an append that only guards a stream', async () => {
    const guard = { stream: 'guarded', expectedVersion: 'no-stream' as const, facts: [] };
    await writer.close();
    writer = await open({
      ...counters,
      decide(...given) {
        const verdict = counters.decide(...given);
        return verdict.kind === 'accepted'
          ? { ...verdict, appends: [guard, ...verdict.appends] }
          : verdict;
      },
    });
    const answer = { type: 'Added', counter: 'a', by: 1 };
    const dryRun = { ...attempt('k'), dryRun: true };
    expect(await writer.execute(add(1, 'a'), dryRun)).toMatchObject({ answer });
    expect(await writer.execute(add(1, 'a'), attempt('k'))).toMatchObject({ answer });
  });

  it('lets go of the log when the model has no view of it', async () => {
    await writer.close();
    const viewOf = () => {
      throw new Error('no view');
    };
    await expect(open({ ...counters, viewOf })).rejects.toThrow('no view');
    writer = await open();
  });

  it('says of a dry run what it would say in earnest, and leaves no trace', async () => {
    const dryRun = { ...attempt('k'), dryRun: true };
    expect(await writer.execute(add(1, 'a'), dryRun)).toEqual({
      kind: 'rehearsed',
      answer: { type: 'Added', schemaVersion: 1, counter: 'a', by: 1 },
    });
    expect(await writer.execute(add(101, 'a'), dryRun)).toMatchObject({
      ...{ kind: 'refused', rejection: { problem: 'too-much' } },
    });
    expect(await writer.execute(add(0, 'a'), dryRun)).toMatchObject({ kind: 'rehearsed' });
    expect(writer.log.lastPosition).toBe(0);
  });
});
