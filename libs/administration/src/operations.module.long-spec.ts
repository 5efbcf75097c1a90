import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { CommandWriterOptions } from '@holdfast/commands';
import { createLogger } from '@holdfast/platform';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplication,
  Inject,
  Logger,
  type LoggerService,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { OperationsModule, type OperationsOptions } from './operations.module.js';
import { NOTES, type NotesWriter, SMALL_LOG, openNotes, writeNote } from './testing/notes.js';

const WRITER = Symbol('writer');
let root: string;
let told: string[];

/** As a team would write it: a log, a route, and the operator's part imported. */
async function application(
  options: Partial<OperationsOptions> = {},
  state?: CommandWriterOptions['state'],
): Promise<{ app: INestApplication; writer: NotesWriter }> {
  const writer = await openNotes(join(root, 'wal'), {
    wal: SMALL_LOG,
    ...(state && { state }),
  });

  @Module({ providers: [{ provide: WRITER, useValue: writer }], exports: [WRITER] })
  class NotesModule implements OnApplicationShutdown {
    constructor(@Inject(WRITER) private readonly writer: NotesWriter) {}

    async onApplicationShutdown(): Promise<void> {
      await this.writer.close();
    }
  }

  @Controller('notes')
  class NotesController {
    @Get()
    list(): string {
      return 'notes';
    }
  }

  @Module({
    imports: [
      NotesModule,
      OperationsModule.forRootAsync({
        imports: [NotesModule],
        inject: [WRITER],
        useFactory: (injected: NotesWriter) => ({
          ...{ writer: injected, service: NOTES },
          directories: {
            stateDirectory: join(root, 'state'),
            snapshotDirectory: join(root, 'snapshots'),
            readModelDirectory: join(root, 'read-models'),
          },
          admin: { host: '127.0.0.1', port: 0, access: { token: '', tokenFile: '' } },
          logger: createLogger({ service: 'notes', level: 'silent' }),
          ...options,
        }),
      }),
    ],
    controllers: [NotesController],
  })
  class ApplicationModule {}

  const line = (message: unknown): void => void told.push(String(message));
  const logger: LoggerService = { log: line, warn: line, error: line };
  const adapter = new FastifyAdapter();
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
  const app = await NestFactory.create(ApplicationModule, adapter, { logger, abortOnError: false });
  return { app, writer };
}

describe('the operator of a service that is no ledger', () => {
  let app: INestApplication;
  let writer: NotesWriter;
  let url: string;

  const get = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json();

  async function jobOf(path: string, body: object = {}): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    const begun = await fetch(`${url}${path}`, request);
    for (;;) {
      const job = (await get(begun.headers.get('location') ?? 'none')) as { state: string };
      if (!['queued', 'running'].includes(job.state)) return job;
      await setTimeout(5);
    }
  }

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-operations-'));
    told = [];
    const directories = {
      directory: join(root, 'state'),
      snapshotDirectory: join(root, 'snapshots'),
    };
    ({ app, writer } = await application({}, directories));
    await app.listen(0, '127.0.0.1');
    url = (await app.get(OperationsModule).url()) ?? 'none';
    await writeNote(writer, 'a');
    await writeNote(writer, 'a', 'again');
  });
  afterEach(async () => {
    await app.close();
    rmSync(root, { recursive: true });
  });

  it('has the API for the care of the log on a port of its own', async () => {
    expect(await get('/admin/log')).toMatchObject({ durablePosition: 2, lastPosition: 2 });
    expect(await jobOf('/admin/log/verify')).toMatchObject({ result: { sound: true } });
    expect(await jobOf('/admin/snapshots')).toMatchObject({ result: { position: 2 } });
    expect(await jobOf('/admin/backups', { directory: join(root, 'backup') })).toMatchObject({
      state: 'succeeded',
      result: { firstSequence: 1, lastSequence: 2 },
    });
    const own = await fetch(`${await app.getUrl()}/admin/log`);
    expect(own.status).toBe(404);
  });

  it('proves the state by a replay of the events, with the model of the service', async () => {
    await jobOf('/admin/checkpoints');
    expect(await jobOf('/admin/state/verify')).toMatchObject({
      state: 'succeeded',
      result: { sound: true, complete: true, state: { replayed: { events: 2 } } },
    });
  });

  it('compacts by the policy of the service, and says so in its description', async () => {
    const { paths } = (await get('/openapi.json')) as {
      paths: Record<string, { post: { summary: string } }>;
    };
    expect(paths['/admin/compactions']?.post.summary).toBe(NOTES.compaction.summary);
    expect(await jobOf('/admin/compactions', { dryRun: true })).toMatchObject({
      kind: 'plan-compaction',
      result: { dispensableEvents: 0, supersededTexts: { events: 0, bytes: 0 } },
    });
  });

  it('tells health and figures of the log', async () => {
    expect(await get('/health/ready')).toMatchObject({
      ready: true,
      checks: { log: 'ok', clock: 'ok', state: 'ok', floors: 'ok', scrubbing: 'ok' },
      facts: { durablePosition: 2, logId: writer.log.logId },
    });
    const figures = await (await fetch(`${url}/metrics`)).text();
    expect(figures).toMatch(/^holdfast_log_durable_position 2$/m);
    expect(figures).toMatch(
      /^holdfast_commands_total\{command="WriteNote",outcome="accepted"\} 2$/m,
    );
    expect(figures).toMatch(/^holdfast_retention_failures_total 0$/m);
  });

  it('leaves the routes and the logger of the service alone', async () => {
    expect(await (await fetch(`${await app.getUrl()}/notes`)).text()).toBe('notes');
    new Logger('Notes').log('of the service itself');
    expect(told).toContain('of the service itself');
  });

  it('answers no more once the application is closed, before its log is', async () => {
    await app.close();
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
    await expect(writeNote(writer, 'b')).rejects.toMatchObject({ code: 'COMMANDS_UNAVAILABLE' });
  });
});

describe('a service whose operator cannot be served', () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-operations-'));
    told = [];
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it.each([
    [
      'others can reach it without a token',
      { host: '0.0.0.0', taken: false },
      'ADMIN_TOKEN_MISSING',
    ],
    ['another program has its port', { host: '127.0.0.1', taken: true }, 'PORT_IN_USE'],
  ])('does not start where %s', async (_why, { host, taken }, code) => {
    const other = createServer();
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    const port = taken ? (other.address() as AddressInfo).port : 0;
    const admin = { host, port, access: { token: '', tokenFile: '' } };
    const { app, writer } = await application({ admin });
    await expect(app.init()).rejects.toMatchObject({ code });
    await app.close();
    await writer.close();
    other.close();
  });

  it('is told that there is no state to checkpoint where the log keeps none', async () => {
    const { app } = await application();
    await app.init();
    const url = (await app.get(OperationsModule).url()) ?? 'none';
    for (const [method, path] of [
      ['GET', 'state'],
      ['POST', 'checkpoints'],
      ['POST', 'snapshots'],
    ] as const) {
      const answer = await fetch(`${url}/admin/${path}`, { method });
      expect(answer.status).toBe(409);
      expect(await answer.json()).toMatchObject({ type: '/problems/state-not-kept' });
    }
    await app.close();
  });

  it('has no compaction where the service can do without nothing', async () => {
    const { app } = await application({ service: { model: NOTES.model } });
    await app.init();
    const url = (await app.get(OperationsModule).url()) ?? 'none';
    expect((await fetch(`${url}/admin/compactions`, { method: 'POST' })).status).toBe(404);
    await app.close();
  });
});
