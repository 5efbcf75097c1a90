import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configurationOf } from '@holdfast/config';
import { LEDGER_EXIT_CODES } from '@holdfast/ledger-service';
import { ExitCode, type HostProcess, createLogger, runService } from '@holdfast/platform';
import { GrpcFeed } from '@holdfast/projections/grpc';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startCommandService } from './command-service.js';

/** What a service sees of its process; it lives on when the service ends it. */
class TestProcess implements HostProcess {
  readonly exited: Promise<number>;
  readonly stderr = { write: () => true };
  private readonly listeners = new Map<string, (argument: never) => void>();
  private reportExit: (code: number) => void = () => undefined;

  constructor() {
    this.exited = new Promise((resolve) => (this.reportExit = resolve));
  }

  on(event: string, listener: (argument: never) => void): this {
    this.listeners.set(event, listener);
    return this;
  }

  exit(code: number): void {
    this.reportExit(code);
  }

  signal(signal: 'SIGTERM'): void {
    this.listeners.get(signal)?.(signal as never);
  }
}

interface Line {
  readonly msg: string;
  readonly url?: string;
  readonly feed?: string;
  readonly exitCode?: number;
  readonly err?: { readonly message: string; readonly details: object };
}

class Service {
  readonly process = new TestProcess();
  readonly lines: Line[] = [];

  static async start(
    directory: string,
    environment: Record<string, string> = {},
  ): Promise<Service> {
    const service = new Service();
    const configuration = configurationOf('command-service', {
      HOLDFAST_DATA_DIRECTORY: directory,
      HOLDFAST_COMMAND_HTTP_PORT: '0',
      HOLDFAST_ADMIN_PORT: '0',
      HOLDFAST_FEED_PORT: String(await freePort()),
      HOLDFAST_WAL_SEGMENT_BYTES: '1MiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '512KiB',
      HOLDFAST_WAL_QUEUED_BYTES_MAX: '1MiB',
      ...environment,
    });
    const logger = createLogger({
      service: 'command-service',
      level: 'info',
      destination: { write: (line) => service.lines.push(JSON.parse(line) as Line) },
    });
    await runService((lifecycle) => startCommandService(configuration, logger, lifecycle), {
      logger,
      stopGraceMillis: 1_000,
      exitCodes: LEDGER_EXIT_CODES,
      process: service.process,
    });
    return service;
  }

  line(message: string): Line {
    const line = this.lines.find(({ msg }) => msg === message);
    if (line === undefined) throw new Error(`no line says "${message}"`);
    return line;
  }

  get url(): string {
    return this.line('serving commands and the feed').url ?? '';
  }

  async put(path: string): Promise<number> {
    return (await fetch(`${this.url}${path}`, { method: 'PUT' })).status;
  }

