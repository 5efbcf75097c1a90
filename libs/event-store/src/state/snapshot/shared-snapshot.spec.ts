import { describe, expect, it } from '@jest/globals';
import { SharedSnapshot, type SnapshotOptions } from './shared-snapshot.js';

const CANCELLED: unknown = expect.objectContaining({ code: 'EVENT_CANCELLED' });

interface Taken extends Required<SnapshotOptions> {
  readonly end: (report: string) => void;
}

/** Runs that end when the test says so, or when they are told to stop. */
function sharedSnapshot(): { shared: SharedSnapshot<string>; runs: Taken[] } {
  const runs: Taken[] = [];
  const shared = new SharedSnapshot<string>((options) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    options.signal.addEventListener('abort', () => reject(new Error('stopped')));
    runs.push({ ...options, end: resolve });
    return promise;
  });
  return { shared, runs };
}

describe('a shared snapshot', () => {
  it('is one run for all who ask meanwhile, and tells each how far it is', async () => {
    const { shared, runs } = sharedSnapshot();
    const told: string[] = [];
    const both = ['a', 'b'].map((name) =>
      shared.join({ onProgress: ({ done, total }) => told.push(`${name} ${done}/${total}`) }),
    );
    expect([runs.length, shared.isRunning]).toEqual([1, true]);
    runs[0]?.onProgress({ done: 1, total: 2 });
    runs[0]?.end('report');
    expect(await Promise.all(both)).toEqual(['report', 'report']);
    expect([told, shared.isRunning]).toEqual([['a 1/2', 'b 1/2'], false]);
  });

  it('goes on for the others when one of them cancels', async () => {
    const { shared, runs } = sharedSnapshot();
    const cancelling = new AbortController();
    const scheduled = shared.join();
    const asked = shared.join({ signal: cancelling.signal });
    cancelling.abort();
    await expect(asked).rejects.toEqual(CANCELLED);
    expect(runs[0]?.signal.aborted).toBe(false);
    runs[0]?.end('report');
    expect(await scheduled).toBe('report');
  });

  it('is ended by the last one to leave, who hears of it when it has ended', async () => {
    const { shared, runs } = sharedSnapshot();
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [shared.join(first), shared.join(second)];
    const heard = Promise.allSettled(asked);
    first.abort();
    expect(runs[0]?.signal.aborted).toBe(false);
    second.abort();
    expect(runs[0]?.signal.aborted).toBe(true);
    expect(await heard).toMatchObject([
      { status: 'rejected', reason: { code: 'EVENT_CANCELLED' } },
      { status: 'rejected', reason: { message: 'stopped' } },
    ]);
    expect(shared.isRunning).toBe(false);
  });

  it('that everybody has left is not joined: another begins once it has ended', async () => {
    const { shared, runs } = sharedSnapshot();
    const cancelling = new AbortController();
    const given = shared.join(cancelling);
    cancelling.abort();
    const next = shared.join();
    expect(runs).toHaveLength(1);
    await expect(given).rejects.toThrow('stopped');
    await new Promise(setImmediate);
    expect(runs).toHaveLength(2);
    runs[1]?.end('another');
    expect(await next).toBe('another');
  });

  it('is not begun for somebody who has cancelled already', async () => {
    const { shared, runs } = sharedSnapshot();
    await expect(shared.join({ signal: AbortSignal.abort() })).rejects.toEqual(CANCELLED);
    expect(runs).toHaveLength(0);
  });
});
