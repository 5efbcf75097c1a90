import {
  type JsonObject,
  type NewEvent,
  type Position,
  type RecordedEvent,
  WalEventLog,
} from '@holdfast/event-store';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestEvent {
  readonly stream?: string;
  readonly type?: string;
  readonly data?: JsonObject;
  readonly tags?: readonly string[];
}

const SMALL_SEGMENTS = { frameBytesMax: 8 * 1024 * 1024, segmentBytes: 16 * 1024 * 1024 };

/** A real log in a directory of its own, which can be restarted, backed up and restored. */
export class LogUnderTest {
  private constructor(
    private readonly root: string,
    private writer: WalEventLog,
  ) {}

  static async create(): Promise<LogUnderTest> {
    const root = await mkdtemp(join(tmpdir(), 'holdfast-feed-'));
    return new LogUnderTest(root, await openWriter(join(root, 'log')));
  }

  get directory(): string {
    return join(this.root, 'log');
  }

  get log(): WalEventLog {
    return this.writer;
  }

  /** One commit, durable when this resolves. */
  async append(...events: TestEvent[]): Promise<readonly RecordedEvent[]> {
    const appended = this.appendSoon(...events);
    await this.writer.whenDurable(appended.at(-1)!.position);
    return appended;
  }

  appendSoon(...events: TestEvent[]): readonly RecordedEvent[] {
    const appends = events.map(({ stream = 'stream-1', ...event }) => ({
      stream,
      expectedVersion: 'any' as const,
      events: [newEvent(event)],
    }));
    return this.writer.append({ appends }).events;
  }

  /** So many commits of one event each, all durable when this resolves. */
  async appendMany(count: number, event: (index: number) => TestEvent): Promise<Position> {
    for (let index = 0; index < count; index += 1) {
      this.appendSoon(event(index));
      if (index % 500 === 499) await this.writer.whenDurable(this.writer.lastPosition);
    }
    await this.writer.whenDurable(this.writer.lastPosition);
    return this.writer.lastPosition;
  }

  async stop(): Promise<void> {
    await this.writer.close();
  }

  async start(): Promise<void> {
    this.writer = await openWriter(this.directory);
  }

  /** While stopped. */
  async backUp(): Promise<void> {
    await cp(this.directory, join(this.root, 'backup'), { recursive: true });
  }

  /** While stopped: the log goes on from its backup, in a new history. */
  async restore(): Promise<void> {
    await rm(this.directory, { recursive: true });
    await cp(join(this.root, 'backup'), this.directory, { recursive: true });
  }

  async dispose(): Promise<void> {
    await this.writer.close();
    await rm(this.root, { recursive: true });
  }
}

function openWriter(directory: string): Promise<WalEventLog> {
  return WalEventLog.open(directory, { wal: { create: true, ...SMALL_SEGMENTS } });
}

function newEvent({ type = 'happened', data = {}, tags = [] }: TestEvent): NewEvent {
  return { id: randomUUID(), type, schemaVersion: 1, data, tags, metadata: { by: 'a test' } };
}