  async stop(): Promise<number> {
    this.process.signal('SIGTERM');
    return this.process.exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function filesOf(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files[path] = (await readFile(path)).toString('base64');
    }
  return files;
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-command-service-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the command service', () => {
  it('serves commands and their feed, stops when it is told to, and goes on where it was', async () => {
    const first = await Service.start(directory);
    expect(await first.put('/v1/ledgers/main')).toBe(201);

    const feed = new GrpcFeed({ url: first.line('serving commands and the feed').feed ?? '' });
    const reading = new AbortController();
    for await (const { events } of feed.open({
      from: undefined,
      consumer: 'test',
      signal: reading.signal,
    })) {
      expect(events.map(({ type }) => type)).toEqual(['LedgerOpened']);
      break;
    }
    const following = feed.open({ from: undefined, consumer: 'follower', signal: reading.signal });
    await following[Symbol.asyncIterator]().next();
    following.applied(1 as never);
    const metrics = await until(
      async () => (await fetch(`${first.url}/metrics`)).text(),
      (text) => /applied_position\{consumer="follower"\} 1/.test(text),
    );
    expect(metrics).toMatch(/^holdfast_feed_consumers 1$/m);
    expect(metrics).toMatch(/^holdfast_feed_consumer_lag_events\{consumer="follower"\} 0$/m);

    expect(await first.stop()).toBe(ExitCode.OK);
    await feed.close();
    const second = await Service.start(directory);
    expect(await second.put('/v1/ledgers/main')).toBe(200);
    expect(await second.stop()).toBe(ExitCode.OK);
  });

  it('refuses to start on data that another process holds, and says who', async () => {
    const first = await Service.start(directory);
    const second = await Service.start(directory);
    expect(await second.process.exited).toBe(ExitCode.LOCKED);
    expect(second.line('the service has failed').err?.message).toContain(`process ${process.pid}`);
    expect(await first.put('/v1/ledgers/main')).toBe(201);
    await first.stop();
  });

  it('refuses to start on a damaged log, says where, and changes nothing', async () => {
    const first = await Service.start(directory);
    for (const name of ['a', 'b', 'c']) await first.put(`/v1/ledgers/${name}`);
    await first.stop();
    const wal = join(directory, 'wal');
    const segment = (await readdir(wal)).find((name) => /\.wal$|\.seg|segment/.test(name)) ?? '';
    const bytes = await readFile(join(wal, segment));
    const at = bytes.indexOf('LedgerOpened');
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(join(wal, segment), bytes);
    const before = await filesOf(wal);

    const second = await Service.start(directory);
    expect(await second.process.exited).toBe(ExitCode.DATA);
    expect(second.line('the service has failed')).toMatchObject({
      exitCode: ExitCode.DATA,
      err: {
        message: expect.stringMatching(new RegExp(`${segment}.* at offset \\d+, sequences 1`)),
        details: { file: expect.stringContaining(segment), firstSequence: 1 },
      },
    });
    const after = await filesOf(wal);
    for (const [path, content] of Object.entries(before))
      if (!/LOCK|claim/i.test(path)) expect([path, after[path] === content]).toEqual([path, true]);
  });

  it('refuses to make a log where there is none, when it is told not to', async () => {
    const service = await Service.start(directory, { HOLDFAST_WAL_CREATE: 'false' });
    expect(await service.process.exited).toBe(ExitCode.CONFIGURATION);
    expect(await readdir(directory)).toEqual([]);
  });

  it('serves its feed to those who send the token that it is configured with, and to no others', async () => {
    const token = 'a-token-of-some-length';
    const service = await Service.start(directory, { HOLDFAST_FEED_TOKEN: token });
    expect(await service.put('/v1/ledgers/main')).toBe(201);
    const url = service.line('serving commands and the feed').feed ?? '';
    const first = async (options: { token?: string }) => {
      const feed = new GrpcFeed({ url, ...options });
      const { signal } = new AbortController();
      const batches = feed.open({ from: undefined, signal })[Symbol.asyncIterator]();
      return batches.next().finally(() => feed.close());
    };
    await expect(first({})).rejects.toMatchObject({ code: 'FEED_REFUSED' });
    expect(await first({ token })).toMatchObject({ value: { events: [{ position: 1 }] } });
    expect(JSON.stringify(service.lines)).not.toContain(token);
    expect(await service.stop()).toBe(ExitCode.OK);
  });

  it('does not start where its feed cannot be secured as configured, and makes nothing', async () => {
    const key = join(directory, 'not-there.key');
    const service = await Service.start(directory, { HOLDFAST_FEED_TLS_KEY_FILE: key });
    expect(await service.process.exited).toBe(ExitCode.CONFIGURATION);
    expect(await filesOf(directory)).toEqual({});
  });

  it.each(['HOLDFAST_COMMAND_HTTP_PORT', 'HOLDFAST_ADMIN_PORT', 'HOLDFAST_FEED_PORT'])(
    'names the port that another process has, and %s, and makes nothing',
    async (variable) => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      const service = await Service.start(directory, { [variable]: String(port) });
      expect(await service.process.exited).toBe(ExitCode.LOCKED);
      expect(service.lines).toEqual([
        expect.objectContaining({
          msg: 'the service has failed',
          err: expect.objectContaining({
            code: 'PORT_IN_USE',
            details: { host: '127.0.0.1', port, variable },
          }),
        }),
      ]);
      expect(service.lines[0]).not.toHaveProperty('api');
      expect(await readdir(directory)).toEqual([]);
      await new Promise((resolve) => other.close(resolve));
    },
  );

  it('makes nothing when the admin API lacks its token', async () => {
    const service = await Service.start(directory, { HOLDFAST_ADMIN_HOST: '0.0.0.0' });
    expect(await service.process.exited).toBe(ExitCode.CONFIGURATION);
    expect(await readdir(directory)).toEqual([]);
  });
});

async function until(
  read: () => Promise<string>,
  holds: (text: string) => boolean,
): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const text = await read();
    if (holds(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came to be');
}
