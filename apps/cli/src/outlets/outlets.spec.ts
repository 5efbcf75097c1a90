import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Position, WalEventLog } from '@holdfast/event-store';
import { SqliteOutletPositions } from '@holdfast/outlets';
import { SourceFeed } from '@holdfast/projections';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCli, runCli } from '../testing/run-cli.js';

describe('holdfast outlets', () => {
  let data: string;
  let log: WalEventLog;
  let positions: SqliteOutletPositions;
  const file = () => join(data, 'outlets.db');
  const outlets = (...line: readonly string[]) => runCli('outlets', ...line, '--data', data);
  const cursorAt = (position: number) => new SourceFeed(log).cursorAt(position as Position);
  const standing = async (position: number) => {
    const lease = await positions.acquire('nats', 'a worker');
    if (!('token' in lease)) throw new Error('held');
    await lease.save(cursorAt(position), position as Position);
    return lease;
  };

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'cli-outlets-'));
    log = await WalEventLog.open(join(data, 'wal'), { wal: { create: true } });
    const event = () => ({ ...{ id: randomUUID(), type: 'Happened', schemaVersion: 1 }, data: {} });
    // Commits end at 1, 4 and 5.
    for (const events of [1, 3, 1])
      await log.appendDurably({
        appends: [
          { stream: 's', expectedVersion: 'any', events: Array.from({ length: events }, event) },
        ],
      });
    positions = new SqliteOutletPositions(file());
  });

  afterEach(async () => {
    await positions.close();
    await log.close();
    rmSync(data, { recursive: true });
  });

  it('lists none without making the file', async () => {
    expect(await outlets('list')).toMatchObject({
      ...{ exit: 0, output: 'No outlet has delivered anything.\n' },
    });
    expect(existsSync(file())).toBe(false);
  });

  it('lists where each stands, and says by its exit code that one fails', async () => {
    const lease = await standing(4);
    expect(await outlets('list')).toMatchObject({
      exit: 0,
      output: expect.stringMatching(/nats +4 +1 +0 +delivered by a worker/),
    });
    await lease.recordFailure('the server is away');
    const failing = await outlets('list', '--json');
    expect(failing.exit).toBe(1);
    expect(JSON.parse(failing.output)).toMatchObject({
      items: [{ name: 'nats', position: 4, attempts: 1, error: 'the server is away' }],
    });
    await lease.release();
  });

  it('pauses and resumes', async () => {
    await (await standing(4)).release();
    expect(await outlets('pause', 'nats')).toMatchObject({ exit: 0 });
    expect((await positions.load('nats'))?.hold).toBe('paused');
    expect((await outlets('list')).output).toContain('PAUSED');
    expect(await outlets('resume', 'nats')).toMatchObject({ exit: 0, output: 'Resumed nats.\n' });
    expect((await positions.load('nats'))?.hold).toBeUndefined();
  });

  it.each([
    ['4', 4],
    ['3', 1],
    ['0', 0],
    ['900', 5],
  ])('moves to %s, where a commit ends: %s', async (asked, position) => {
    await (await standing(5)).release();
    const { exit, output } = await outlets('move', 'nats', asked);
    expect({ exit, output }).toMatchObject({
      ...{ exit: 0, output: expect.stringContaining(`nats goes on after position ${position}`) },
    });
    expect((await positions.load('nats'))?.cursor).toEqual(cursorAt(position));
  });

  it('accepts a history only where one ended', async () => {
    const lease = await standing(5);
    expect((await outlets('accept', 'nats', '4')).messages).toContain('OUTLET_NOT_DIVERGED');
    await lease.hold('diverged', 'restored');
    await lease.release();
    expect((await outlets('list')).exit).toBe(1);
    expect((await outlets('move', 'nats', '4')).messages).toContain('OUTLET_DIVERGED');
    expect(await outlets('accept', 'nats', '4')).toMatchObject({ exit: 0 });
    expect(await positions.load('nats')).toMatchObject({
      ...{ hold: undefined, ended: { previous: { position: 5 }, next: { position: 4 } } },
    });
  });

  it('knows no outlet that never delivered', async () => {
    await (await standing(5)).release();
    expect((await outlets('pause', 'mail')).messages).toContain('OUTLET_UNKNOWN');
    await expect(parseCli('outlets', 'move', 'nats', 'x')).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  });
});
