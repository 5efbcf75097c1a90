import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type ClockBounds, WalEventLog } from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import type { Sequence } from '@holdfast/wal';
import { ArchiveDirectory } from '@holdfast/wal/maintenance';
import { LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';
import { COMMIT_EVENTS, countedCommit } from '../state/expected-state.js';
import {
  copyOf,
  type OpenOptions,
  openService,
  removeServices,
  type ServiceImage,
  SimulatedService,
} from '../state/simulated-service.js';

type Probe = () => Promise<void>;

/** Of what decisions rest on beside the state: the log's own time, and keys that are known for as long as their events are in the log. */
export const EVENT_PROBES: Readonly<Record<string, Probe>> = {
  'a clock that cannot be believed': clockInDoubt,
  'the newest event of a tag': () => newestOfTags().finally(removeServices),
};

const MINUTE_MILLIS = 60_000;
const DAY_MILLIS = 24 * 60 * MINUTE_MILLIS;
const SKEW_MILLIS_MAX = 10_000;

/** One machine whose two clocks are moved, and the log of its process, which is started again and again. */
async function clockInDoubt(): Promise<void> {
  const system = SimulatedFileSystem.on();
  const machine = { wall: Date.UTC(2026, 0, 1), monotonic: 5 };
  const clock = { nowMillis: () => machine.wall, monotonicMillis: () => machine.monotonic };
  const start = (bounds: Partial<ClockBounds> = {}): Promise<WalEventLog> =>
    WalEventLog.open(LOG, {
      wal: simulatedOptions(system),
      clock,
      clockBounds: { skewMillisMax: SKEW_MILLIS_MAX, gapMillisMax: 7 * DAY_MILLIS, ...bounds },
    });
  const pass = (millis: number): void => {
    machine.wall += millis;
    machine.monotonic += millis;
  };
  let log = await start();
  const expect = async (what: string, isTaken: boolean): Promise<void> => {
    const before = log.lastRecordedAtMillis;
    const fault = await append(log);
    if ((fault === undefined) !== isTaken) throw new Error(`${what}: ${fault ?? 'is recorded'}`);
    if (log.present().logMillis < before) throw new Error(`${what}: the log's time has gone back`);
  };
  await expect('the first event', true);
  pass(MINUTE_MILLIS);
  machine.wall += DAY_MILLIS;
  await expect('a jump ahead', false);
  if (log.present().logMillis > machine.wall - DAY_MILLIS + SKEW_MILLIS_MAX)
    throw new Error("the log's time follows a clock that is not believed");
  machine.wall -= DAY_MILLIS;
  await expect('the right time again', true);
  machine.wall += SKEW_MILLIS_MAX - 1_000;
  await expect('a correction', true);
  machine.wall += SKEW_MILLIS_MAX - 1_000;
  await expect('two corrections that are a jump', false);
  machine.wall -= 2 * DAY_MILLIS;
  await expect('a jump back', false);
  log.acceptClock();
  await expect('what an operator has accepted', true);
  pass(MINUTE_MILLIS);
  machine.wall -= DAY_MILLIS;
  await expect('a jump back after another was accepted', false);
  await log.close();

  machine.wall = log.lastRecordedAtMillis - MINUTE_MILLIS;
  log = await start();
  await expect('a start before the last event', false);
  await log.close();
  machine.wall = log.lastRecordedAtMillis + 8 * DAY_MILLIS;
  log = await start();
  await expect('a start long after the last event', false);
  await log.close();
  log = await start({ acceptedMillis: machine.wall - DAY_MILLIS });
  await expect('a start for which another time was accepted', false);
  await log.close();
  log = await start({ acceptedMillis: machine.wall - MINUTE_MILLIS });
  await expect('a start whose time was accepted', true);
  machine.wall += DAY_MILLIS;
  await expect('a jump ahead after that', false);
  await log.close();
}

/** What an append is refused with; undefined when it is taken. */
async function append(log: WalEventLog): Promise<string | undefined> {
  const event = { id: randomUUID(), type: 'Counted', schemaVersion: 1, data: {} };
  try {
    await log.appendDurably({
      appends: [{ stream: 's', expectedVersion: 'any', events: [event] }],
    });
    return undefined;
  } catch (error) {
    if (errorCode(error) !== 'EVENT_CLOCK_SKEW') throw error;
    return 'EVENT_CLOCK_SKEW';
  }
}

const ROUNDS = 3;
/** More than a chunk of the index has room for, of each of the seven tags, and several segments. */
const ROUND_COMMITS = 80;
const TAGS = 7;

/** At each step of checkpoints, durable or not, and then in copies: with checkpoints that are cut in pieces, from the archive, without the beginning of the log, and without what compaction dropped. */
async function newestOfTags(): Promise<void> {
  let problem: unknown;
  const service = await SimulatedService.open((event) => {
    if (event.kind !== 'checkpoint-step') return;
    try {
      void service.appendNow();
      const commits = service.commits.length;
      for (let tag = 1; tag <= TAGS; tag++) expectNewest(service.log, commits - tag, 'is found');
    } catch (error) {
      problem ??= error;
    }
  });
  for (let round = 0; round < ROUNDS; round++) {
    await service.append(ROUND_COMMITS);
    await service.checkpoint();
  }
  if (problem !== undefined) throw problem as Error;
  const commits = service.commits.length;
  const image = await service.close();
  await inCopy(image, inPieces, async (log) => {
    for (let number = commits; number < commits + ROUND_COMMITS; number++) {
      const { position } = log.append(countedCommit(number));
      expectNewest(log, number, 'is found');
      // As much as the queue of so small a log takes.
      if (number % 10 === 0) await log.whenDurable(position);
    }
  });
  await inCopy(image, archived, async (log) => {
    await log.wal.maintenance.archiveSealed();
    await log.wal.maintenance.removeSegments({ below: log.wal.durableSequence });
    for (let number = 0; number < commits; number++) expectNewest(log, number, 'is found', 'key');
  });
  await inCopy(image, asItIs, async (log) => {
    await log.wal.maintenance.removeSegments({ below: (log.wal.durableSequence / 2) as Sequence });
    if (log.firstPosition < 2) throw new Error('nothing was removed');
    for (let number = 0; number < commits; number++) {
      const isGone = COMMIT_EVENTS * (number + 1) < log.firstPosition;
      expectNewest(log, number, isGone ? 'is gone' : 'is found', 'key');
    }
  });
  await inCopy(image, asItIs, async (log) => {
    const kept = commits - TAGS;
    const drop = (sequence: number): boolean => sequence > COMMIT_EVENTS * kept;
    const below = (log.wal.durableSequence + 1) as Sequence;
    await log.wal.maintenance.compact({ below, drop, savedFractionMin: 0 });
    for (let tag = 1; tag <= TAGS; tag++) expectNewest(log, kept - tag, 'is found');
    for (let number = kept; number < commits; number++)
      if (log.lastTagged(`key-${number}`) !== undefined)
        throw new Error(`key-${number} is known, and its events were dropped`);
  });
}

type Options = (system: SimulatedFileSystem) => OpenOptions;
const asItIs: Options = () => ({});
const inPieces: Options = () => ({ state: { checkpointEntries: 40 } });
const archived: Options = (system) => ({
  wal: { archive: ArchiveDirectory.open('/archive', { create: true, fileSystem: system }) },
});

async function inCopy(
  image: ServiceImage,
  options: Options,
  work: (log: WalEventLog) => Promise<void>,
): Promise<void> {
  const { log: files, directory } = copyOf(image);
  const system = SimulatedFileSystem.on(files);
  const log = await openService(system, directory, options(system));
  try {
    await work(log);
  } finally {
    await log.close();
  }
}

/** All events of a commit have its tags, and the last of them is the newest: of its key for ever, and of its other tag while no later commit has that. */
function expectNewest(
  log: WalEventLog,
  number: number,
  what: 'is found' | 'is gone',
  kind: 't' | 'key' = 't',
): void {
  const tag = kind === 't' ? `t-${number % TAGS}` : `key-${number}`;
  const found = log.lastTagged(tag);
  const position = COMMIT_EVENTS * (number + 1);
  const wanted = [position, what === 'is found' ? position : undefined];
  if (!isDeepStrictEqual([found?.position, found?.event?.position], wanted))
    throw new Error(
      `${tag} ${what} at ${position}, not at ${found?.position} as ${found?.event?.position}`,
    );
}
