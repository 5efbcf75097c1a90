import { describe, expect, it } from '@jest/globals';
import { CodedError } from '@holdfast/kernel';
import { recordingLogger } from '../testing/served.js';
import { NestLogger } from './nest-logger.js';

describe('the log', () => {
  it('is one JSON object a line, with time, level by name, service, and errors with code and cause', () => {
    const { logger, lines } = recordingLogger();
    const cause = new Error('disk');
    logger.error(
      { err: new CodedError('WAL_FULL', 'full', { bytes: 3 }, { cause }) },
      'cannot write',
    );
    expect(lines).toEqual([
      {
        level: 'error',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        service: 'test',
        msg: 'cannot write',
        err: expect.objectContaining({
          code: 'WAL_FULL',
          details: { bytes: 3 },
          message: 'full: disk',
          stack: expect.stringContaining('caused by: Error: disk'),
        }),
      },
    ]);
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = recordingLogger('warn');
    logger.info('not this');
    logger.warn('this');
    expect(lines).toHaveLength(1);
  });
});

describe("Nest's lines", () => {
  function told(tell: (logger: NestLogger) => void) {
    const { logger, lines } = recordingLogger('trace');
    tell(new NestLogger(logger));
    const common = ['time', 'service'];
    return lines.map((line) =>
      Object.fromEntries(Object.entries(line).filter(([name]) => !common.includes(name))),
    );
  }

  it('keep their level, context and details', () => {
    expect(told((nest) => nest.log('hello', 'Books'))).toEqual([
      { level: 'info', context: 'Books', msg: 'hello' },
    ]);
    expect(told((nest) => nest.error('failed', 'stack…', 'Books'))).toEqual([
      { level: 'error', context: 'Books', details: ['stack…'], msg: 'failed' },
    ]);
    expect(told((nest) => nest.warn({ a: 1 }))).toEqual([{ level: 'warn', message: { a: 1 } }]);
    expect(told((nest) => nest.debug('d', 'X')).concat(told((nest) => nest.verbose('v')))).toEqual([
      { level: 'debug', context: 'X', msg: 'd' },
      { level: 'trace', msg: 'v' },
    ]);
    expect(told((nest) => nest.fatal(new CodedError('A', 'b'), 'X'))).toEqual([
      expect.objectContaining({
        level: 'fatal',
        err: expect.objectContaining({ code: 'A' }),
        msg: 'b',
      }),
    ]);
  });

  it('are for debugging when Nest speaks about itself', () => {
    expect(told((nest) => nest.log('Mapped {/, GET} route', 'RouterExplorer'))).toEqual([
      { level: 'debug', context: 'RouterExplorer', msg: 'Mapped {/, GET} route' },
    ]);
  });
});
