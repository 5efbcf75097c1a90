import { describe, expect, it } from '@jest/globals';
import { CodedError } from '@holdfast/kernel';
import { recordingLogger } from '../testing/served.js';
import { NestLogger } from './nest-logger.js';
import { readableLine } from './readable-lines.js';

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

describe('the log on a terminal', () => {
  // eslint-disable-next-line no-control-regex -- colours
  const plain = (text: string) => text.replaceAll(/\u001b\[\d+m/g, '');
  const shown = (line: object) =>
    plain(
      readableLine(JSON.stringify({ time: '2026-11-23T10:00:00.000Z', service: 's', ...line })),
    );

  it('is a line that a person reads', () => {
    const line = { level: 'info', msg: 'the log is open', directory: 'data/wal', lastPosition: 7 };
    expect(shown(line)).toBe('10:00:00 info  the log is open directory=data/wal lastPosition=7\n');
  });

  it('shows a request as it was asked and answered', () => {
    const asked = { method: 'POST', route: '/v1/:a', path: '/v1/x', correlationId: 'c', key: 'k' };
    expect(shown({ level: 'info', ...asked, status: 201, durationMicros: 1_234 })).toBe(
      '10:00:00 info  POST /v1/x 201 1.2 ms key=k\n',
    );
  });

  it('shows of an error with a code what it says, and of any other its stack', () => {
    const err = { message: 'port 1 is taken', stack: 'Error: port 1\n    at here' };
    const line = { level: 'fatal', msg: 'the service has failed' };
    expect(shown({ ...line, err: { ...err, code: 'PORT_IN_USE' } })).toBe(
      '10:00:00 fatal the service has failed\n  PORT_IN_USE: port 1 is taken\n',
    );
    expect(shown({ ...line, err })).toContain('\n  Error: port 1\n      at here\n');
  });

  it('leaves alone what is no JSON', () => {
    expect(readableLine('a warning of Node\n')).toBe('a warning of Node\n');
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
