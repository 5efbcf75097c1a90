import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CodedError } from '@holdfast/kernel';
import { Controller, Get, Module, Param, type OnModuleDestroy } from '@nestjs/common';
import { type HttpApplication, createHttpApplication } from '../http/http-application.js';
import { recordingLogger } from '../testing/served.js';
import { configureOrExit } from './configure-or-exit.js';
import { ExitCode, exitCodeOf } from '@holdfast/nestjs/process';
import { runService } from './run-service.js';
import { ServiceLifecycle } from './service-lifecycle.js';

/** Takes signals and remembers how it was ended, instead of ending the test. */
class TestProcess extends EventEmitter {
  readonly exits: number[] = [];
  readonly stderr = { text: '', write: (text: string) => (this.stderr.text += text) };
  private readonly ended = Promise.withResolvers<number>();

  exit(code: number): void {
    this.exits.push(code);
    this.ended.resolve(code);
  }

  end(): Promise<number> {
    return this.ended.promise;
  }
}

const closed: string[] = [];
/** Tells of each request that a handler has begun with. */
const begun = new EventEmitter();

@Controller()
class SlowController implements OnModuleDestroy {
  constructor(private readonly lifecycle: ServiceLifecycle) {}

  @Get('slow/:millis')
  async slow(@Param('millis') millis: string) {
    begun.emit('slow');
    // Not referenced: a test does not wait for what it has cut off.
    await setTimeout(Number(millis), undefined, { ref: false });
    return { done: true };
  }

  @Get('poison')
  poison() {
    const error = new CodedError('WAL_POISONED', 'fdatasync failed');
    this.lifecycle.fatal(error);
    throw error;
  }

  @Get('wait')
  async wait() {
    begun.emit('wait');
    await new Promise((resolve) => this.lifecycle.stopping.addEventListener('abort', resolve));
    return { interrupted: true };
  }

