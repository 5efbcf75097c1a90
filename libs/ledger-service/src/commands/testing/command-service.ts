import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpApplication, createHttpApplication, createLogger } from '@holdfast/platform';
import { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from '../../shared/ledger-problems.js';
import type { CommandWriterOptions } from '@holdfast/commands';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import { LedgerCommandsModule } from '../ledger-commands.module.js';

/** Small segments, because each is written full of zeros when it is made. */
const SMALL_LOG = {
  create: true,
  segmentBytes: 1024 * 1024,
  frameBytesMax: 512 * 1024,
  queuedBytesMax: 4 * 1024 * 1024,
} as const;

export interface TestRequest {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, with the media type of JSON. */
  readonly text?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Headers;
  /** The bytes of the body, as text. */
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A command service as it is: a log in a directory, HTTP on a free port of 127.0.0.1. */
export class TestCommandService {
  private constructor(
    readonly directory: string,
    readonly writer: LedgerWriter,
    readonly application: HttpApplication,
    readonly url: string,
  ) {}

  static async start(
    options: CommandWriterOptions = {},
    directory?: string,
  ): Promise<TestCommandService> {
    const path = directory ?? (await mkdtemp(join(tmpdir(), 'holdfast-commands-')));
    const writer = await LedgerWriter.open(path, {
      ...options,
      wal: { ...SMALL_LOG, ...options.wal },
    });
    const application = await createHttpApplication(LedgerCommandsModule.forRoot({ writer }), {
      logger: createLogger({ service: 'test', level: 'silent' }),
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
      openApi: { title: 'Test', version: '0' },
    });
    return new TestCommandService(path, writer, application, await application.listen(0));
  }

  get lastPosition(): number {
    return this.writer.log.lastPosition;
  }

  /** The same log, opened again. */
  async restart(options: CommandWriterOptions = {}): Promise<TestCommandService> {
    await this.stop();
    return TestCommandService.start(options, this.directory);
  }

  async stop(): Promise<void> {
    await this.application.stop(1_000);
  }

  async stopAndRemove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async send(method: string, path: string, request: TestRequest = {}): Promise<TestReply> {
    const body =
      request.text ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? {} : (JSON.parse(text) as TestReply['body']),
    };
  }
}

/** What an answer says, without what belongs to the request or the connection alone. */
export function answerOfReply({ status, headers, text }: TestReply) {
  const told: Record<string, string> = {};
  for (const name of ['content-type', 'location', 'etag', 'holdfast-position'])
    if (headers.has(name)) told[name] = headers.get(name) ?? '';
  return { status, headers: told, text };
}
