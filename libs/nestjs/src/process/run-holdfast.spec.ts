import { CodedError } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { endingProcess, runHoldfast, startFailed } from './run-holdfast.js';

class TestProcess extends EventEmitter {
  exitCode: number | undefined;
  readonly told: string[] = [];
  readonly stderr = { write: (text: string) => this.told.push(text) };

  exit(code: number): void {
    this.exitCode = code;
    this.emit('exit', code);
  }
}

const newer = new CodedError('EVENT_UNKNOWN_SCHEMA', 'a newer program wrote this', {});

describe('a process', () => {
  it('that is told to stop closes its application and ends with 0', async () => {
    const host = new TestProcess();
    let closed = 0;
    await runHoldfast(() => Promise.resolve({ close: () => Promise.resolve(closed++) }), {
      process: host,
    });
    const ended = once(host, 'exit');
    host.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toEqual([0]);
    expect(closed).toBe(1);
  });

  it('that is told to stop while it starts ends at once, and so does one that is told twice', async () => {
    const starting = new TestProcess();
    void runHoldfast(() => new Promise(() => undefined), { process: starting });
    starting.emit('SIGTERM', 'SIGTERM');
    expect(starting.exitCode).toBe(0);
    const stopping = new TestProcess();
    const close = () => new Promise<never>(() => undefined);
    await runHoldfast(() => Promise.resolve({ close }), {
      process: stopping,
      stopMillisMax: 1_000,
    });
    stopping.emit('SIGINT', 'SIGINT');
    expect(stopping.exitCode).toBeUndefined();
    stopping.emit('SIGINT', 'SIGINT');
    expect(stopping.exitCode).toBe(1);
  });

  it('that fails while it stops says so at the end, and ends with its code', async () => {
    const host = new TestProcess();
    let fail: (error: unknown) => void = () => undefined;
    const close = () => {
      fail(new CodedError('WAL_POISONED', 'the last sync failed'));
      return Promise.resolve();
    };
    await runHoldfast(
      () => {
        fail = endingProcess();
        return Promise.resolve({ close });
      },
      { process: host },
    );
    const ended = once(host, 'exit');
    host.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toEqual([70]);
    expect(host.told).toEqual([expect.stringContaining('the last sync failed')]);
  });

  it.each([
    ['an older program on a newer log', newer, 78],
    [
      'a state that another program made',
      new CodedError('EVENT_STATE_FOREIGN', 'of another', {}),
      78,
    ],
    [
      'a log with events that this program does not know, though its state is what breaks',
      new CodedError(
        'EVENT_STATE_BROKEN',
        'folding failed',
        {},
        {
          cause: new CodedError('COMMANDS_EVENT_UNKNOWN', 'no decider has it', {}),
        },
      ),
      78,
    ],
    [
      'a state that breaks by a bug',
      new CodedError('EVENT_STATE_BROKEN', 'odd', {}, { cause: new TypeError('odd') }),
      70,
    ],
    ['a cause that the table knows', new Error('no start', { cause: newer }), 78],
    ...['ADMIN_TOKEN_MISSING', 'ADMIN_TOKEN_INVALID', 'PORT_UNUSABLE'].map(
      (code): [string, Error, number] => [code, new CodedError(code, 'not so', {}), 78],
    ),
    ...['DATA_DIRECTORY_UNUSABLE', 'RESTORE_UNFINISHED', 'OPERATIONS_INVALID_OPTION'].map(
      (code): [string, Error, number] => [code, new CodedError(code, 'not so', {}), 78],
    ),
    ['PORT_IN_USE', new CodedError('PORT_IN_USE', 'taken', {}), 75],
    ['a port that is taken', Object.assign(new Error('taken'), { code: 'EADDRINUSE' }), 75],
    ['whatever else', new Error('odd'), 1],
  ])('that cannot start ends with the code of %s', async (_, error, code) => {
    const host = new TestProcess();
    await runHoldfast(() => Promise.reject(error), { process: host });
    expect(host.exitCode).toBe(code);
    expect(host.told.join('')).toContain(error.message);
  });

  it('that Nest ends with 1, because a provider failed, ends with the code of the provider all the same', async () => {
    const host = new TestProcess();
    const started = () => {
      startFailed(newer);
      host.exit(1);
      return new Promise<never>(() => undefined);
    };
    void runHoldfast(started, { process: host });
    expect(host.exitCode).toBe(78);
    await Promise.resolve();
  });

  it('whose log fails closes what it has and ends with 70; an error that nobody caught ends it with 1', async () => {
    for (const [code, fail] of [
      [
        70,
        (_: TestProcess, fatal: (error: unknown) => void) =>
          fatal(new CodedError('WAL_POISONED', 'sync', {})),
      ],
      [1, (host: TestProcess) => host.emit('uncaughtException', new Error('odd'))],
    ] as const) {
      const host = new TestProcess();
      let fatal: (error: unknown) => void = () => undefined;
      let closed = 0;
      await runHoldfast(
        () => {
          fatal = endingProcess();
          return Promise.resolve({ close: () => Promise.resolve(closed++) });
        },
        { process: host },
      );
      const ended = once(host, 'exit');
      fail(host, fatal);
      expect(await ended).toEqual([code]);
      expect(closed).toBe(1);
    }
  });
});
