import { describe, expect, it } from '@jest/globals';
import type { RebuildProgress } from '../runner/rebuild-projection.js';
import { rebuildInThread } from './rebuild-in-thread.js';

/** A thread that does this. */
const thread = (
  body: string,
  {
    signal = new AbortController().signal,
    onProgress = () => undefined,
  }: { signal?: AbortSignal; onProgress?: (progress: RebuildProgress) => void } = {},
) =>
  rebuildInThread(
    new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads';
        const tell = (message) => parentPort.postMessage(message);
        ${body}
      `)}`,
    ),
    {},
    { signal, onProgress, onReport: () => undefined },
  );

describe("a rebuild's thread", () => {
  it('tells its progress, and whether it took over', async () => {
    const told: number[] = [];
    const tookOver = await thread(
      `tell({ kind: 'progress', progress: { position: 7 } }); tell({ kind: 'ended', tookOver: true });`,
      { onProgress: ({ position }) => told.push(position) },
    );
    expect([told, tookOver]).toEqual([[7], true]);
  });

  it('fails with what it says', async () => {
    const failed = `tell({ kind: 'failed', code: 'PROJECTION_FAILED', message: 'bad', details: { type: 't' } });`;
    await expect(thread(failed)).rejects.toMatchObject({
      ...{ code: 'PROJECTION_FAILED', message: 'bad', details: { type: 't' } },
    });
  });

  it.each([
    ['ends without a word', 'parentPort.close();', 'PROJECTION_THREAD_ENDED'],
    ['cannot be loaded', `await import('./nowhere.js');`, 'ERR_UNSUPPORTED_RESOLVE_REQUEST'],
  ])('fails when it %s', async (_, body, code) => {
    await expect(thread(body)).rejects.toMatchObject({ code });
  });

  it('stops when it is told to, and has not taken over', async () => {
    const stopping = new AbortController();
    const rebuilt = thread(
      `parentPort.once('message', () => {
        tell({ kind: 'ended', tookOver: false });
        parentPort.close();
      });
      tell({ kind: 'progress', progress: {} });`,
      { signal: stopping.signal, onProgress: () => stopping.abort() },
    );
    expect(await rebuilt).toBe(false);
  });
});
