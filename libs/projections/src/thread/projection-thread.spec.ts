import { describe, expect, it } from '@jest/globals';
import { ProjectionThread } from './projection-thread.js';

/** A thread that tells its status once, and then does this. */
const thread = (then: string, failures: unknown[] = []) =>
  ProjectionThread.start(
    new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads';
        parentPort.postMessage({ kind: 'status', status: { state: 'live', unheardMillis: 7 } });
        ${then}
      `)}`,
    ),
    {},
    { onFailure: (error) => failures.push(error), onReport: () => undefined },
  );

const HANGS = 'for (;;);';
const ENDS_WHEN_TOLD = `parentPort.once('message', () => parentPort.close());`;

describe("the projection's thread", () => {
  it('says how old its status is, so that one that hangs does not look live for ever', async () => {
    const hung = await thread(HANGS);
    const before = hung.status.ageMillis;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { state, ageMillis, unheardMillis } = hung.status;
    expect(state).toBe('live');
    expect(ageMillis).toBeGreaterThan(before);
    expect(unheardMillis).toBeGreaterThan(7);
    await hung.stop(1);
  });

  it('is ended where it stands when it does not stop, and that is no failure', async () => {
    const failures: unknown[] = [];
    const hung = await thread(HANGS, failures);
    await hung.stop(1);
    expect(failures).toEqual([]);
  });

  it('stops by itself when it is told to', async () => {
    await (await thread(ENDS_WHEN_TOLD)).stop();
  });

  it('is a failure when it ends without being told to', async () => {
    const failed = new Promise<unknown>((resolve) => {
      const listening = { push: resolve } as unknown as unknown[];
      void thread('', listening);
    });
    expect(await failed).toMatchObject({ code: 'PROJECTION_THREAD_ENDED' });
  });
});
