import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { leaveThread, takeThread } from './spare-threads.js';

const SCRIPT = new URL(
  'data:text/javascript,import{parentPort,threadId}from"node:worker_threads";' +
    'parentPort.on("message",(word)=>{if(word==="die")process.exit();parentPort.postMessage(threadId)})',
);

const started = new Set<Worker>();
afterEach(async () => {
  for (const thread of started) await thread.terminate();
  started.clear();
});

function taken(): Worker {
  const thread = takeThread(SCRIPT);
  started.add(thread);
  return thread;
}

async function answerOf(thread: Worker): Promise<unknown> {
  const answer = once(thread, 'message');
  thread.postMessage('who');
  return (await answer)[0];
}

describe('a thread that was left', () => {
  it('is the next of its script, and tells nothing to whom it was before', async () => {
    const before: unknown[] = [];
    const first = taken();
    first.on('message', (word) => before.push(word));
    const name = await answerOf(first);
    await leaveThread(SCRIPT, first);
    const second = taken();
    expect(await answerOf(second)).toBe(name);
    expect(before).toEqual([name]);
  });

  it('is no longer there for a second taker', async () => {
    const first = taken();
    await leaveThread(SCRIPT, first);
    expect([taken() === first, taken() === first]).toEqual([true, false]);
  });

  it('ends at once where another waits already', async () => {
    const [first, second] = [taken(), taken()];
    await leaveThread(SCRIPT, first);
    const ended = once(second, 'exit');
    await leaveThread(SCRIPT, second);
    await ended;
    expect(taken()).toBe(first);
  });

  it('is given to nobody once it has ended', async () => {
    const first = taken();
    await leaveThread(SCRIPT, first);
    const ended = once(first, 'exit');
    first.postMessage('die');
    await ended;
    expect(taken()).not.toBe(first);
  });

  it('ends when nobody wants it for a second', async () => {
    const first = taken();
    await leaveThread(SCRIPT, first);
    await once(first, 'exit');
    expect(taken()).not.toBe(first);
  });
});