  onModuleDestroy(): void {
    closed.push('module');
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

async function start(stopGraceMillis = 2_000) {
  const host = new TestProcess();
  const { logger, lines } = recordingLogger();
  let application: HttpApplication | undefined;
  let url = '';
  closed.length = 0;
  await runService(
    async (lifecycle) => {
      application = await createHttpApplication(SlowModule, {
        logger,
        lifecycle,
        codedErrors: { WAL_POISONED: { problem: 'storage-unavailable', outcome: 'unknown' } },
      });
      url = await application.listen(0);
      return application;
    },
    { logger, stopGraceMillis, exitCodes: { WAL_POISONED: ExitCode.POISONED }, process: host },
  );
  const ask = (path: string) => fetch(url + path);
  /** Resolves once a handler has it. */
  const inFlight = async (path: '/wait' | `/slow/${number}`) => {
    const taken = once(begun, path === '/wait' ? 'wait' : 'slow');
    const answer = ask(path);
    await taken;
    return { answer };
  };
  return {
    host,
    lines,
    url,
    ask,
    inFlight,
    application: application!,
  };
}

describe('a running service', () => {
  it('answers what it has taken, takes nothing more, closes its modules and exits 0 when told to stop', async () => {
    const { host, ask, inFlight, lines } = await start();
    const { answer } = await inFlight('/slow/300');
    host.emit('SIGTERM', 'SIGTERM');
    await setTimeout(50);
    await expect(ask('/health/live')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([200, { done: true }]);
    expect(await host.end()).toBe(ExitCode.OK);
    expect(closed).toEqual(['module']);
    expect(lines.filter(({ msg }) => typeof msg === 'string').map(({ msg }) => msg)).toEqual([
      'stopping',
      'stopped',
    ]);
  });

  it('turns readiness red and takes leave of the connections that are still in use', async () => {
    const { host, url } = await start();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const chunks: string[] = [];
    socket.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    const taken = once(begun, 'slow');
    socket.write('GET /slow/300 HTTP/1.1\r\nhost: a\r\n\r\n');
    await taken;
    host.emit('SIGINT', 'SIGINT');
    socket.write('GET /health/ready HTTP/1.1\r\nhost: a\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    const [first, second] = chunks.join('').split(/(?<=}\n)(?=HTTP)/);
    expect(first).toMatch(/^HTTP\/1\.1 200 OK[^]*\{"done":true\}\n$/);
    expect(second).toMatch(/^HTTP\/1\.1 503 Service Unavailable[^]*connection: close/);
    expect(second).toMatch(/\{"ready":false,"checks":\{"service":"the service is stopping"\}\}\n$/);
    expect(await host.end()).toBe(ExitCode.OK);
  });

  it('cuts off what takes longer than the grace', async () => {
    const { host, inFlight } = await start(100);
    const { answer } = await inFlight('/slow/5000');
    const outcome = expect(answer).rejects.toThrow('fetch failed');
    host.emit('SIGTERM', 'SIGTERM');
    expect(await host.end()).toBe(ExitCode.OK);
    await outcome;
    expect(closed).toEqual(['module']);
  });

  it('ends at once when told twice', async () => {
    const { host, inFlight } = await start();
    const { answer } = await inFlight('/slow/400');
    host.emit('SIGINT', 'SIGINT');
    host.emit('SIGINT', 'SIGINT');
    expect(host.exits).toEqual([ExitCode.FAILURE]);
    // A process that ends at once owes nobody an answer: here, where it only pretends to end, one may still come.
    await answer.catch(() => undefined);
  });

  it('lets those who wait know that it is stopping', async () => {
    const { host, inFlight } = await start();
    const { answer } = await inFlight('/wait');
    host.emit('SIGTERM', 'SIGTERM');
    expect(await (await answer).json()).toEqual({ interrupted: true });
    expect(await host.end()).toBe(ExitCode.OK);
  });

  it('after poison answers those in flight, is not ready, and exits with the code of the error', async () => {
    const { host, ask, inFlight, application, lines } = await start();
    const { answer } = await inFlight('/slow/200');
    const poisoned = await ask('/poison');
    expect([poisoned.status, await poisoned.json()]).toEqual([
      503,
      expect.objectContaining({ type: '/problems/storage-unavailable', outcome: 'unknown' }),
    ]);
    expect(application.lifecycle.unavailableBecause).toBe(
      'the service has failed and is about to end',
    );
    expect((await answer).status).toBe(200);
    expect(await host.end()).toBe(ExitCode.POISONED);
    expect(lines.filter(({ level }) => level === 'fatal')).toEqual([
      expect.objectContaining({
        msg: 'the service has failed',
        exitCode: 70,
        err: expect.objectContaining({ code: 'WAL_POISONED' }),
      }),
    ]);
    await application.stop(0);
  });

  it('waits no longer than a second after poison', async () => {
    const { host, ask, inFlight, application } = await start();
    const { answer } = await inFlight('/slow/3000');
    const outcome = answer.catch(() => 'cut off');
    const poisonedAt = performance.now();
    await ask('/poison');
    expect(await host.end()).toBe(ExitCode.POISONED);
    expect(performance.now() - poisonedAt).toBeLessThan(2_500);
    await application.stop(0);
    expect(await outcome).toBe('cut off');
  });

  it.each(['uncaughtException', 'unhandledRejection'])('ends on %s', async (event) => {
    const { host, application, lines } = await start();
    host.emit(event, new TypeError('a bug'));
    expect(await host.end()).toBe(ExitCode.FAILURE);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', err: { message: 'a bug' } });
    await application.stop(0);
  });
});

describe('a service that does not start', () => {
  async function failToStart(error: Error) {
    const host = new TestProcess();
    const { logger, lines } = recordingLogger();
    await runService(() => Promise.reject(error), {
      logger,
      stopGraceMillis: 0,
      exitCodes: { WAL_LOCKED: ExitCode.LOCKED },
      process: host,
    });
    return { code: await host.end(), lines };
  }

  it('logs why and exits with the code of the error, or of its cause', async () => {
    const locked = new CodedError('WAL_LOCKED', 'held by process 17');
    const { code, lines } = await failToStart(new Error('cannot start', { cause: locked }));
    expect(code).toBe(ExitCode.LOCKED);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'fatal',
        exitCode: 75,
        err: expect.objectContaining({ message: 'cannot start: held by process 17' }),
      }),
    ]);
    expect((await failToStart(new Error('unknown'))).code).toBe(ExitCode.FAILURE);
  });

  it('names once the variables that it ignores', async () => {
    const host = new TestProcess();
    const { logger, lines } = recordingLogger();
    const done = () => Promise.resolve();
    await runService(() => Promise.resolve({ drain: done, stop: done }), {
      ...{ logger, stopGraceMillis: 0, process: host },
      ignoredVariables: ['HOLDFAST_PORT'],
    });
    expect(lines).toEqual([
      expect.objectContaining({ level: 'info', variables: ['HOLDFAST_PORT'] }),
    ]);
  });

  it('ends when told to stop before it has started', async () => {
    const host = new TestProcess();
    const { logger } = recordingLogger();
    void runService(() => new Promise(() => undefined), {
      logger,
      stopGraceMillis: 0,
      process: host,
    });
    host.emit('SIGTERM', 'SIGTERM');
    expect(await host.end()).toBe(ExitCode.OK);
  });

  it('tells a person what is wrong with the configuration, and exits 78', () => {
    const host = new TestProcess();
    const load = () => {
      throw new CodedError('CONFIGURATION_INVALID', 'HOLDFAST_PORT is "x"');
    };
    expect(() => configureOrExit(load, host)).toThrow('HOLDFAST_PORT');
    expect([host.exits, host.stderr.text]).toEqual([[78], 'HOLDFAST_PORT is "x"\n']);
    expect(configureOrExit(() => 5, host)).toBe(5);
  });

  it('ends although what it has started hangs', async () => {
    const host = new TestProcess();
    const { logger, lines } = recordingLogger();
    const never = () => new Promise<never>(() => undefined);
    let failed: ServiceLifecycle | undefined;
    await runService(
      (lifecycle) => {
        failed = lifecycle;
        return Promise.resolve({ drain: never, stop: never });
      },
      { logger, stopGraceMillis: 0, process: host },
    );
    failed!.fatal(new Error('poison'));
    expect(await Promise.race([host.end(), setTimeout(3_000)])).toBe(ExitCode.FAILURE);
    expect(lines.at(-1)).toMatchObject({ msg: 'requests in flight may have got no answer' });
  });

  it('finds no exit code in a circle of causes', () => {
    const error = new Error('round');
    error.cause = error;
    expect(exitCodeOf(error, {})).toBe(ExitCode.FAILURE);
  });
});
