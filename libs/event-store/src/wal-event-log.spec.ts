import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type File, type FileSystem, NodeFileSystem, Wal, type WalOptions } from '@holdfast/wal';
import { sequenceOf } from './log/durable-events.js';
import { RECORDED_AT_HIGH_AT, STREAM_VERSION_LOW_AT } from './codec/event-format.js';
import { EventLogReader } from './event-log-reader.js';
import { type Engine, describeEventLog } from './testing/event-log.contract.js';
import { describeEventSource } from './testing/event-source.contract.js';
import {
  allEvents,
  collected,
  oneAppend,
  position,
  sampleEvent,
  sampleEvents,
} from './testing/sample-events.js';
import { WalEventLog, type WalEventLogOptions } from './wal-event-log.js';

const MEBIBYTE = 1024 * 1024;
/** Small segments: a log zeroes one ahead at every opening, and these tests open many. */
const CREATE: WalOptions = {
  create: true,
  frameBytesMax: 8 * MEBIBYTE,
  segmentBytes: 16 * MEBIBYTE,
};

async function makeEngine(wal: WalOptions = CREATE): Promise<Engine> {
  const directory = temporaryDirectory();
  return Promise.resolve({
    open: (options = {}) => WalEventLog.open(join(directory, 'log'), { ...options, wal }),
    dispose: () => {
      rmSync(directory, { recursive: true });
      return Promise.resolve();
    },
  });
}

function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'event-log-'));
}

describeEventLog('write-ahead log', () => makeEngine());

describeEventSource('a reader on the log in its directory', async () => {
  const directory = temporaryDirectory();
  const log = await WalEventLog.open(join(directory, 'log'), { wal: CREATE });
  const source = await EventLogReader.open(join(directory, 'log'));
  const close = async (): Promise<void> => {
    await source.close();
    await log.close();
    rmSync(directory, { recursive: true });
  };
  return { log, source, close };
});

