import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WalReader, type WalOptions } from '@holdfast/wal';
import type { Evolve } from '../../fold/folded-state.js';
import { verifySnapshot } from '../snapshot/snapshot-file.js';
import { imageOf, openStateDatabase, storedValue } from '../database/state-database.js';
import type { CheckpointedStateOptions, StateEvent } from '../model/state-options.js';
import { readThroughState, stateDigestAt, verifyState } from '../../state-proof.js';
import { StateRecord, readStateFacts } from '../directory/state-record.js';
import { sealOf } from '../pages/state-seal.js';
import { oneAppend, position, sampleEvent } from '../../testing/sample-events.js';
import { WalEventLog } from '../../wal-event-log.js';

const WAL: WalOptions = { create: true, frameBytesMax: 1024 * 1024, segmentBytes: 2 * 1024 * 1024 };

const evolve: Evolve = (event, state) => {
  const counts = state.section<number>('counts');
  counts.set(event.stream, (counts.get(event.stream) ?? 0) + 1);
};

describe('checkpointed state that is damaged, lost, or of another history', () => {
  let directory: string;
  let events: StateEvent[];
  let log: WalEventLog;
  const at = (name: string): string => join(directory, name);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-damage-'));
    log = await open();
    await append(300);
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  async function open(
    state: Partial<CheckpointedStateOptions> = {},
    wal: string = at('log'),
  ): Promise<WalEventLog> {
    events = [];
    return WalEventLog.open(wal, {
      wal: WAL,
      evolve,
      state: {
        directory: at('state'),
        snapshotDirectory: at('snapshots'),
        onEvent: (event) => events.push(event),
        ...state,
      },
    });
  }

  async function append(commits: number): Promise<void> {
    const from = log.lastPosition;
    for (let commit = from; commit < from + commits; commit++)
      log.append(oneAppend(`s-${commit % 50}`, [sampleEvent(commit)]));
    await log.whenDurable(log.lastPosition);
  }

  const database = (): string => {
    const name = readdirSync(at('state')).find((file) => file.startsWith('lmdb-'));
    return join(at('state'), name ?? 'none', 'data.mdb');
  };

  const rebuilding = (): string | undefined =>
    events.map((event) => (event.kind === 'rebuilding' ? event.reason : undefined)).find(Boolean);

  const takenBack = (): StateEvent | undefined => events.find(({ kind }) => kind === 'taken-back');

  /** The record vouches for the branches as they are now. */
  async function reseal(): Promise<void> {
    const facts = readStateFacts(at('state'));
    const tree = sealOf(database());
    if (facts === undefined || facts === 'damaged' || typeof tree === 'string')
      throw new Error('nothing to vouch for');
    await new StateRecord(at('state'), facts).change({ tree });
  }

  async function digestNow(): Promise<string> {
    return (await log.checkpoint()).digest;
  }

  it('has the digest of a full replay, at every checkpoint', async () => {
    for (let round = 0; round < 4; round++) {
      const { position: reached, digest, entries } = await log.checkpoint();
      expect(await stateDigestAt(log.wal, reached, { evolve })).toMatchObject({
        digest,
        entries,
        from: 0,
      });
      await append(7);
    }
    const { position: reached, digest } = await log.snapshot();
    await append(5);
    const after = await log.checkpoint();
    expect(
      await stateDigestAt(log.wal, after.position, { evolve, snapshotDirectory: at('snapshots') }),
    ).toMatchObject({
      digest: after.digest,
      from: reached,
      events: 5,
    });
    expect(digest).not.toBe(after.digest);
    expect(await stateDigestAt(log.wal, reached, { evolve })).toMatchObject({ digest });
  });

  it('is proved beside its owner, and a state of another folding is told from it', async () => {
    await log.checkpoint();
    const reader = await WalReader.open(at('log'));
    expect(await verifyState(reader, at('state'), { evolve })).toMatchObject({
      checkpoint: { position: 300 },
      replayed: { position: 300, events: 300 },
      matches: true,
    });
    const other: Evolve = (event, state) => state.section<number>('counts').set(event.stream, 1);
    expect(await verifyState(reader, at('state'), { evolve: other })).toMatchObject({
      matches: false,
    });
    await reader.close();
  });

  it('is not proved any further once the proof was told to stop, in the database as in the log', async () => {
    const { position: reached } = await log.checkpoint();
    const reader = await WalReader.open(at('log'));
    const given = { evolve, signal: AbortSignal.abort() };
    const cancelled = expect.objectContaining({ code: 'EVENT_CANCELLED' });
    await expect(readThroughState(at('state'), given.signal)).rejects.toEqual(cancelled);
    await expect(stateDigestAt(reader, reached, given)).rejects.toEqual(cancelled);
    await expect(verifyState(reader, at('state'), given)).rejects.toEqual(cancelled);
    await reader.close();
  });

  it.each<[string, () => void]>([
    ['its directory is deleted', () => rmSync(at('state'), { recursive: true })],
    ['its database is deleted', () => rmSync(database())],
    ['its database is empty', () => truncateSync(database(), 0)],
    [
      'its database is cut in half',
      () => truncateSync(database(), readFileSync(database()).length / 2),
    ],
    [
      'its database lacks its last page',
      () => truncateSync(database(), readFileSync(database()).length - 4096),
    ],
    ['its database is something else', () => writeFileSync(database(), 'x'.repeat(100_000))],
    ['its record is damaged', () => writeFileSync(at('state/STATE'), 'x')],
    ['its record is deleted', () => rmSync(at('state/STATE'))],
  ])('is made anew from the log when %s', async (_, damage) => {
    const digest = await digestNow();
    await log.close();
    damage();
    log = await open();
    expect(rebuilding()).toEqual(expect.any(String));
    expect(log.replayReport).toMatchObject({ after: 0, events: 300 });
    expect(await digestNow()).toBe(digest);
    await log.close();
    log = await open();
    expect([rebuilding(), log.replayReport.events]).toEqual([undefined, 0]);
  });

  it.each<[string, Parameters<StateRecord['change']>[0]]>([
    ['a start died while it opened the database', { opening: true }],
    ['five starts died before it was read through once', { unverifiedStarts: 5 }],
    ['it was found to be damaged', { rebuild: 'seen before' }],
  ])('is made anew when %s', async (_, left) => {
    const digest = await digestNow();
    await log.close();
    const facts = readStateFacts(at('state'));
    if (facts === undefined || facts === 'damaged') throw new Error('no record');
    await new StateRecord(at('state'), facts).change(left);
    log = await open();
    expect(rebuilding()).toEqual(expect.any(String));
    expect(await digestNow()).toBe(digest);
  });

  it('counts a start as whole once the database was read through, or it was closed in peace', async () => {
    await log.close();
    for (let start = 0; start < 4; start++) {
      log = await open();
      expect(rebuilding()).toBeUndefined();
      await log.close();
    }
    log = await open();
    expect(readStateFacts(at('state'))).toMatchObject({ unverifiedStarts: 1 });
    while (log.stateStatus()?.verification.state === 'pending')
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(log.stateStatus()?.verification).toMatchObject({ state: 'good', scans: 1 });
    while ((readStateFacts(at('state')) as { unverifiedStarts: number }).unverifiedStarts > 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('notices a changed value when it is read, poisons the log, and the next start makes it anew', async () => {
    const digest = await digestNow();
    await log.close();
    change(
      (value) => value.writeUInt8(value.readUInt8(value.length - 1) ^ 1, value.length - 1),
      's-7',
    );
    await reseal();
    log = await open({ firstVerifyBytesPerSecond: 1 });
    const damaged: unknown = expect.objectContaining({ code: 'EVENT_STATE_DAMAGED' });
    expect(log.state.section<number>('counts').get('s-8')).toBe(6);
    expect(() => log.state.section<number>('counts').get('s-7')).toThrow(
      expect.objectContaining({ code: 'EVENT_STATE_DAMAGED' }),
    );
    expect(() => log.append(oneAppend('s-1', [sampleEvent(1)]))).toThrow(
      expect.objectContaining({ code: 'EVENT_STATE_DAMAGED' }),
    );
    await expect(log.whenDurable(position(1))).rejects.toEqual(damaged);
    expect(await log.failed).toEqual(damaged);
    await log.close();
    log = await open();
    expect(rebuilding()).toBe('a value fails its checksum');
    expect(await digestNow()).toBe(digest);
  });

  it.each<[string, () => void]>([
    ['an entry is gone', () => change(undefined, 's-7')],
    ['an entry has come', () => put('s-new')],
    ['a value was exchanged under its own checksum', () => put('s-7')],
  ])('notices by reading through that %s', async (_, damage) => {
    const digest = await digestNow();
    await log.close();
    damage();
    await reseal();
    log = await open();
    expect(await log.failed).toMatchObject({ code: 'EVENT_STATE_DAMAGED' });
    await log.close();
    log = await open();
    expect(rebuilding()).toEqual(expect.any(String));
    expect(await digestNow()).toBe(digest);
  });

  it('tells of damage also where it cannot write that it has found it, and the next start finds it again', async () => {
    await log.close();
    put('s-7');
    await reseal();
    // As a full disk would have it.
    mkdirSync(at('state/STATE.1.now.tmp'));
    for (let start = 0; start < 2; start += 1) {
      log = await open();
      expect(await log.failed).toMatchObject({ code: 'EVENT_STATE_DAMAGED' });
      expect(() => log.append(oneAppend('s-1', [sampleEvent(1)]))).toThrow(
        expect.objectContaining({ code: 'EVENT_STATE_DAMAGED' }),
      );
      await log.close();
    }
    rmSync(at('state/STATE.1.now.tmp'), { recursive: true });
    log = await open();
    expect(await log.failed).toMatchObject({ code: 'EVENT_STATE_DAMAGED' });
    await log.close();
    log = await open();
    expect(rebuilding()).toEqual(expect.any(String));
  });

  it('is read through before it is opened when its record is of a checkpoint long before', async () => {
    const digest = await digestNow();
    await log.close();
    put('s-7', 6);
    put('s-7', 6);
    log = await open();
    expect([rebuilding(), takenBack(), log.replayReport.events]).toEqual([undefined, undefined, 0]);
    await log.close();
    change(undefined, 's-7');
    put('s-8', 6);
    log = await open();
    expect(rebuilding()).toMatch(/entries of/);
    expect(await digestNow()).toBe(digest);
  });

  it('begins at the sealed checkpoint when a crash kept the last one from its record, whatever has become of that', async () => {
    await append(3_000);
    await log.checkpoint();
    const facts = readStateFacts(at('state'));
    if (facts === undefined || facts === 'damaged') throw new Error('no record');
    await append(200);
    const digest = await digestNow();
    await log.close();
    const bytes = readFileSync(database());
    const transaction = Math.max(
      ...[0, 4096].map((page) => Number(bytes.readBigUInt64LE(page + 152))),
    );
    // Nothing, then every branch, then every leaf that the last checkpoint has written; and so often that no page is left over from the one before.
    for (const kind of [0, 1, 2]) {
      for (let page = 2 * 4096; page < bytes.length; page += 4096) {
        const isLast = Number(bytes.readBigUInt64LE(page + 8)) === transaction;
        if (isLast && bytes.readUInt16LE(page + 18) === kind)
          bytes.fill(0xaa, page + 24, page + 4096);
      }
      writeFileSync(database(), bytes);
      await new StateRecord(at('state'), facts).change({});
      log = await open();
      expect([rebuilding(), log.replayReport.after, log.replayReport.events]).toEqual([
        undefined,
        3_300,
        200,
      ]);
      expect(takenBack()).toMatchObject({ to: 3_300, ...(kind === 0 && { from: 3_500 }) });
      expect(await digestNow()).toBe(digest);
      await log.close();
      expect(await readThroughState(at('state'))).toMatchObject({ position: 3_500, digest });
      writeFileSync(database(), bytes);
    }
  });

  it('is made anew when a branch of its tree is not what was written', async () => {
    await append(3_000);
    const digest = await digestNow();
    await log.close();
    const bytes = readFileSync(database());
    const pages = Array.from({ length: bytes.length / 4096 }, (_, page) => page * 4096);
    for (const page of pages.filter((start) => bytes.readUInt16LE(start + 18) === 1))
      bytes.writeUInt8(bytes.readUInt8(page + 4095) ^ 1, page + 4095);
    writeFileSync(database(), bytes);
    log = await open();
    expect(rebuilding()).toBe('the branches of its tree are not what was written');
    expect(await digestNow()).toBe(digest);
  });

  it.each<[string, (leaf: Buffer) => number]>([
    ['its number of keys', () => 20],
    ['where its keys begin', () => 22],
    ['the key itself', (leaf) => leaf.indexOf('countss-7', 24 + leaf.readUInt16LE(22)) + 8],
    ['which keys it holds', () => 24],
  ])('does not take a key for absent when its leaf is wrong about %s', async (_, byteOf) => {
    const digest = await digestNow();
    await log.close();
    const bytes = readFileSync(database());
    const key = Buffer.from('countss-7');
    for (let page = 0; page < bytes.length; page += 4096) {
      const leaf = bytes.subarray(page, page + 4096);
      if (leaf.readUInt16LE(18) !== 2 || leaf.indexOf(key) < 0) continue;
      const at = byteOf(leaf);
      leaf.writeUInt8(leaf.readUInt8(at) ^ 2, at);
    }
    writeFileSync(database(), bytes);
    log = await open();
    const answers = ['s-7', 's-none', ...Array.from({ length: 50 }, (__, n) => `s-${n}`)];
    expect(() => answers.forEach((name) => log.state.section<number>('counts').get(name))).toThrow(
      expect.objectContaining({ code: 'EVENT_STATE_DAMAGED' }),
    );
    await log.close();
    log = await open();
    expect(await digestNow()).toBe(digest);
  });

  it('is made anew when the log has gone on in another history', async () => {
    await log.checkpoint();
    await log.close();
    cpSync(at('log'), at('restored'), { recursive: true });
    log = await open();
    await append(20);
    await log.close();
    // The copy has fewer events, and others from there on.
    log = await open({ directory: at('other') }, at('restored'));
    await append(50);
    await log.close();
    log = await open({}, at('restored'));
    expect(rebuilding()).toBe('it is of another history than the log');
    expect(log.replayReport).toMatchObject({ after: 0, events: 350 });
  });

  it('refuses a log that is behind its state, as long as it has not gone on', async () => {
    await log.close();
    const facts = readStateFacts(at('state'));
    if (facts === undefined || facts === 'damaged' || facts.checkpoint === undefined)
      throw new Error('no record');
    await new StateRecord(at('state'), facts).change({
      checkpoint: { ...facts.checkpoint, position: 500 },
    });
    await expect(open()).rejects.toMatchObject({ code: 'WAL_BEHIND_STATE' });
    rmSync(at('state'), { recursive: true });
    log = await open();
  });

  it.each([
    ['some', false],
    ['all', true],
  ])(
    'refuses a log that is behind its database by %s of its newest segment, again and again, when a crash kept that from the record',
    async (_, isAll) => {
      await log.checkpoint();
      if (isAll) {
        await log.close();
        log = await open();
      }
      const facts = readStateFacts(at('state'));
      if (facts === undefined || facts === 'damaged') throw new Error('no record');
      cpSync(at('log'), at('older'), { recursive: true });
      await append(20);
      await log.checkpoint();
      await log.close();
      await new StateRecord(at('state'), facts).change({});
      for (let attempt = 0; attempt < 7; attempt++)
        await expect(open({}, at('older'))).rejects.toMatchObject({ code: 'WAL_BEHIND_STATE' });
      log = await open();
      expect([rebuilding(), log.replayReport.after, log.lastPosition]).toEqual([
        undefined,
        300,
        320,
      ]);
    },
  );

  it('is made anew by another way of folding', async () => {
    await log.close();
    log = await open({ stateVersion: '2' });
    expect(rebuilding()).toMatch('another way of folding');
    expect(log.replayReport).toMatchObject({ after: 0, events: 300 });
  });

  describe('with snapshots', () => {
    it('begins with the newest, and replays what came after it', async () => {
      const first = await log.snapshot();
      await append(10);
      const second = await log.snapshot();
      await append(5);
      const third = await log.snapshot();
      expect([first, second, third].map((report) => existsSync(report.path))).toEqual([
        false,
        true,
        true,
      ]);
      expect(log.snapshots().map((entry) => entry.position)).toEqual([315, 310]);
      await append(3);
      const digest = await digestNow();
      await log.close();
      rmSync(at('state'), { recursive: true });
      log = await open();
      expect(log.replayReport).toMatchObject({ after: 315, events: 3 });
      expect(await digestNow()).toBe(digest);
      await log.close();
      // The newest is damaged: the older one serves.
      flip(third.path);
      rmSync(at('state'), { recursive: true });
      log = await open();
      expect(events).toContainEqual(
        expect.objectContaining({ kind: 'snapshot-refused', path: third.path }),
      );
      expect(log.replayReport).toMatchObject({ after: 310, events: 8 });
      expect(await digestNow()).toBe(digest);
      await log.close();
      flip(second.path);
      rmSync(at('state'), { recursive: true });
      log = await open();
      expect(log.replayReport).toMatchObject({ after: 0, events: 318 });
      expect(await digestNow()).toBe(digest);
    });

    it('refuses a snapshot with any byte changed, and one that ends early', async () => {
      const { path } = await log.snapshot();
      await log.close();
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 40)) {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
        expect(() => verified(path, bytes)).toThrow();
        expect(() => verified(path, whole.subarray(0, at))).toThrow();
      }
      expect(() => verified(path, whole)).not.toThrow();
      expect(() => verified(path, Buffer.concat([whole, Buffer.of(0)]))).toThrow();
      log = await open();
    });

    it('begins with a snapshot of another folding that is taken over, without what that has of its own', async () => {
      const { entries, position: from } = await log.snapshot();
      await log.close();
      const taken = { stateVersion: '2', takesOver: { 1: { leaveOut: ['counts'] } } };
      log = await open(taken);
      expect(rebuilding()).toMatch('another way of folding');
      expect(log.replayReport).toMatchObject({ after: from, events: 0 });
      const { digest, entries: left } = await log.checkpoint();
      expect(left).toBeLessThan(entries);
      expect(log.state.section('counts').get('s-0')).toBeUndefined();
      await append(1);
      await log.close();
      log = await open(taken);
      expect([rebuilding(), log.replayReport.after]).toEqual([undefined, from + 1]);
      expect(await readThroughState(at('state'))).not.toMatchObject({ digest });
    });

    it('is not made from a snapshot of a later history, or of another log', async () => {
      await log.snapshot();
      await log.close();
      rmSync(at('log'), { recursive: true });
      log = await open();
      expect(log.lastPosition).toBe(0);
      await append(3);
      expect(log.state.section<number>('counts').get('s-0')).toBe(1);
    });

    it('is lost for good where neither state, snapshot nor the beginning of the log is left', async () => {
      for (let round = 0; round < 6; round++) {
        const data = { number: 1, text: 'x'.repeat(900_000) };
        await log.appendDurably(oneAppend('large', [sampleEvent(1, { data })]));
      }
      const { position: reached } = await log.snapshot();
      const removed = await log.wal.maintenance.removeSegments({ below: reached as never });
      expect(removed.segments.length).toBeGreaterThan(0);
      const digest = await digestNow();
      await log.close();
      rmSync(at('state'), { recursive: true });
      log = await open();
      expect(log.replayReport.after).toBe(reached);
      expect(await digestNow()).toBe(digest);
      await log.close();
      rmSync(at('state'), { recursive: true });
      rmSync(at('snapshots'), { recursive: true });
      for (let attempt = 0; attempt < 2; attempt++)
        await expect(open()).rejects.toMatchObject({ code: 'EVENT_POSITION_GONE' });
    });
  });

  /** Changes the stored value of a count, or takes it away. */
  function change(edit: ((value: Buffer) => void) | undefined, stream: string): void {
    const opened = openStateDatabase(join(database(), '..'));
    const key = Buffer.concat([Buffer.of(6), Buffer.from('counts'), Buffer.from(stream)]);
    const value = opened.getBinary(key);
    if (value === undefined) throw new Error(`no ${stream}`);
    edit?.(value);
    if (edit === undefined) opened.removeSync(key);
    else opened.putSync(key, value);
    void opened.close();
  }

  /** An entry as a checkpoint would write it. */
  function put(stream: string, count = 77): void {
    const opened = openStateDatabase(join(database(), '..'));
    const key = Buffer.concat([Buffer.of(6), Buffer.from('counts'), Buffer.from(stream)]);
    opened.putSync(key, storedCount(key, count));
    void opened.close();
  }
});

function storedCount(key: Buffer, count: number): Buffer {
  const image = imageOf(key, Buffer.from(String(count)));
  return storedValue(image, image.length - String(count).length);
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

function verified(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes);
  verifySnapshot(path);
}
