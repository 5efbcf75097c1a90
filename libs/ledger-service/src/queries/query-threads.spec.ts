import { afterEach, describe, expect, it } from '@jest/globals';
import type { QueryCall } from './ledger-queries.js';
import { QUERIES_WAITING_MAX } from './query-queue.js';
import { QUERY_THREADS_MAX, QueryThreads } from './query-threads.js';

/**
 * A thread that answers with what it was asked, and with its own number. `hold` is answered once `release` was asked of any thread, be that before
 * it or after it: which of two threads has loaded first is up to the machine.
 */
const SCRIPT = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, threadId, workerData } from 'node:worker_threads';
    const released = new Int32Array(workerData.released);
    const answer = (body) => parentPort.postMessage({
      kind: 'asked',
      asked: { finding: { kind: 'found', body }, cursor: undefined },
    });
    parentPort.on('message', ({ kind, call }) => {
      if (kind === 'stop') { parentPort.close(); return; }
      const [what] = call.arguments;
      if (what === 'hold') Atomics.wait(released, 0, 0);
      if (what === 'release') { Atomics.store(released, 0, 1); Atomics.notify(released, 0); }
      if (what === 'die') process.exit(1);
      if (what === 'fail')
        parentPort.postMessage({ kind: 'failed', code: 'READ_MODEL_DAMAGED', message: 'bad', details: { path: 'p' } });
      else answer([threadId, what]);
    });
  `)}`,
);

describe('threads of queries', () => {
  let threads: QueryThreads;
  let released: SharedArrayBuffer;
  const release = () => {
    Atomics.store(new Int32Array(released), 0, 1);
    Atomics.notify(new Int32Array(released), 0);
  };
  const start = (script = SCRIPT) => {
    released = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const data = { readModelDirectory: '/nowhere', released };
    threads = new QueryThreads(data, script);
    return threads;
  };
  afterEach(() => threads.close());

  const staying = new AbortController().signal;
  const ask = async (what: string, signal = staying) => {
    const call: QueryCall = { name: 'getLedger', arguments: [what] };
    const { finding } = await threads.ask(call, signal);
    return (finding as unknown as { body: [number, string] }).body;
  };

  /** Both threads run: what one of them tells another is heard. */
  const startBoth = async () => {
    start();
    await Promise.all([ask('one'), ask('two')]);
  };

  it('answer each query with its own answer, however many come at a time', async () => {
    start();
    const names = Array.from({ length: 50 }, (_, index) => `query ${index}`);
    const answers = await Promise.all(names.map((name) => ask(name)));
    expect(answers.map(([, name]) => name)).toEqual(names);
    const used = new Set(answers.map(([thread]) => thread));
    expect(used.size).toBeLessThanOrEqual(QUERY_THREADS_MAX);
  });

  it('answer beside a query that takes long, and one after the other', async () => {
    await startBoth();
    const held = ask('hold');
    const [beside] = await ask('short');
    expect(await ask('another')).toEqual([beside, 'another']);
    await ask('release');
    expect((await held)[0]).not.toBe(beside);
  });

  it('take no more than so many that wait, and forget those whose clients have gone', async () => {
    await startBoth();
    const leaving = new AbortController();
    const held = ask('hold');
    const busy = ask('release');
    const waiting = Array.from({ length: QUERIES_WAITING_MAX }, () =>
      ask('late', leaving.signal).catch((error: unknown) => error),
    );
    await expect(ask('one more')).rejects.toMatchObject({ code: 'QUERIES_FULL' });
    leaving.abort(new Error('gone'));
    await Promise.all([held, busy]);
    for (const each of await Promise.all(waiting))
      expect(each).toEqual(expect.objectContaining({ message: 'gone' }));
  });

  it('let go of what waits when its signal fires, while every thread hangs', async () => {
    await startBoth();
    const held = [ask('hold'), ask('hold')];
    const leaving = new AbortController();
    const look = threads.ask({ name: 'look', arguments: ['look'] }, leaving.signal);
    const query = ask('late', leaving.signal);
    leaving.abort(new Error('gone'));
    for (const gone of [look, query, ask('too late', leaving.signal)])
      await expect(gone).rejects.toThrow('gone');
    release();
    await Promise.all(held);
    expect((await ask('next'))[1]).toBe('next');
  });

  it('look at the read model before queries that wait, also when no more may wait', async () => {
    await startBoth();
    const busy = [ask('hold'), ask('first')];
    const order: string[] = [];
    const waiting = Array.from({ length: QUERIES_WAITING_MAX }, (_, index) =>
      ask(index === 0 ? 'release' : 'late').then(() => order.push('query')),
    );
    const look = threads.ask({ name: 'look', arguments: ['look'] }, staying);
    await Promise.all([...busy, ...waiting, look.then(() => order.push('look'))]);
    expect(order[0]).toBe('look');
  });

  it('tell why a query failed, under its code', async () => {
    start();
    await expect(ask('fail')).rejects.toMatchObject({
      ...{ code: 'READ_MODEL_DAMAGED', message: 'bad', details: { path: 'p' } },
    });
    expect((await ask('next'))[1]).toBe('next');
  });

  it('are begun again when one has ended, which fails its own query only', async () => {
    start();
    const [died, next] = await Promise.allSettled([ask('die'), ask('next')]);
    expect(died).toMatchObject({ reason: { code: 'QUERY_THREAD_ENDED' } });
    expect(next).toMatchObject({ status: 'fulfilled' });
    expect((await ask('later'))[1]).toBe('later');
  });

  it('that cannot start fail every query once, and are not started over and over', async () => {
    start(new URL('data:text/javascript,throw new Error("no program")'));
    for (const attempt of ['one', 'two'])
      await expect(ask(attempt)).rejects.toMatchObject({ code: 'QUERY_THREAD_ENDED' });
  });

  it('refuse what waits, and end, when the service does', async () => {
    start();
    const asked = Array.from({ length: 10 }, () => ask('short').catch((error: unknown) => error));
    await threads.close();
    const answers = await Promise.all(asked);
    expect(answers.slice(QUERY_THREADS_MAX)).toEqual(
      Array(10 - QUERY_THREADS_MAX).fill(expect.objectContaining({ code: 'QUERY_THREAD_ENDED' })),
    );
    await expect(ask('late')).rejects.toMatchObject({ code: 'QUERY_THREAD_ENDED' });
  });
});
