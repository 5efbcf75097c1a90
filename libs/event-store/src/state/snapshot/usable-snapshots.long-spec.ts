import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StateSnapshots } from '../checkpoint/state-snapshots.js';
import type { Evolve } from '../../fold/folded-state.js';
import type { CheckpointedStateOptions, StateEvent } from '../model/state-options.js';
import { StateJobFailed, StateThread } from '../thread/state-thread.js';
import { oneAppend, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const evolve: Evolve = ({ stream, position }, state) => {
  state.section<number>('last').set(stream, position);
};

describe('a snapshot that no state can begin with', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;
  const at = (name: string): string => join(directory, name);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'usable-snapshots-'));
    log = await open();
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  async function open(
    state: Partial<CheckpointedStateOptions> = {},
    name = 'log',
  ): Promise<WalEventLog> {
    events = [];
    return WalEventLog.open(at(name), {
      wal: { create: true, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 },
      evolve,
      state: {
        directory: at('state'),
        snapshotDirectory: at('snapshots'),
        snapshotMillis: 0,
        onEvent: (event) => events.push(event),
        ...state,
      },
    });
  }

  async function reopen(state: Partial<CheckpointedStateOptions> = {}): Promise<void> {
    await log.close();
    log = await open(state);
  }

  async function snapshots(count: number): Promise<string[]> {
    const paths: string[] = [];
    for (let made = 0; made < count; made++) {
      await log.appendDurably(oneAppend(`stream-${made}`, [sampleEvent(made)]));
      paths.push((await log.snapshot()).path);
    }
    return paths;
  }

  const files = () => readdirSync(at('snapshots')).sort();
  const whole = async () => {
    const found = await log.wholeSnapshots({ signal: new AbortController().signal });
    return found.map(({ position }) => position);
  };

  async function expectNoneUsable(reason: RegExp): Promise<void> {
    const unusable = [2, 1].map((position) => ({
      position,
      reason: expect.stringMatching(reason),
    }));
    expect(log.stateStatus()).toMatchObject({ snapshots: [], unusableSnapshots: unusable });
    expect([log.snapshots(), await whole()]).toEqual([[], []]);
    expect(events.filter(({ kind }) => kind === 'snapshot-refused')).toHaveLength(2);
  }

  it('because it was made by another way of folding counts for nothing, and takes no place of one', async () => {
    await snapshots(2);
    await reopen({ stateVersion: '2' });
    await expectNoneUsable(/another way of folding/);
    await snapshots(1);
    // Of the program that may come back: it goes when two others stand for what comes after it.
    expect(files()).toEqual(['1.snapshot', '2.snapshot', '3.snapshot']);
    expect(await whole()).toEqual([3]);
    await snapshots(1);
    expect([files(), await whole()]).toEqual([
      ['3.snapshot', '4.snapshot'],
      [4, 3],
    ]);
  });

  it('because it is of another log counts for nothing', async () => {
    await snapshots(2);
    await log.close();
    cpSync(at('snapshots'), at('others'), { recursive: true });
    log = await open({ directory: at('other-state'), snapshotDirectory: at('others') }, 'other');
    for (let commit = 0; commit < 5; commit++)
      await log.appendDurably(oneAppend('stream', [sampleEvent(commit)]));
    await expectNoneUsable(/another history/);
  });

  it('because the disk does not give its first bytes is named, and keeps nobody from starting or pruning', async () => {
    await snapshots(2);
    rmSync(join(at('snapshots'), '1.snapshot'));
    // Opens, and fails to be read with EIO.
    symlinkSync('/proc/self/mem', join(at('snapshots'), '1.snapshot'));
    await reopen();
    const reason: unknown = expect.stringMatching(/EIO/);
    expect(log.stateStatus()).toMatchObject({
      snapshots: [{ position: 2 }],
      unusableSnapshots: [{ position: 1, reason }],
    });
    await snapshots(1);
    expect(files()).toEqual(['2.snapshot', '3.snapshot']);
    expect(log.stateStatus()?.unusableSnapshots).toEqual([]);
  });

  it.each(['empty', 'with a damaged mark', 'of another position'])(
    'because its file is %s is called damaged',
    async (how) => {
      const [first = '', second = ''] = await snapshots(2);
      const bytes = readFileSync(first);
      if (how === 'with a damaged mark') bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
      if (how === 'of another position') cpSync(second, first);
      else writeFileSync(first, how === 'empty' ? '' : bytes);
      await reopen();
      const reason: unknown = expect.stringMatching(
        how === 'of another position' ? /position 2/ : /first block/,
      );
      const damaged = [{ position: 1, path: first, reason }];
      expect(log.stateStatus()).toMatchObject({
        snapshots: [{ position: 2 }],
        unusableSnapshots: damaged,
        damagedSnapshots: damaged,
      });
      await snapshots(1);
      expect(files()).toEqual(['2.snapshot', '3.snapshot']);
      expect(log.stateStatus()?.damagedSnapshots).toEqual([]);
    },
  );

  it.each([
    ['EIO', -5],
    ['EBADMSG', -74],
    ['EUCLEAN', -117],
  ])('because the disk says %s of its middle is passed over for an older one', async (_, errno) => {
    const [, newest] = await snapshots(2);
    await log.close();
    const run = Reflect.get(StateThread.prototype, 'run');
    const failing = jest.spyOn(StateThread.prototype, 'run');
    failing.mockImplementation(function (this: StateThread, job, ...others) {
      const isHit = job.kind === 'verify-snapshot' && job.path === newest;
      const code = getSystemErrorName(errno);
      if (isHit) return Promise.reject(new StateJobFailed(`${code}, read`, code));
      return run.call(this, job, ...others);
    });
    rmSync(at('state'), { recursive: true });
    log = await open();
    expect(events.filter(({ kind }) => /^snapshot-/.test(kind))).toMatchObject([
      { kind: 'snapshot-refused', path: newest },
      { kind: 'snapshot-loaded', mark: { position: 1 } },
    ]);
    expect(await whole()).toEqual([1]);
    failing.mockRestore();
  });

  it('does not keep the schedule from making one', async () => {
    await snapshots(2);
    const made = Promise.withResolvers<number>();
    const onEvent = (event: StateEvent): void => {
      if (event.kind === 'snapshot') made.resolve(event.report.position);
    };
    const timers = jest.spyOn(globalThis, 'setInterval');
    await reopen({ stateVersion: '2', snapshotMillis: 1, onEvent });
    const [[tick] = []] = timers.mock.calls.filter(([, millis]) => millis === 1_000);
    timers.mockRestore();
    await log.checkpoint();
    tick?.();
    expect(await made.promise).toBe(2);
  });

  it('is tried for less and less often by the schedule while it fails', async () => {
    let failed = Promise.withResolvers<undefined>();
    const timers = jest.spyOn(globalThis, 'setInterval');
    const onEvent = ({ kind }: StateEvent) =>
      kind === 'snapshot-failed' && failed.resolve(undefined);
    await reopen({ snapshotMillis: 1, onEvent });
    const tick = timers.mock.calls.find(([, millis]) => millis === 1_000)?.[0];
    timers.mockRestore();
    await log.appendDurably(oneAppend('stream', [sampleEvent(1)]));
    await log.checkpoint();
    writeFileSync(at('snapshots'), '');
    const asked = jest.spyOn(StateSnapshots.prototype, 'take');
    const clock = jest.spyOn(performance, 'now');
    const begun = performance.now();
    const triesUntil = async (...seconds: number[]) => {
      for (const second of seconds) {
        clock.mockReturnValue(begun + 1_000 * second);
        const before = asked.mock.calls.length;
        tick?.();
        if (asked.mock.calls.length > before) await failed.promise;
        failed = Promise.withResolvers();
        await setImmediate();
      }
      return asked.mock.calls.length;
    };
    expect(await triesUntil(10, 11)).toBe(1);
    expect(await triesUntil(13, 15, 16)).toBe(2);
    expect(await triesUntil(18)).toBe(3);
    clock.mockRestore();
    asked.mockRestore();
  });

  it.each(['the same process', 'the next start'])(
    'goes on by schedule in %s after a wall clock that was ahead once',
    async (where) => {
      let made = Promise.withResolvers<number>();
      const onEvent = (event: StateEvent): void => {
        if (event.kind === 'snapshot') made.resolve(event.report.position);
      };
      const timers = jest.spyOn(globalThis, 'setInterval');
      const reopened = async () => {
        timers.mockClear();
        await reopen({ snapshotMillis: 1, onEvent });
        return timers.mock.calls.find(([, millis]) => millis === 1_000)?.[0];
      };
      let tick = await reopened();
      await log.appendDurably(oneAppend('stream', [sampleEvent(1)]));
      const ahead = Date.now() + 365 * 86_400_000;
      const clock = jest.spyOn(Date, 'now').mockReturnValue(ahead);
      await log.snapshot();
      clock.mockRestore();
      made = Promise.withResolvers();
      if (where === 'the next start') tick = await reopened();
      timers.mockRestore();
      await log.appendDurably(oneAppend('stream', [sampleEvent(2)]));
      await log.checkpoint();
      tick?.();
      expect(await made.promise).toBe(2);
    },
  );

  it('because it was removed by hand is counted on by nobody', async () => {
    const [, second = ''] = await snapshots(2);
    rmSync(second);
    expect(log.snapshots().map(({ position }) => position)).toEqual([1]);
    const gone = [{ position: 2, path: second, reason: 'its file is not there any more' }];
    expect(log.stateStatus()).toMatchObject({ unusableSnapshots: gone, damagedSnapshots: gone });
    expect(await whole()).toEqual([1]);
    const [third] = await snapshots(1);
    expect(log.snapshots()[0]?.path).toBe(third);
  });

  it('because it has rotted is no reason to remove the older one', async () => {
    const [first = '', second = ''] = await snapshots(2);
    flip(second);
    const [third = ''] = await snapshots(1);
    expect(await whole()).toEqual([3, 1]);
    expect(log.stateStatus()?.unusableSnapshots).toMatchObject([{ position: 2 }]);
    await log.close();
    flip(third);
    rmSync(at('state'), { recursive: true });
    log = await open();
    expect(log.replayReport).toMatchObject({ after: 1, events: 2 });
    expect(files()).toContain(first.split('/').at(-1));
  });
});

function flip(path: string): void {
  const bytes = readFileSync(path);
  const last = bytes.length - 1;
  bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
  writeFileSync(path, bytes);
}
