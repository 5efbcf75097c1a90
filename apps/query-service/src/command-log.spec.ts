import type { Position } from '@holdfast/event-store';
import { LedgerCommandsModule, LedgerWriter } from '@holdfast/ledger-service';
import { type HttpApplication, createHttpApplication, createLogger } from '@holdfast/platform';
import { type FeedCursor, divergenceOf } from '@holdfast/projections';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CommandLog } from './command-log.js';

const logger = createLogger({ service: 'test', level: 'silent' });
/** Never the answer's fault on a machine that is busy. */
const patient = () => AbortSignal.timeout(60_000);
const PATIENT = { waitLimit: patient, answerLimit: patient };
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const LOG_ID = 'a'.repeat(32);

describe('the log behind the command service', () => {
  let directory: string;
  let commands: HttpApplication | undefined;
  let log: CommandLog | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-command-log-'));
  });
  afterEach(async () => {
    await log?.close();
    await commands?.stop(1_000);
    log = commands = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  const open = (name: string) =>
    LedgerWriter.open(join(directory, name), {
      wal: { create: true, segmentBytes: 128 * 1024, frameBytesMax: 64 * 1024 },
    });

  /** One start of the log: so many ledgers, and where it stands at its end. */
  const grow = async (name: string, ...ledgers: readonly string[]): Promise<FeedCursor> => {
    const writer = await open(name);
    for (const ledger of ledgers)
      expect(
        await writer.execute({ type: 'OpenLedger', ledger }, { actor: 'tester' }),
      ).toMatchObject({ kind: 'answered' });
    const { log } = writer;
    const position = log.durablePosition;
    const cursor = { logId: log.logId, position, timeline: log.timelineAt(position) ?? '' };
    await writer.close();
    return cursor;
  };

  const serve = async (name: string): Promise<CommandLog> => {
    const writer = await open(name);
    commands = await createHttpApplication(LedgerCommandsModule.forRoot({ writer }), { logger });
    return (log = new CommandLog(await commands.listen(0), PATIENT));
  };

  it('tells a place of its history from one of a history that an older copy has replaced, also when it has grown past it', async () => {
    const kept = await grow('wal', 'one', 'two');
    await cp(join(directory, 'wal'), join(directory, 'copy'), { recursive: true });
    const lost = await grow('wal', 'three', 'four');
    const own = await grow('copy', 'other-three', 'other-four', 'other-five');
    const seen = (await (await serve('copy')).look())!;
    expect(seen.durablePosition).toBeGreaterThan(lost.position);
    expect(divergenceOf(seen, kept)).toBeUndefined();
    expect(divergenceOf(seen, own)).toBeUndefined();
    expect(divergenceOf(seen, lost)).toMatchObject({ code: 'FEED_DIVERGED' });
  });
});

