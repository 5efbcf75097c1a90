import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { leaveThread } from '@holdfast/kernel';
import { expect, it } from '@jest/globals';
import { StateThread } from './state-thread.js';

it('keeps the process until it has ended, also where an answer comes meanwhile', async () => {
  const counted = { keepsProcess: true };
  const worker = Object.assign(new EventEmitter(), {
    ref: () => (counted.keepsProcess = true),
    unref: () => (counted.keepsProcess = false),
    postMessage: ({ job }: { job?: { kind: string } }) => {
      if (job?.kind === 'close')
        setImmediate(() => worker.emit('message', { id: 2, answer: { closed: true } }));
    },
    terminate: () => {
      worker.emit('message', { id: 1, answer: { scan: { kind: 'empty' } } });
      atTheEnd = { ...counted };
      worker.emit('exit');
    },
  });
  let atTheEnd: typeof counted | undefined;
  const script = new URL('./state.worker.ts', import.meta.url);
  await leaveThread(script, worker as unknown as Worker);
  const thread = new StateThread('/never/there');
  const scan = thread.run({ kind: 'scan', bytesPerSecond: Infinity });
  await thread.close();
  expect(await scan).toEqual({ scan: { kind: 'empty' } });
  expect(atTheEnd).toEqual({ keepsProcess: true });
});
