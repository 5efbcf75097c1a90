import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointedStateOptions } from '@holdfast/event-store';
import { type HttpApplication, ServiceLifecycle, createLogger } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import { ArchiveDirectory } from '@holdfast/wal/maintenance';
import type { CommandWriterOptions } from '@holdfast/commands';
import { NOTES, type NotesWriter, SMALL_LOG, openNotes, writeNote } from './notes.js';
import {
  type DataDirectories,
  LogOperations,
  type LogOperationsOptions,
  type OperatedService,
  type RetentionSettings,
} from '@holdfast/operations';
import { startAdmin } from '../start-admin.js';

export interface AdminReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AdminServiceOptions {
  readonly token?: string;
  readonly floors?: Partial<LogOperationsOptions['floors']>;
  readonly retention?: RetentionSettings;
  readonly backupDirectory?: string;
  readonly state?: Partial<CheckpointedStateOptions>;
  /** Default false. */
  readonly archive?: boolean;
  /** Default: notes, without a read model. */
  readonly service?: (writer: NotesWriter, readModelDirectory: string) => OperatedService;
  readonly writer?: Pick<CommandWriterOptions, 'clock' | 'clockBounds'>;
}

export interface LoggedLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** As the configuration of the services has them: made of one. */
class TestDirectories implements DataDirectories {
  constructor(readonly dataDirectory: string) {}

  get stateDirectory(): string {
    return join(this.dataDirectory, 'state');
  }

  get snapshotDirectory(): string {
    return join(this.dataDirectory, 'snapshots');
  }

  get readModelDirectory(): string {
    return join(this.dataDirectory, 'read-models');
  }
}

/** A log with its administration, served on a free port of 127.0.0.1. */
export class TestAdminService {
  private number = 0;

  private constructor(
    readonly directory: string,
    readonly writer: NotesWriter,
    readonly consumers: FeedConsumers,
    readonly operations: LogOperations,
    readonly lines: readonly LoggedLine[],
    private readonly application: HttpApplication,
    readonly url: string,
  ) {}

  static async start(options: AdminServiceOptions = {}): Promise<TestAdminService> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-admin-'));
    const lines: LoggedLine[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line) as LoggedLine) };
    const logger = createLogger({ service: 'test', level: 'info', destination });
    const archive =
      options.archive === true
        ? ArchiveDirectory.open(join(directory, 'archive'), { create: true })
        : undefined;
    const writer = await openNotes(join(directory, 'wal'), {
      ...options.writer,
      wal: { ...SMALL_LOG, ...(archive && { archive }) },
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        ...options.state,
      },
    });
    const consumers = new FeedConsumers();
    const operations = new LogOperations({
      ...{ log: writer.log, consumers, logger },
      floors: { behindEventsMax: 0, behindBytesMax: 0, ...options.floors },
      ...(options.retention && { retention: options.retention }),
    });
    const directories = new TestDirectories(directory);
    const service = options.service?.(writer, directories.readModelDirectory) ?? NOTES;
    const application = await startAdmin({
      ...{ service, operations, logger, lifecycle: new ServiceLifecycle() },
      directories,
      backupDirectory: options.backupDirectory ?? '',
      admin: {
        ...{ host: '127.0.0.1', port: 0 },
        access: { token: options.token ?? '', tokenFile: '' },
      },
    });
    const url = await application.nest.getUrl();
    return new TestAdminService(directory, writer, consumers, operations, lines, application, url);
  }

  /** Writes so many notes more, which is one event each. */
  async fill(events: number): Promise<void> {
    for (let count = 0; count < events; count += 1) {
      await writeNote(this.writer, `note-${(this.number += 1)}-${'x'.repeat(40)}`);
    }
  }

  /** Fills until so many more segments are sealed. */
  async rotate(segments: number): Promise<void> {
    const until = this.writer.log.stats().rotations + segments;
    while (this.writer.log.stats().rotations < until) await this.fill(20);
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<AdminReply> {
    const answered = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answered.text();
    const parsed = text === '' ? {} : (JSON.parse(text) as AdminReply['body']);
    return { status: answered.status, headers: answered.headers, body: parsed };
  }

  /** The job that a request has started, once it has ended. */
  async jobOf(reply: AdminReply): Promise<AdminReply['body']> {
    const path = reply.headers.get('location') ?? 'no location';
    await this.operations.jobs.ended(path.replace(/^.*\//, ''));
    return (await this.send('GET', path)).body;
  }

  async stop(): Promise<void> {
    await this.application.stop(1_000);
    await this.writer.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