describe('what was learned of the log', () => {
  let server: Server;
  let timeline: string;
  let timelines: string | undefined;
  let answers: number;
  let hold: Promise<void> | undefined;
  let log: CommandLog;
  let now = 0;
  /** Ends what waits for an answer; the question goes on. */
  let giveUp: () => void;
  /** Ends the question under way. */
  let endQuestion: () => void;

  beforeEach(async () => {
    timeline = '1'.repeat(16);
    answers = 0;
    timelines = undefined;
    hold = undefined;
    server = createServer((_, response) => {
      answers += 1;
      const facts = {
        logId: LOG_ID,
        durablePosition: 9,
        logTimeline: timeline,
        logTimelines: timelines,
      };
      const body = JSON.stringify({ ready: true, checks: {}, facts });
      void (hold ?? Promise.resolve()).then(() => response.end(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const waits: AbortController[] = [];
    giveUp = () => waits.splice(0).forEach((wait) => wait.abort());
    log = new CommandLog(urlOf(server), {
      monotonicMillis: () => now,
      waitLimit: () => {
        waits.push(new AbortController());
        return waits.at(-1)!.signal;
      },
      answerLimit: () => {
        const question = new AbortController();
        endQuestion = () => question.abort();
        return question.signal;
      },
    });
  });
  afterEach(async () => {
    await log.close();
    await stop();
  });

  const stop = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };

  const start = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };

  /** The command service takes the next question, and is late with its answer until it is released. */
  const lateLook = async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    const looked = log.look();
    await once(server, 'request');
    giveUp();
    now += 500;
    return { looked: (await looked)?.newestTimeline, release };
  };

  it('refuses a place before all that it was told of, which may be of a history that is no more', async () => {
    timelines = `${timeline}@7 ${'0'.repeat(16)}@4`;
    const seen = (await log.look())!;
    const cursors = (
      [
        [9, '1'],
        [6, '0'],
        [4, '0'],
        [3, '0'],
        [7, '0'],
      ] as const
    ).map(([position, digit]) => ({
      logId: LOG_ID,
      position: position as Position,
      timeline: digit.repeat(16),
    }));
    const refusals = cursors.map((cursor) => divergenceOf(seen, cursor)?.code);
    const [fine, refused] = [undefined, 'FEED_DIVERGED'];
    expect(refusals).toEqual([fine, fine, fine, refused, refused]);
  });

  it('is asked for again, before anything rests on it, once it is a second old', async () => {
    expect((await log.look())?.newestTimeline).toBe('1'.repeat(16));
    timeline = '2'.repeat(16);
    now += 999;
    expect((await log.look())?.newestTimeline).toBe('1'.repeat(16));
    now += 1;
    expect((await log.look())?.newestTimeline).toBe('2'.repeat(16));
    expect(answers).toBe(2);
  });

  it('is never an answer to a question that was put before', async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    const before = log.ask();
    await once(server, 'request');
    const after = [log.ask(), log.ask()];
    timeline = '2'.repeat(16);
    release();
    expect((await before)?.newestTimeline).toBe('1'.repeat(16));
    for (const asked of after) expect((await asked)?.newestTimeline).toBe('2'.repeat(16));
    expect(answers).toBe(2);
  });

  it('is waited for no longer than the time limit, from the call on, also when another question is under way', async () => {
    hold = new Promise(() => undefined);
    const asked = [log.ask()];
    await once(server, 'request');
    asked.push(log.ask(), log.ask());
    giveUp();
    expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined]);
    expect(answers).toBe(1);
  });

  it('is believed while nobody answers, and a place is of the newest history where no other is told', async () => {
    await log.look();
    await stop();
    now += 10_000;
    const seen = (await log.look())!;
    expect(seen.timelineAt(3 as Position)).toBe('1'.repeat(16));
    expect(await log.ask()).toBeUndefined();
    await start(0);
  });

  it('is told by an answer that comes late too', async () => {
    const { looked, release } = await lateLook();
    expect(looked).toBeUndefined();
    release();
    while ((await log.look()) === undefined) await setImmediate();
    expect(answers).toBe(1);
  });

  it('is believed while the process that told it is late, and nobody waits for that twice; no longer when it does not answer at all', async () => {
    await log.look();
    now += 60_000;
    const { looked } = await lateLook();
    expect(looked).toBe('1'.repeat(16));
    now += 9_000;
    expect(log.look()).toMatchObject({ newestTimeline: '1'.repeat(16) });
    now += 1_000;
    expect(log.look()).toBeUndefined();
    const next = log.ask();
    const asked = once(server, 'request');
    endQuestion();
    await asked;
    const again = log.look();
    giveUp();
    expect(await again).toBeUndefined();
    expect(await next).toBeUndefined();
  });

  it('is not believed where the process that accepts has not answered yet: it may have begun on a restored log', async () => {
    await log.look();
    const { port } = server.address() as AddressInfo;
    await stop();
    now += 1_000;
    expect(await log.look()).toMatchObject({ newestTimeline: '1'.repeat(16) });
    await start(port);
    now += 1_000;
    timeline = '2'.repeat(16);
    const { looked, release } = await lateLook();
    expect(looked).toBeUndefined();
    release();
    await log.ask();
    expect(log.look()).toMatchObject({ newestTimeline: '2'.repeat(16) });
  });

  it('is not believed either when that process ended before it answered', async () => {
    await log.look();
    const { port } = server.address() as AddressInfo;
    await stop();
    now += 1_000;
    expect(await log.look()).toBeDefined();
    await start(port);
    now += 1_000;
    await lateLook();
    await stop();
    now += 1_000;
    expect(await log.ask()).toBeUndefined();
    expect(log.look()).toBeUndefined();
    await start(port);
  });
});
