import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Wal } from '@holdfast/wal';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogScrubber, type LogScrubberOptions, type ScrubbedLog } from './log-scrubber.js';
import { RecordedLog, type RecordedLine } from '../testing/recorded-log.js';

const RECORD = Buffer.alloc(8_000, 'x');
const FLIPPED_OFFSET = 12_000;
const SEALED_SEGMENTS = 4;

let directory: string;
let wal: Wal;
let scrubber: LogScrubber;
let lines: RecordedLine[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'scrubber-'));
  wal = await Wal.open(directory, {
    create: true,
    segmentBytes: 32 * 1024,
    frameBytesMax: 16 * 1024,
  });
  while (wal.stats().rotations < SEALED_SEGMENTS) await wal.append([RECORD]).durable;
  lines = [];
});

afterEach(async () => {
  scrubber.stop();
  await wal.close();
  await scrubber.ended;
  rmSync(directory, { recursive: true });
});

function start(
  options: Partial<LogScrubberOptions> = {},
  log: ScrubbedLog = wal.maintenance,
): void {
  const logger = new RecordedLog();
  lines = logger.lines;
  const bytesPerSecond = 1024 * 1024 * 1024;
  scrubber = new LogScrubber(log, { bytesPerSecond, pauseMillis: 2, logger, ...options });
  scrubber.start();
}

/** Until a pass that began from now on has ended. */
async function aWholePass(): Promise<void> {
  const { passes } = scrubber.stats;
  while (scrubber.stats.passes < passes + 2) await setTimeout(2);
}

/** Until the log has given every sealed segment its digest, which it does in the background. */
async function untilFinished(): Promise<void> {
  while ((await wal.maintenance.scrub({ bytesPerSecond: 1e9 })).segments < SEALED_SEGMENTS)
    await setTimeout(2);
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[FLIPPED_OFFSET]! ^= 1;
  writeFileSync(path, bytes);
}

describe('a scrubber', () => {
  it('reads every finished segment of the log, again and again', async () => {
    await untilFinished();
    start({ clock: { nowMillis: () => 1_234 } });
    await aWholePass();
    scrubber.stop();
    const { passes, segments, bytes, ...rest } = scrubber.stats;
    expect(passes).toBeGreaterThanOrEqual(2);
    expect(segments).toBeGreaterThanOrEqual(passes * SEALED_SEGMENTS);
    expect(bytes).toBeGreaterThan(segments * 2 * RECORD.length);
    expect(rest).toEqual({ problems: 0, damagedSegments: 0, passEndedAtMillis: 1_234 });
    expect([scrubber.damage, lines]).toEqual([undefined, []]);
  });

  it('tells an operator of a damaged segment in each pass, without an end of the service, until it is mended', async () => {
    await untilFinished();
    const [name] = readdirSync(directory)
      .filter((file) => file.endsWith('.wal'))
      .sort();
    const file = join(directory, name!);
    flipBit(file);
    start();
    await aWholePass();
    const { problems, damagedSegments } = scrubber.stats;
    expect([problems > 1, damagedSegments]).toEqual([true, 1]);
    expect(scrubber.damage).toContain(file);
    expect(lines.slice(0, 2)).toEqual([
      expect.objectContaining({ level: 'error', file, firstSequence: 1 }),
      expect.objectContaining({ level: 'error', file, firstSequence: 1 }),
    ]);

    flipBit(file);
    await aWholePass();
    expect([scrubber.damage, scrubber.stats.damagedSegments]).toEqual([undefined, 0]);
    expect(lines.at(-1)).toMatchObject({ level: 'info', file });
  });

  it.each([
    ['forgets a damaged segment that belongs to the log no longer', [], undefined],
    [
      'does not forget one that could not be read again',
      ['/gone'],
      expect.stringMatching('rotted'),
    ],
  ])('%s', async (_, unread, damage) => {
    const problem = { file: '/gone', offset: 0, firstSequence: 1, reason: 'it has rotted' };
    let found = true;
    start(
      {},
      {
        scrub: ({ onSegment }) => {
          if (found) onSegment?.({ path: problem.file, bytes: 1, intact: false, problem });
          found = false;
          return Promise.resolve({
            ...{ segments: 0, bytes: 0, skipped: unread.length, lastSequence: 0, problems: [] },
            unread: unread.map((file) => ({ file, reason: 'EMFILE' })),
          });
        },
      },
    );
    await aWholePass();
    expect([scrubber.damage, scrubber.stats.problems]).toEqual([damage, 1]);
  });

  it('says nothing of a segment whose reading was cut short by the end of the service', async () => {
    let cut = false;
    start(
      {},
      {
        scrub: async ({ signal, onSegment }) => {
          while (signal?.aborted !== true) await setTimeout(1);
          const problem = { file: '/a', offset: 0, firstSequence: 1, reason: 'the worker ended' };
          onSegment?.({ path: '/a', bytes: 1, intact: false, problem });
          cut = true;
          return {
            segments: 1,
            bytes: 1,
            skipped: 0,
            lastSequence: 9,
            problems: [problem],
            unread: [],
          };
        },
      },
    );
    await setTimeout(10);
    scrubber.stop();
    await scrubber.ended;
    expect([cut, scrubber.damage, scrubber.stats.passes, lines]).toEqual([
      ...[true, undefined, 0, []],
    ]);
  });

  it('reads nothing at a rate of 0, and ends its pauses when it is told to stop', async () => {
    await untilFinished();
    start({ bytesPerSecond: 0 });
    await setTimeout(20);
    expect(scrubber.stats.segments).toBe(0);
    start({ pauseMillis: 3_600_000 });
    scrubber.stop();
    await scrubber.ended;
    expect(scrubber.stats.passes).toBe(0);
  });
});
