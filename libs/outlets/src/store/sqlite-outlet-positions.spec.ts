import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Position } from '@holdfast/event-store';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutletLease } from '../outlet-positions.js';
import { SqliteOutletPositions } from './sqlite-outlet-positions.js';

const at = (position: number, timeline = 'a') => ({
  logId: 'log',
  position: position as Position,
  timeline,
});

describe('the positions of outlets in SQLite', () => {
  let directory: string;
  let path: string;
  let positions: SqliteOutletPositions;
  let other: SqliteOutletPositions;
  let nowMillis: number;
  const clock = { nowMillis: () => nowMillis };
  const leaseOf = async (from = positions, name = 'mail'): Promise<OutletLease> => {
    const taken = await from.acquire(name, 'me');
    if (!('token' in taken)) throw new Error(`not to be had: ${JSON.stringify(taken)}`);
    return taken;
  };

  beforeEach(() => {
    nowMillis = 1_000_000;
    directory = mkdtempSync(join(tmpdir(), 'outlets-'));
    path = join(directory, 'made', 'outlets.db');
    positions = new SqliteOutletPositions(path, { clock });
    other = new SqliteOutletPositions(path, { clock });
  });

  afterEach(async () => {
    await positions.close();
    await other.close();
    rmSync(directory, { recursive: true });
  });

  it('keeps a position, and what was delivered last, for the next process', async () => {
    const lease = await leaseOf();
    expect(lease.record.cursor).toBeUndefined();
    await lease.save(at(7), 5 as Position);
    await lease.save(at(9));
    await lease.release();
    await positions.close();
    expect(await other.load('mail')).toMatchObject({ cursor: at(9), delivered: 5 });
    expect(await other.load('unknown')).toBeUndefined();
  });

  it('gives one outlet to one process, and another to another', async () => {
    const lease = await leaseOf();
    expect(await other.acquire('mail', 'you')).toMatchObject({ owner: 'me', hold: undefined });
    await (await leaseOf(other, 'search')).release();
    await lease.release();
    await (await leaseOf(other)).release();
  });

  it('takes an outlet from a holder that shows no life, which then moves nothing', async () => {
    const lease = await leaseOf();
    nowMillis += 10_001;
    const successor = await leaseOf(other);
    await successor.save(at(3));
    await expect(lease.save(at(2))).rejects.toMatchObject({ code: 'OUTLET_FENCED' });
    await expect(lease.renew()).rejects.toMatchObject({ code: 'OUTLET_FENCED' });
    await lease.release();
    expect(await positions.load('mail')).toMatchObject({ cursor: at(3), owner: 'me' });
    await successor.release();
  });

  it('keeps the outlet for a holder that renews, also when the wall clock was set', async () => {
    const lease = await leaseOf();
    for (let looks = 0; looks < 5; looks += 1) {
      nowMillis += 5_000;
      await lease.renew();
      expect(await other.acquire('mail', 'you')).not.toHaveProperty('token');
    }
    nowMillis -= 3_600_000;
    await lease.renew();
    expect(await other.acquire('mail', 'you')).toHaveProperty('token');
    await lease.release();
  });

  it('takes an outlet at once from a holder that ended', async () => {
    const lease = await leaseOf();
    // As the kernel does for a process that is killed.
    (lease as unknown as { life: { release(): void } }).life.release();
    await (await leaseOf(other)).release();
  });

  it('counts failures until something was delivered', async () => {
    const lease = await leaseOf();
    await lease.recordFailure('away');
    nowMillis += 500;
    await lease.recordFailure('still away');
    await lease.release();
    const again = await leaseOf(other);
    expect(again.record).toMatchObject({
      ...{ attempts: 2, error: 'still away', failingSinceMillis: 1_000_000 },
    });
    await again.save(at(1));
    expect(again.record).toMatchObject({
      ...{ attempts: 0, error: undefined, failingSinceMillis: undefined },
    });
    await again.release();
  });

  it.each([
    ['moved', () => other.move('mail', at(1))],
    ['paused', () => other.pause('mail')],
    ['disabled', () => other.disable('mail', 'enough')],
  ])('is noticed by the holder when it is %s, and nothing is saved', async (_, change) => {
    const lease = await leaseOf();
    await lease.save(at(4), 4 as Position);
    await change();
    const before = await other.load('mail');
    await expect(lease.renew()).rejects.toMatchObject({ code: 'OUTLET_MOVED' });
    await expect(lease.save(at(5))).rejects.toMatchObject({ code: 'OUTLET_MOVED' });
    expect(await other.load('mail')).toEqual(before);
    await lease.release();
  });

  it('fences the holder of an outlet that was removed and begun again', async () => {
    const lease = await leaseOf();
    await lease.save(at(4));
    await other.remove('mail');
    await expect(lease.save(at(5))).rejects.toMatchObject({ code: 'OUTLET_FENCED' });
    const again = await leaseOf(other);
    expect(again.record.cursor).toBeUndefined();
    await expect(lease.save(at(5))).rejects.toMatchObject({ code: 'OUTLET_FENCED' });
    await lease.release();
    await again.release();
  });

  it('a new name begins where it was moved to', async () => {
    await positions.move('late', at(40));
    expect(await other.list()).toMatchObject([{ name: 'late', cursor: at(40) }]);
  });

  it('gives nobody what an operator must decide about first', async () => {
    const lease = await leaseOf();
    await lease.reach(at(9));
    await lease.save(at(8), 8 as Position);
    await lease.hold('diverged', 'restored');
    await lease.release();
    await positions.pause('mail');
    expect(await other.acquire('mail', 'you')).toMatchObject({
      ...{ hold: 'diverged', reason: 'restored' },
    });
    await expect(other.move('mail', at(3, 'b'))).rejects.toMatchObject({ code: 'OUTLET_DIVERGED' });
    await other.accept('mail', at(5, 'b'));
    await expect(other.accept('mail', at(5, 'b'))).rejects.toMatchObject({
      code: 'OUTLET_NOT_DIVERGED',
    });
    expect(await other.acquire('mail', 'you')).toMatchObject({ hold: 'paused' });
    await other.resume('mail');
    const accepted = await leaseOf();
    const { cursor, delivered, ended } = accepted.record;
    expect({ cursor, delivered, ended }).toEqual({
      cursor: at(5, 'b'),
      delivered: undefined,
      ended: { previous: at(9), next: at(5, 'b') },
    });
    await accepted.toldOfEnd();
    expect(accepted.record.ended).toBeUndefined();
    await accepted.release();
  });

  it.each([
    ['nothing', undefined],
    ['something', at(3)],
  ])('leaves out nothing that was not delivered, when %s was', async (_, stood) => {
    const lease = await leaseOf();
    if (stood !== undefined) await lease.save(stood);
    await lease.reach(at(9));
    await lease.hold('diverged', 'restored');
    await lease.release();
    await positions.accept('mail', at(5, 'b'));
    const next = stood ?? at(0, '');
    expect(await positions.load('mail')).toMatchObject({
      cursor: next,
      ended: { previous: at(9), next },
    });
  });

  it('remembers the first history that the outlet was not told the end of', async () => {
    for (const [stood, next] of [
      [at(8), at(5, 'b')],
      [at(6, 'b'), at(4, 'c')],
    ] as const) {
      const lease = await leaseOf();
      await lease.save(stood);
      await lease.hold('diverged', 'restored');
      await lease.release();
      await positions.accept('mail', next);
    }
    expect((await positions.load('mail'))?.ended).toEqual({ previous: at(8), next: at(4, 'c') });
  });

  it.each(['pause', 'resume'] as const)('refuses to %s what it never heard of', async (what) => {
    await expect(positions[what]('mail')).rejects.toMatchObject({ code: 'OUTLET_UNKNOWN' });
    expect(await positions.list()).toEqual([]);
  });

  it.each(['', 'Mail', '-a', 'a/b', 'x'.repeat(64)])('refuses the name %j', async (name) => {
    await expect(positions.acquire(name, 'me')).rejects.toMatchObject({ code: 'OUTLET_INVALID' });
    await expect(positions.move(name, at(1))).rejects.toMatchObject({ code: 'OUTLET_INVALID' });
  });

  it('saves nothing into a file that was removed, and begins anew', async () => {
    const lease = await leaseOf();
    await lease.save(at(4));
    for (const end of ['', '-wal', '-shm', '.lock']) rmSync(`${path}${end}`);
    await expect(lease.save(at(5))).rejects.toMatchObject({ code: 'OUTLET_FENCED' });
    await lease.release();
    expect(await positions.list()).toEqual([]);
  });

  it('tells a damaged file from one that cannot be had now', async () => {
    await (await leaseOf()).release();
    await positions.close();
    await other.close();
    const whole = readFileSync(path);
    for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    writeFileSync(path, Buffer.concat([Buffer.from('no database'), whole.subarray(11)]));
    await expect(positions.list()).rejects.toMatchObject({ code: 'OUTLET_POSITIONS_DAMAGED' });
    const nowhere = new SqliteOutletPositions(join(path, 'below-a-file', 'outlets.db'));
    await expect(nowhere.list()).rejects.toMatchObject({ code: 'OUTLET_POSITIONS_UNAVAILABLE' });
  });
});
