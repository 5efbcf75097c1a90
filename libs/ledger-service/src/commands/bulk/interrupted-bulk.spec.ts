import type { Position } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestCommandService } from '../testing/command-service.js';
import { LEDGER, openWorld, transfer } from '../testing/world.js';

let service: TestCommandService;

const QUEUED_BYTES_MAX = 16 * 1024;

beforeEach(async () => {
  service = await TestCommandService.start({
    wal: {
      frameBytesMax: QUEUED_BYTES_MAX,
      segmentBytes: 4 * QUEUED_BYTES_MAX,
      queuedBytesMax: QUEUED_BYTES_MAX,
    },
  });
  await openWorld(service);
});
afterEach(() => service.stopAndRemove());

/** Two of these do not fit into the queue together; one does, with small commands beside it. */
const large = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [`key-${index}`, 'v'.repeat(450)]),
);

const post = (key: string, from: string, to: string, more: object = {}) => ({
  type: 'PostTransfer',
  idempotencyKey: key,
  body: transfer(from, to, '1', more),
});
const fill = post('fill', 'alice', 'bob', { metadata: large });
const openCarol = {
  type: 'OpenAccount',
  idempotencyKey: 'open-carol',
  body: { id: 'carol', asset: 'EUR', normalSide: 'credit', metadata: large },
};
const payCarol = post('pay-carol', 'alice', 'carol');

interface Result {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

async function bulk(commands: readonly unknown[], query = ''): Promise<readonly Result[]> {
  const reply = await service.send('POST', `${LEDGER}/bulk${query}`, { body: { commands } });
  expect(reply.status).toBe(200);
  return reply.body['results'] as readonly Result[];
}

const NOT_APPLIED = {
  status: 503,
  headers: { 'Retry-After': '1' },
  body: { type: '/problems/not-applied', status: 503, outcome: 'not-applied' },
};

describe('a bulk in which a command is not applied for a passing reason', () => {
  it('applies none of those after it and records nothing for them, so that the same bulk succeeds later', async () => {
    const before = service.lastPosition;
    const first = await bulk([fill, openCarol, payCarol, post('more', 'alice', 'bob')]);
    expect(first).toMatchObject([
      { status: 201 },
      { status: 429, body: { type: '/problems/overloaded' } },
      NOT_APPLIED,
      NOT_APPLIED,
    ]);
    expect(service.lastPosition).toBe(before + 1);
    expect((await service.send('GET', `${LEDGER}/commands/pay-carol`)).status).toBe(404);

    const second = await bulk([fill, openCarol, payCarol, post('more', 'alice', 'bob')]);
    expect(second.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(second[0]?.headers['Idempotency-Replayed']).toBe('true');
  });

  it('still answers what is known under its key, and what is malformed', async () => {
    await service.send('POST', `${LEDGER}/transfers`, {
      key: 'earlier',
      body: transfer('alice', 'bob', '1'),
    });
    const results = await bulk([
      fill,
      openCarol,
      post('earlier', 'alice', 'bob'),
      { ...post('fund-alice', 'alice', 'bob') },
      { ...payCarol, idempotencyKey: 'broken', body: {} },
      payCarol,
    ]);
    expect(results.slice(2)).toMatchObject([
      { status: 201, headers: { 'Idempotency-Replayed': 'true' } },
      { status: 422, body: { type: '/problems/idempotency-key-reused' } },
      { status: 400 },
      NOT_APPLIED,
    ]);
  });

  it.each([
    'WAL_ARCHIVE_NOT_FOUND',
    'WAL_READ_FAILED',
    'WAL_MISSING_SEGMENT',
    'WAL_CORRUPT',
    'EVENT_CORRUPT',
  ])('is interrupted by an old key whose answer cannot be read: %s', async (code) => {
    const old = post('old', 'alice', 'bob');
    await bulk([old]);
    const { log } = service.writer;
    const [oldPosition, admittedAt, lastTagged] = [
      log.lastPosition,
      log.admittedAt.bind(log),
      log.lastTagged.bind(log),
    ];
    const unreadable = new CodedError(code, 'the volume of the archive is away');
    const away = (position: Position) => {
      if (position === oldPosition) throw unreadable;
      return admittedAt(position);
    };
    log.admittedAt = away;
    log.lastTagged = (tag) => {
      const found = lastTagged(tag);
      if (found?.position === oldPosition) throw unreadable;
      return found;
    };
    const UNREADABLE = {
      status: 503,
      body: { type: '/problems/storage-unavailable', status: 503, outcome: 'unknown' },
    };
    const results = await bulk([post('before', 'alice', 'bob'), old, payCarol]);
    expect(results).toMatchObject([{ status: 201 }, UNREADABLE, NOT_APPLIED]);
    expect(log.lastPosition).toBe(oldPosition + 1);
    expect(await bulk([old])).toMatchObject([UNREADABLE]);
    const again = { key: 'old', body: transfer('alice', 'bob', '1') };
    expect(await service.send('POST', `${LEDGER}/transfers`, again)).toMatchObject(UNREADABLE);
    expect(await service.send('GET', `${LEDGER}/commands/old`)).toMatchObject(UNREADABLE);
    Object.assign(log, { admittedAt, lastTagged });
    expect(await bulk([old])).toMatchObject([
      { status: 201, headers: { 'Idempotency-Replayed': 'true' } },
    ]);
  });

  it('goes on after a refusal and after a command that never fits', async () => {
    const tooLarge = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'v'.repeat(500)]),
    );
    const results = await bulk([
      post('never', 'alice', 'bob', { metadata: tooLarge }),
      post('poor', 'bob', 'alice'),
      post('last', 'alice', 'bob'),
    ]);
    expect(results.map(({ status }) => status)).toEqual([413, 422, 201]);
  });
});
