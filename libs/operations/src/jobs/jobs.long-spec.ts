import { CodedError } from '@holdfast/kernel';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Work, WorkContext } from './job.js';
import { JOBS_AT_ONCE_MAX, JOBS_KEPT_MAX, JOBS_QUEUED_MAX, Jobs } from './jobs.js';
import { RecordedLog } from '../testing/recorded-log.js';

/** Work that goes on until the test lets it end. */
function held(): { work: Work; end: (result: object) => void; context: () => WorkContext } {
  const ending = Promise.withResolvers<object>();
  let given: WorkContext | undefined;
  return {
    work: (context) => {
      given = context;
      context.signal.addEventListener('abort', () =>
        ending.reject(new CodedError('WORK_CANCELLED', 'stopped')),
      );
      return ending.promise;
    },
    end: ending.resolve,
    context: () => given!,
  };
}

describe('jobs', () => {
  let now: number;
  let jobs: Jobs;

  beforeEach(() => {
    now = 1_000_000;
    const logger = new RecordedLog();
    jobs = new Jobs({ logger, clock: { nowMillis: () => now, monotonicMillis: () => now } });
  });

  it('tells how far it is, how fast, and how long it will take', async () => {
    const { work, end, context } = held();
    const { id } = jobs.start('archive', 'changes', work);
    expect(jobs.get(id)).toMatchObject({ state: 'running', progress: undefined });
    context().progress(0, 1_000, 'bytes');
    expect(jobs.get(id)?.progress).toMatchObject({ done: 0, perSecond: 0, secondsLeft: undefined });
    now += 1_000;
    context().progress(200, 1_000, 'bytes');
    expect(jobs.get(id)?.progress).toEqual({
      ...{ done: 200, total: 1_000, unit: 'bytes', perSecond: 200, secondsLeft: 4 },
    });
    // What was long ago says nothing about now.
    for (let second = 0; second < 10; second += 1) {
      now += 1_000;
      context().progress(210 + 10 * second, 1_000, 'bytes');
    }
    expect(jobs.get(id)?.progress?.perSecond).toBe(10);
    end({ segments: 3 });
    await jobs.ended(id);
    expect(jobs.get(id)).toMatchObject({
      ...{ state: 'succeeded', result: { segments: 3 }, problem: undefined },
      ...{ startedAtMillis: 1_000_000, endedAtMillis: now },
    });
  });

  it('runs one of a lane at a time, in the order in which they came, and other lanes beside it', async () => {
    const works = [held(), held(), held(), held()] as const;
    const ids = [
      jobs.start('archive', 'changes', works[0].work).id,
      jobs.start('retention', 'changes', works[1].work).id,
      jobs.start('verify-log', 'checks', works[2].work).id,
      jobs.start('checkpoint', 'at-once', works[3].work).id,
    ];
    const states = () => ids.map((id) => jobs.get(id)?.state);
    expect(states()).toEqual(['running', 'queued', 'running', 'running']);
    expect(jobs.has('retention')).toBe(true);
    works[0].end({});
    await jobs.ended(ids[0]!);
    await Promise.resolve();
    expect(states()).toEqual(['succeeded', 'running', 'running', 'running']);
    works[1].end({});
    await jobs.ended(ids[1]!);
    expect(jobs.has('retention')).toBe(false);
    expect(jobs.list().map(({ id }) => id)).toEqual([...ids].reverse());
    await jobs.close();
    expect(states()).toEqual(['succeeded', 'succeeded', 'cancelled', 'cancelled']);
  });

  it('cancels one that runs by its signal, one that waits at once, and leaves one that has ended', async () => {
    const [running, waiting] = [held(), held()];
    const first = jobs.start('archive', 'changes', running.work).id;
    const second = jobs.start('archive', 'changes', waiting.work).id;
    expect(jobs.cancel(second)?.state).toBe('cancelled');
    jobs.cancel(first);
    expect((await jobs.ended(first))?.state).toBe('cancelled');
    expect(jobs.get(first)?.problem).toBeUndefined();
    expect(waiting.context()).toBeUndefined();
    const third = jobs.start('archive', 'changes', () => Promise.resolve({}));
    await jobs.ended(third.id);
    expect(jobs.cancel(third.id)?.state).toBe('succeeded');
    expect(jobs.cancel('unknown')).toBeUndefined();
  });

  it('keeps what a cancelled one can still tell', async () => {
    const work: Work = ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ segments: 2 })));
    const { id } = jobs.start('archive', 'changes', work);
    jobs.cancel(id);
    expect(await jobs.ended(id)).toMatchObject({ state: 'cancelled', result: { segments: 2 } });
  });

  it('tells what a cancelled one has found on its way out', async () => {
    const ending = (code: string): string => {
      const work: Work = ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new CodedError(code, code))),
        );
      const { id } = jobs.start('archive', 'changes', work);
      jobs.cancel(id);
      return id;
    };
    expect(await jobs.ended(ending('WAL_CORRUPT'))).toMatchObject({
      state: 'failed',
      problem: { code: 'WAL_CORRUPT' },
    });
    for (const code of ['WORK_CANCELLED', 'WAL_CANCELLED', 'EVENT_CANCELLED']) {
      const ended = await jobs.ended(ending(code));
      expect([ended?.state, ended?.problem]).toEqual(['cancelled', undefined]);
    }
  });

  it('tells why it failed, and goes on with the next', async () => {
    const failure = new CodedError('WAL_FULL', 'the disk is full', { bytes: 3 });
    const failing = jobs.start('backup', 'changes', () => Promise.reject(failure));
    const next = jobs.start('backup', 'changes', () => Promise.resolve({ done: true }));
    expect(await jobs.ended(failing.id)).toMatchObject({
      state: 'failed',
      problem: { code: 'WAL_FULL', message: 'the disk is full', details: { bytes: 3 } },
    });
    expect(await jobs.ended(next.id)).toMatchObject({ state: 'succeeded' });
    const thrown = jobs.start('backup', 'changes', () => {
      throw new Error('at once');
    });
    expect(await jobs.ended(thrown.id)).toMatchObject({ state: 'failed' });
  });

  it('takes no more than so many, and remembers no more than so many', async () => {
    const holding = held();
    jobs.start('archive', 'changes', holding.work);
    for (let waiting = 0; waiting < JOBS_QUEUED_MAX; waiting += 1)
      jobs.start('archive', 'changes', () => Promise.resolve({}));
    expect(() => jobs.start('archive', 'changes', holding.work)).toThrow(
      expect.objectContaining({ code: 'JOBS_FULL' }),
    );
    // A lane that is free has nothing to do with it.
    expect(jobs.start('verify-log', 'checks', holding.work).state).toBe('running');
    await jobs.close();
    expect(() => jobs.start('archive', 'changes', holding.work)).toThrow(
      expect.objectContaining({ code: 'JOBS_CLOSED' }),
    );
    const others = new Jobs({ logger: new RecordedLog() });
    for (let ended = 0; ended < JOBS_KEPT_MAX + 10; ended += 1)
      await others.ended(
        others.start('checkpoint', 'at-once', () => Promise.resolve({ ended })).id,
      );
    await new Promise(setImmediate);
    expect(others.list()).toHaveLength(JOBS_KEPT_MAX);
    expect(others.list()[0]?.result).toEqual({ ended: JOBS_KEPT_MAX + 9 });
  });

  it('remembers no more than so many of those that were cancelled while they waited', async () => {
    const holding = held();
    const running = jobs.start('archive', 'changes', holding.work);
    const cancelled = Array.from({ length: JOBS_KEPT_MAX + 10 }, () => {
      const { id } = jobs.start('archive', 'changes', holding.work);
      expect(jobs.cancel(id)?.state).toBe('cancelled');
      return id;
    });
    expect(jobs.list().map(({ id }) => id)).toEqual([
      ...cancelled.slice(-JOBS_KEPT_MAX).reverse(),
      running.id,
    ]);
    await jobs.close();
  });

  it('runs no more than so many at once of those that wait for nobody', async () => {
    const works = Array.from({ length: JOBS_AT_ONCE_MAX + 1 }, held);
    const ids = works.map(({ work }) => jobs.start('checkpoint', 'at-once', work).id);
    expect(jobs.get(ids.at(-1)!)?.state).toBe('queued');
    works[0]!.end({});
    await jobs.ended(ids[0]!);
    await Promise.resolve();
    expect(jobs.get(ids.at(-1)!)?.state).toBe('running');
    await jobs.close();
  });
});