describe('the event log on the write-ahead log', () => {
  let directory: string;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    rmSync(directory, { recursive: true });
  });

  async function open(options: WalEventLogOptions = {}, name = 'log'): Promise<WalEventLog> {
    const wal = { ...CREATE, ...options.wal };
    const log = await WalEventLog.open(join(directory, name), { ...options, wal });
    opened.push(log);
    return log;
  }

  it('refuses a directory without a log unless it is told to make one', async () => {
    await expect(WalEventLog.open(join(directory, 'none'))).rejects.toMatchObject({
      code: 'WAL_NOT_FOUND',
    });
    await expect(EventLogReader.open(join(directory, 'none'))).rejects.toMatchObject({
      code: 'WAL_NOT_FOUND',
    });
  });

  it('releases the log when opening fails, so that another program can have it', async () => {
    const log = await open();
    log.append(oneAppend('s', [sampleEvent(1)]));
    await log.close();
    const evolve = (): never => {
      throw new Error('no');
    };
    await expect(open({ evolve })).rejects.toMatchObject({ code: 'EVENT_STATE_BROKEN' });
    expect(await allEvents(await open())).toHaveLength(1);
  });

  it('sees whole commits only, wherever a crash has cut the last one', async () => {
    const log = await open({ wal: { idleMillis: 60_000 } });
    const before = await log.appendDurably(oneAppend('s', sampleEvents(3)));
    const promised = readFileSync(join(directory, 'log', 'WATERMARK'));
    const last = await log.appendDurably(oneAppend('s', sampleEvents(4), 3));
    const segment = readdirSync(join(directory, 'log')).find((name) => name.endsWith('.wal'))!;
    const image = readFileSync(join(directory, 'log', segment));
    const begin = image.indexOf(idBytes(last.events[0]!.id));
    const end = image.indexOf(idBytes(last.events[3]!.id)) + 40;
    expect(begin).toBeGreaterThan(0);
    for (let cut = begin; cut < end; cut += Math.ceil((end - begin) / 12)) {
      // What a crash in the middle of the write leaves: the rest is the zeros that were there before.
      const copy = `cut-${cut}`;
      cpSync(join(directory, 'log'), join(directory, copy), { recursive: true });
      writeFileSync(join(directory, copy, segment), Buffer.from(image).fill(0, cut));
      writeFileSync(join(directory, copy, 'WATERMARK'), promised);
      const recovered = await open({}, copy);
      expect(await allEvents(recovered)).toEqual(before.events);
      expect([recovered.lastPosition, recovered.streamVersion('s')]).toEqual([3, 3]);
      const { events } = await recovered.appendDurably(oneAppend('s', sampleEvents(1), 3));
      expect(await collected(recovered.readStream('s'))).toEqual([...before.events, ...events]);
      await recovered.close();
    }
  });

  it('tells a repeated append from a new one after a crash, by whether the first was whole', async () => {
    const log = await open();
    const commit = oneAppend('s', sampleEvents(2), 0);
    await log.appendDurably(commit);
    cpSync(join(directory, 'log'), join(directory, 'crashed'), { recursive: true });
    const recovered = await open({}, 'crashed');
    expect(recovered.append(commit)).toMatchObject({ repeated: true, position: 2 });
    const empty = await open({}, 'other');
    expect(empty.append(commit)).toMatchObject({ repeated: false, position: 2 });
  });

  it('reports the progress of a replay, to the end', async () => {
    const log = await open();
    for (let commit = 0; commit < 20; commit++)
      log.append(oneAppend(`s-${commit}`, sampleEvents(1_000)));
    await log.close();
    const seen: { position: number; lastPosition: number; elapsedMillis: number }[] = [];
    await open({ onReplayProgress: (progress) => void seen.push(progress) });
    expect(seen.at(-1)).toEqual({
      position: 20_000,
      lastPosition: 20_000,
      elapsedMillis: expect.any(Number),
    });
    expect(seen.map((progress) => progress.position)).toEqual(
      seen.map((progress) => progress.position).sort((a, b) => a - b),
    );
  });

  it('refuses a log whose records are not events, by position', async () => {
    const wal = await Wal.open(join(directory, 'log'), CREATE);
    await wal.append([Buffer.from('something else, and longer than the header of an event')])
      .durable;
    await wal.close();
    await expect(open()).rejects.toMatchObject({
      code: 'EVENT_UNSUPPORTED_FORMAT',
      details: { position: 1 },
    });
    const reader = await EventLogReader.open(join(directory, 'log'));
    opened.push(reader);
    await expect(allEvents(reader)).rejects.toMatchObject({ code: 'EVENT_UNSUPPORTED_FORMAT' });
  });

  it.each<[string, (event: Buffer) => void]>([
    ['whose stream versions do not continue', () => undefined],
    [
      'whose times go back',
      (event) => {
        event.writeUInt32LE(2, STREAM_VERSION_LOW_AT);
        event.writeUInt16LE(0, RECORDED_AT_HIGH_AT);
      },
    ],
  ])('refuses a log %s, by position', async (_, change) => {
    const log = await open();
    await log.appendDurably(oneAppend('s', sampleEvents(1)));
    await log.close();
    const wal = await Wal.open(join(directory, 'log'), CREATE);
    const second = Buffer.from(wal.recordAt(sequenceOf(position(1)))!.payload);
    change(second);
    await wal.append([second]).durable;
    await wal.close();
    await expect(open()).rejects.toMatchObject({
      code: 'EVENT_CORRUPT',
      details: { position: 2 },
    });
  });

  it('answers nothing more after a failed sync, and finds the truth when it is opened again', async () => {
    const disk = new FailingDisk();
    const log = await open({ wal: { fileSystem: disk, ioMode: 'synchronous' } });
    const kept = await log.appendDurably(oneAppend('s', [sampleEvent(1)]));
    const subscription = collected(
      log.subscribe({ after: position(1), signal: new AbortController().signal }),
    );
    disk.failing = true;
    const commit = oneAppend('s', [sampleEvent(2)], 1);
    const lost = log.append(commit);
    const repeated = log.append(commit);
    const poisoned = { code: 'WAL_POISONED' };
    await expect(log.whenDurable(lost.position)).rejects.toMatchObject(poisoned);
    await expect(log.whenDurable(repeated.position)).rejects.toMatchObject(poisoned);
    await expect(log.whenDurable(position(2))).rejects.toMatchObject(poisoned);
    await expect(subscription).rejects.toMatchObject(poisoned);
    expect(() => log.append(oneAppend('s', [sampleEvent(3)]))).toThrow(
      expect.objectContaining(poisoned),
    );
    expect(log.poisoned).toMatchObject(poisoned);
    expect(await log.failed).toMatchObject(poisoned);
    expect(await allEvents(log)).toEqual(kept.events);
    await log.close();
    const again = await open();
    const { repeated: known } = again.append(commit);
    await again.whenDurable(position(2));
    // The write had reached the file, so recovery kept it; had it not, the same append would be a new one.
    expect([known, (await allEvents(again)).length]).toEqual([true, 2]);
  });

  it('recognises a repeated append in a log that acknowledges before it syncs', async () => {
    const log = await open({ wal: { durability: 'none' } });
    const commit = oneAppend('s', sampleEvents(2), 0);
    const first = await log.appendDurably(commit);
    expect(log.durablePosition).toBe(0);
    expect(log.append(commit)).toMatchObject({ events: first.events, repeated: true });
    await log.whenDurable(position(2));
    expect(await allEvents(log)).toEqual([]);
  });

  it('holds a bounded number of events in memory, also when nobody asks for a sync', async () => {
    const log = await open({ wal: { durability: 'none' } });
    for (let commit = 0; commit < 30; commit++)
      await log.appendDurably(oneAppend('s', sampleEvents(2_500)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(log.durablePosition).toBeGreaterThanOrEqual(50_000);
  });

  it('gives a reader in the same state of the log what the writer gives', async () => {
    const log = await open({ wal: { frameBytesMax: 16_384, segmentBytes: 32_768 } });
    for (let commit = 0; commit < 200; commit++)
      await log.appendDurably(oneAppend(`s-${commit % 9}`, sampleEvents(5)));
    expect(log.stats().rotations).toBeGreaterThan(2);
    const reader = await EventLogReader.open(join(directory, 'log'));
    opened.push(reader);
    while (reader.durablePosition < log.durablePosition)
      await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await allEvents(reader)).toEqual(await allEvents(log));
    expect(reader.eventAt(position(500))).toEqual(log.eventAt(position(500)));
    expect(reader.timelineAt(position(500))).toBe(log.timelineAt(position(500)));
  });
});

function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

/** The real file system, whose syncs can be made to fail. */
class FailingDisk extends NodeFileSystem implements FileSystem {
  failing = false;

  override open(path: string, mode: 'read' | 'write' | 'create'): File {
    const file = super.open(path, mode);
    const sync = file.dataSync.bind(file);
    file.dataSync = () => {
      if (this.failing) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      sync();
    };
    return file;
  }
}
