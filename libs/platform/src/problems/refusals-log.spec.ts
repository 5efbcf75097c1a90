import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CodedError } from '@holdfast/kernel';
import { recordingLogger } from '../testing/served.js';
import { ProblemException } from './problem.exception.js';
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
