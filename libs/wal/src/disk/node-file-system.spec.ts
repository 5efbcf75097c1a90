import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { leaveThread } from '@holdfast/kernel';
import { afterAll, expect, it } from '@jest/globals';
import { NodeFileSystem } from './node-file-system.js';

const directory = mkdtempSync(join(tmpdir(), 'node-file-system-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Stands for the next thread that is taken, and does what it is told here. */
class ThreadUnderTest extends EventEmitter {
  keepsProcess = true;
  readonly ref = (): void => void (this.keepsProcess = true);
  readonly unref = (): void => void (this.keepsProcess = false);
  readonly postMessage = (): void => undefined;
  readonly terminate = (): Promise<void> => Promise.resolve();

  async isNext(): Promise<this> {
    const script = new URL('./node-file-system.worker.ts', import.meta.url);
    await leaveThread(script, this as unknown as Worker);
    return this;
  }
}

it('keeps the process until its thread has ended, also where an answer comes meanwhile', async () => {
  const thread = await new ThreadUnderTest().isNext();
  const disk = new NodeFileSystem();
  const zeroed = disk.createZeroed('/never/there', 1);
  const closed = disk.close();
  thread.emit('message', { id: 1 });
  expect(thread.keepsProcess).toBe(true);
  await Promise.all([zeroed, closed]);
});

it('fails nothing of the next thread when the one before it, which has failed, ends', async () => {
  const [first, second] = [new ThreadUnderTest(), new ThreadUnderTest()];
  await first.isNext();
  const disk = new NodeFileSystem();
  const failed = disk.createZeroed('/never/there', 1);
  await second.isNext();
  first.emit('error', new Error('out of memory'));
  await expect(failed).rejects.toThrow('out of memory');
  const zeroed = expect(disk.createZeroed('/never/there', 1)).resolves.toBeUndefined();
  first.emit('exit');
  second.emit('message', { id: 2 });
  await zeroed;
  // Nobody takes it after this.
  second.emit('exit');
  await disk.close();
});

it('closed twice takes no thread from whoever has it since', async () => {
  const [first, second] = [new NodeFileSystem(), new NodeFileSystem()];
  const path = (name: string): string => join(directory, name);
  await first.createZeroed(path('first'), 1_000);
  await first.close();
  await second.createZeroed(path('second'), 1_000);
  const underWay = second.createZeroed(path('third'), 20_000_000);
  await first.close();
  await underWay;
  await second.createZeroed(path('fourth'), 1_000);
  expect(['third', 'fourth'].map((name) => statSync(path(name)).size)).toEqual([20_000_000, 1_000]);
  await second.close();
});
