import { afterEach, describe, expect, it } from '@jest/globals';
import type { Position } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';
import type { Asked, QueryAsker } from './ledger-queries.js';
import { ReadModelSight } from './read-model-sight.js';

const cursorAt = (position: number) => ({
  logId: 'log',
  timeline: '1',
  position: position as Position,
});

/** Answers each look when it is told to. */
class HeldAsker implements QueryAsker {
  readonly asked: { readonly at: (position: number) => void; readonly fail: () => void }[] = [];

  ask(): Promise<Asked> {
    return new Promise((resolve, reject) => {
      const finding: Asked['finding'] = {
        kind: 'found',
        body: new Uint8Array(),
        version: undefined,
      };
      this.asked.push({
        at: (position) => resolve({ finding, cursor: cursorAt(position) }),
        fail: () => reject(new CodedError('READ_MODEL_NOT_READY', 'not yet')),
      });
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async nth(number: number) {
    while (this.asked.length < number) await new Promise(setImmediate);
    return this.asked[number - 1]!;
  }
}

describe('the sight of a read model', () => {
  const staying = new AbortController().signal;
  let asker: HeldAsker;
  let sight: ReadModelSight;
  const start = (lookMillisMax?: number) => {
    asker = new HeldAsker();
    sight = new ReadModelSight(asker, lookMillisMax);
  };
  afterEach(() => sight.close());

  it('looks once at a time, and once more for all who asked meanwhile', async () => {
    start();
    const first = sight.cursor();
    const others = Array.from({ length: 10 }, () => sight.cursor());
    expect(asker.asked).toHaveLength(1);
    (await asker.nth(1)).at(1);
    (await asker.nth(2)).at(2);
    expect(await first).toEqual(cursorAt(1));
    for (const cursor of await Promise.all(others)) expect(cursor).toEqual(cursorAt(2));
    expect(asker.asked).toHaveLength(2);
  });

  it('tells why the read model cannot be read, and is at 0 meanwhile', async () => {
    start();
    const cursor = sight.cursor();
    const position = sight.position();
    (await asker.nth(1)).fail();
    (await asker.nth(2)).fail();
    await expect(cursor).rejects.toMatchObject({ code: 'READ_MODEL_NOT_READY' });
    expect(await position).toBe(0);
  });

  it('waits until a look shows the position, also over looks that fail', async () => {
    start();
    const waits = [3, 2].map((position) =>
      sight.waitForPosition(position as Position, 60_000, staying),
    );
    (await asker.nth(1)).at(1);
    (await asker.nth(2)).fail();
    (await asker.nth(3)).at(2);
    expect(await waits[1]).toBe(true);
    (await asker.nth(4)).at(3);
    expect(await waits[0]).toBe(true);
  });

  it('takes no look for who does not wait, and none for what it has seen', async () => {
    start();
    const reached = sight.waitForPosition(5 as Position, 60_000, staying);
    (await asker.nth(1)).at(5);
    expect(await reached).toBe(true);
    expect(await sight.waitForPosition(4 as Position, 60_000, staying)).toBe(true);
    expect(await sight.waitForPosition(6 as Position, 0, staying)).toBe(false);
    expect(asker.asked).toHaveLength(1);
  });

  it('gives up a look that takes too long, keeps what it knew, and looks again', async () => {
    start(20);
    const known = sight.cursor();
    (await asker.nth(1)).at(3);
    await known;
    const late = [sight.cursor(), sight.cursor()];
    const slow = { code: 'QUERIES_SLOW', details: { position: 3 } };
    for (const cursor of late) await expect(cursor).rejects.toMatchObject(slow);
    expect(asker.asked).toHaveLength(3);
    expect(await sight.position()).toBeUndefined();
    expect(await sight.waitForPosition(3 as Position, 0, staying)).toBe(true);
    const again = sight.cursor();
    (await asker.nth(2)).at(1);
    (await asker.nth(5)).at(4);
    expect(await again).toEqual(cursorAt(4));
    expect(await sight.position()).toBeUndefined();
    expect(await sight.waitForPosition(4 as Position, 0, staying)).toBe(true);
  });

  it('waits no longer than it was told to for a look that hangs', async () => {
    start(500);
    expect(await sight.waitForPosition(1 as Position, 5, staying)).toBe(false);
    expect(asker.asked).toHaveLength(1);
  });

  it('rejects, and does not throw, when nobody answers any more', async () => {
    sight = new ReadModelSight({
      ask: () => {
        throw new CodedError('QUERY_THREAD_ENDED', 'the service is stopping');
      },
      close: () => Promise.resolve(),
    });
    const cursor = sight.cursor();
    await expect(cursor).rejects.toMatchObject({ code: 'QUERY_THREAD_ENDED' });
    expect(await sight.position()).toBe(0);
  });

  it('ends waits when the signal fires, and at the close', async () => {
    start();
    const leaving = new AbortController();
    const [left, closed] = [leaving.signal, staying].map((signal) =>
      sight.waitForPosition(9 as Position, 60_000, signal),
    );
    (await asker.nth(1)).at(1);
    (await asker.nth(2)).at(1);
    leaving.abort();
    expect(await left).toBe(false);
    sight.close();
    expect(await closed).toBe(false);
  });
});
