import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyValueStore } from './key-value-store.js';

describe('the small database of docs/guides/build-a-database.md', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'key-value-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('is printed in the guide to the letter', () => {
    const guide = readFileSync('docs/guides/build-a-database.md', 'utf8');
    const printed = [...guide.matchAll(/```ts\n([^]*?)```/g)].map((match) => match[1]).join('\n');
    expect(printed).toBe(readFileSync('test/guides/key-value-store.ts', 'utf8'));
  });

  it('remembers what was changed, in whole commits, across openings', async () => {
    const first = await KeyValueStore.open(directory);
    await first.change([
      { set: 'a', to: '1' },
      { set: 'b', to: '2' },
    ]);
    await first.change([{ delete: 'a' }, { set: 'c', to: '3' }]);
    await first.close();
    const second = await KeyValueStore.open(directory);
    expect(['a', 'b', 'c'].map((key) => second.get(key))).toEqual([undefined, '2', '3']);
    expect(second.replayedAfter).toBe(0);
    await second.close();
  });

  it('replays only what follows the checkpoint', async () => {
    const first = await KeyValueStore.open(directory);
    for (let at = 0; at < 100; at++)
      await first.change([{ set: `key-${at % 10}`, to: String(at) }]);
    await first.checkpoint();
    await first.change([{ set: 'key-3', to: 'later' }]);
    await first.close();
    const second = await KeyValueStore.open(directory);
    expect(second.replayedAfter).toBe(100);
    expect([second.get('key-3'), second.get('key-9')]).toEqual(['later', '99']);
    await second.close();
  });

  it('replays everything when the checkpoint belongs to another log', async () => {
    const first = await KeyValueStore.open(directory);
    await first.change([{ set: 'a', to: '1' }]);
    await first.checkpoint();
    await first.close();
    const path = join(directory, 'CHECKPOINT');
    const foreign = {
      ...(JSON.parse(readFileSync(path, 'utf8')) as object),
      logId: 'another',
      entries: [['a', 'wrong']],
    };
    writeFileSync(path, JSON.stringify(foreign));
    const second = await KeyValueStore.open(directory);
    expect([second.replayedAfter, second.get('a')]).toEqual([0, '1']);
    await second.close();
  });

  it('refuses a log that has lost what the checkpoint knows', async () => {
    const first = await KeyValueStore.open(directory);
    await first.change([{ set: 'a', to: '1' }]);
    await first.checkpoint();
    await first.close();
    const path = join(directory, 'CHECKPOINT');
    const ahead = { ...(JSON.parse(readFileSync(path, 'utf8')) as object), sequence: 7 };
    writeFileSync(path, JSON.stringify(ahead));
    await expect(KeyValueStore.open(directory)).rejects.toMatchObject({ code: 'WAL_BEHIND_STATE' });
  });
});
