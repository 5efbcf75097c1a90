import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CodedError } from '@holdfast/kernel';
import { recordingLogger } from '../testing/served.js';
import { ProblemException } from '@holdfast/nestjs/http';
import { RefusalsLog } from './refusals-log.js';

describe('the log of refusals', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const skew = () => new CodedError('EVENT_CLOCK_SKEW', 'the clock says 2031');

  it('tells once that a cause refuses requests, and once that it does no more', () => {
    const { logger, lines } = recordingLogger();
    const refusals = new RefusalsLog(logger);
    for (let second = 0; second < 100; second++) {
      refusals.refused(skew(), 'clock-skew');
      jest.advanceTimersByTime(1_000);
    }
    const cause = { problem: 'clock-skew', code: 'EVENT_CLOCK_SKEW' };
    const begun = { level: 'warn', ...cause, reason: 'the clock says 2031' };
    expect(lines).toEqual([expect.objectContaining(begun)]);
    jest.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ level: 'info', ...cause, count: 100, seconds: 99 });
    refusals.refused(skew(), 'clock-skew');
    expect(lines[2]).toMatchObject(begun);
  });

  it('tells each reason of one problem by itself, and when each has passed', () => {
    const { logger, lines } = recordingLogger();
    const refusals = new RefusalsLog(logger);
    const lagging = (detail: string) =>
      refusals.refused(
        new ProblemException('projection-lagging', { detail }),
        'projection-lagging',
      );
    for (let second = 0; second < 40; second++) {
      if (second < 5) lagging('of another log');
      lagging('not as far');
      jest.advanceTimersByTime(1_000);
    }
    const cause = (reason: string) => ({ problem: 'projection-lagging', reason });
    expect(lines).toEqual([
      expect.objectContaining({ level: 'warn', ...cause('of another log') }),
      expect.objectContaining({ level: 'warn', ...cause('not as far') }),
      expect.objectContaining({ level: 'info', ...cause('of another log'), count: 5 }),
    ]);
  });

  it('tells of no more causes than it keeps, whatever they say', () => {
    const { logger, lines } = recordingLogger();
    const refusals = new RefusalsLog(logger);
    for (let detail = 0; detail < 1_000; detail++)
      refusals.refused(new ProblemException('p', { detail: `${detail}` }), 'p');
    expect(lines).toHaveLength(65);
    jest.advanceTimersByTime(60_000);
    expect(lines.slice(65).reduce((sum, { count }) => sum + Number(count), 0)).toBe(1_000);
  });

  it('tells each cause by itself, and with a fault that led to it its stack', () => {
    const { logger, lines } = recordingLogger();
    const refusals = new RefusalsLog(logger);
    const cause = new TypeError('undefined is not a function');
    refusals.refused(skew(), 'clock-skew');
    refusals.refused(new ProblemException('projection-lagging'), 'projection-lagging');
    refusals.refused(
      new CodedError('QUERY_THREAD_ENDED', 'ended', {}, { cause }),
      'storage-unavailable',
    );
    expect(lines).toEqual([
      expect.not.objectContaining({ err: expect.anything() }),
      expect.not.objectContaining({ err: expect.anything() }),
      expect.objectContaining({
        code: 'QUERY_THREAD_ENDED',
        err: expect.objectContaining({ type: 'TypeError', stack: expect.any(String) }),
      }),
    ]);
  });
});
