import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DumpedFrame, type Sequence, WalReader } from '@holdfast/wal';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { basename } from 'node:path';
import { imageOf } from '../../support/directory-image.js';
import { Journal } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { Services } from '../../support/services.js';

const TRANSFERS = 400;
const FRAME_HEADER_BYTES = 64;
const EXIT_DAMAGED = 65;
const EXIT_LOCKED = 75;

interface Segment {
  readonly path: string;
  readonly firstSequence: number;
}

/** A log that a service wrote and was killed over, for each test to damage its own copy of. */
describe('a service whose log is damaged', () => {
  let original: Services;
  let services: Services;
  let lastSequence: number;

  beforeAll(async () => {
    original = await Services.prepare({
      HOLDFAST_WAL_SEGMENT_BYTES: '64KiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '16KiB',
    });
    await original.start('command-service');
    const client = new JournalingClient(original.commands, new Journal('main'));
    await fillLedger(client, TRANSFERS);
    await client.close();
    await original.crash('command-service');
    const reader = await WalReader.open(original.walDirectory);
    lastSequence = reader.durableSequence;
    await reader.close();
  });

  afterAll(() => original.remove());

  beforeEach(async () => {
    services = await Services.prepare();
    mkdirSync(services.dataDirectory, { recursive: true });
    cpSync(original.dataDirectory, services.dataDirectory, { recursive: true });
  });

  afterEach(() => services.remove());

  it('refuses to start for a flipped bit in a sealed segment, says where, and changes nothing', async () => {
    const [segment] = await segments();
    const frame = (await framesOf(segment!)).at(5)!;
    flipBit(frame.file, frame.offset + FRAME_HEADER_BYTES + 20);
    await expectRefusal('WAL_CORRUPT', {
      file: frame.file,
      offset: frame.offset,
      firstSequence: frame.firstSequence,
    });
    await expectVerifyNames(frame.file, frame.offset);
  });

  it('refuses to start for a flipped bit in a synced frame of the last segment', async () => {
    const segment = (await segments()).at(-1)!;
    const frames = await framesOf(segment);
    const frame = frames.at(Math.floor(frames.length / 2))!;
    flipBit(frame.file, frame.offset + FRAME_HEADER_BYTES + 20);
    await expectRefusal('WAL_CORRUPT', {
      file: frame.file,
      offset: frame.offset,
      firstSequence: frame.firstSequence,
      lastSequence,
    });
    await expectVerifyNames(frame.file, frame.offset);
  });

  it('refuses to start for a flipped bit in the last synced frame', async () => {
    const frame = (await framesOf((await segments()).at(-1)!)).at(-1)!;
    flipBit(frame.file, frame.offset + FRAME_HEADER_BYTES + 20);
    const report = await expectRefusal(undefined, {
      file: frame.file,
      offset: frame.offset,
      firstSequence: frame.firstSequence,
      lastSequence,
    });
    expect(report).toMatch(/WAL_(CORRUPT|LOST_TAIL)/);
  });

  it.each([
    ['the first', 0],
    ['a middle', 2],
    ['the last', -1],
  ])('refuses to start when %s segment is missing', async (_, index) => {
    const segment = (await segments()).at(index)!;
    rmSync(segment.path);
    await expectRefusal('WAL_MISSING_SEGMENT', {
      file: segment.path,
      firstSequence: segment.firstSequence,
    });
    const verified = services.cli(['wal', 'verify', services.walDirectory]);
    expect(await verified.exited).toMatchObject({ code: 1 });
    expect(verified.output).toContain('is missing');
  });

  it('refuses to start when the last segment ends before what was promised', async () => {
    const frames = await framesOf((await segments()).at(-1)!);
    const frame = frames.at(-3)!;
    truncateSync(frame.file, frame.offset);
    await expectRefusal('WAL_LOST_TAIL', {
      file: frame.file,
      offset: frame.offset,
      firstSequence: frame.firstSequence,
      lastSequence,
    });
  });

  it('starts on the undamaged copy, so that it was the damage that was refused', async () => {
    await services.start('command-service');
    expect(await services.end('command-service', 'SIGTERM')).toEqual({ code: 0, signal: null });
  });

  /** The service ends by itself, names the place and every number that an operator needs, and leaves every byte as it was. */
  async function expectRefusal(
    code: string | undefined,
    place: Readonly<Record<string, string | number>>,
  ): Promise<string> {
    const before = imageOf(services.dataDirectory);
    const refused = services.spawn('command-service');
    expect(await refused.exited).toEqual({ code: EXIT_DAMAGED, signal: null });
    if (code !== undefined) expect(refused.output).toContain(code);
    for (const value of Object.values(place)) expect(refused.output).toContain(String(value));
    expect(imageOf(services.dataDirectory)).toEqual(before);
    return refused.output;
  }

  async function expectVerifyNames(file: string, offset: number): Promise<void> {
    const verified = services.cli(['wal', 'verify', services.walDirectory, '--json']);
    expect(await verified.exited).toMatchObject({ code: 1 });
    const report = JSON.parse(verified.stdout) as { sound: boolean; problems: object[] };
    expect(report.sound).toBe(false);
    expect(report.problems[0]).toMatchObject({ file, offset });
  }

  async function segments(): Promise<readonly Segment[]> {
    return withReader((reader) =>
      reader.segments().map(({ path, name }) => ({ path, firstSequence: name.firstSequence })),
    );
  }

  async function framesOf(segment: Segment): Promise<readonly DumpedFrame[]> {
    return withReader((reader) =>
      [...reader.frames({ after: (segment.firstSequence - 1) as Sequence })].filter(
        (frame) => basename(frame.file) === basename(segment.path) && frame.recordCount > 0,
      ),
    );
  }

  async function withReader<Result>(work: (reader: WalReader) => Result): Promise<Result> {
    const reader = await WalReader.open(services.walDirectory);
    try {
      return work(reader);
    } finally {
      await reader.close();
    }
  }
});

describe('a second service on the same data', () => {
  let services: Services;

  beforeAll(async () => {
    services = await Services.prepare();
  });

  afterAll(() => services.remove());

  it('says who holds it, and the first goes on', async () => {
    const first = await services.start('command-service');
    const second = services.spawn(
      'command-service',
      { HOLDFAST_COMMAND_HTTP_PORT: '0', HOLDFAST_FEED_PORT: '0', HOLDFAST_ADMIN_PORT: '0' },
      'second',
    );
    expect(await second.exited).toEqual({ code: EXIT_LOCKED, signal: null });
    expect(second.output).toContain('WAL_LOCKED');
    expect(second.output).toContain(String(first.pid));
    const answer = await fetch(`${services.commands}/v1/ledgers/main`, { method: 'PUT' });
    expect(answer.status).toBe(201);
  });
});

describe('a query service whose command service is away', () => {
  let services: Services;
  let client: JournalingClient;

  beforeAll(async () => {
    services = await Services.start();
    client = new JournalingClient(services.front, new Journal('main'));
    await fillLedger(client, 3);
    const position = client.journal.entries.at(-1)!.answer!.position!;
    await client.json('GET', `/v1/ledgers/main/accounts/b/balance?minPosition=${position}`);
    await services.crash('command-service');
  });

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  it('answers queries', async () => {
    const balance = await client.json('GET', '/v1/ledgers/main/accounts/b/balance');
    expect(balance).toMatchObject({ accountId: 'b', balance: '3' });
  });

  it('says of a command that it cannot be taken now and was not applied', async () => {
    const answer = await fetch(`${services.front}/v1/ledgers/main/transfers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'nobody-there' },
      body: JSON.stringify({ legs: [] }),
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await answer.json()).toMatchObject({
      type: '/problems/storage-unavailable',
      status: 503,
      outcome: 'not-applied',
    });
  });

  it('hands commands on again once the command service is back', async () => {
    await services.start('command-service');
    const entry = client.journal.note('PostTransfer', 'after', {
      legs: [
        { accountId: 'a', side: 'debit', amount: '4' },
        { accountId: 'b', side: 'credit', amount: '4' },
      ],
    });
    await client.settle([entry]);
    const path = `/v1/ledgers/main/accounts/b/balance?minPosition=${entry.answer!.position!}`;
    expect(await client.json('GET', path)).toMatchObject({ balance: '7' });
  });
});

async function fillLedger(client: JournalingClient, transfers: number): Promise<void> {
  const { journal } = client;
  await client.json('PUT', '/v1/ledgers/main');
  await client.json('PUT', '/v1/ledgers/main/assets/EUR', { scale: 2 });
  await client.settle(
    ['a', 'b'].map((id) =>
      journal.note('OpenAccount', `open-${id}`, {
        id,
        asset: 'EUR',
        normalSide: 'credit',
        floor: null,
      }),
    ),
  );
  for (let number = 0; number < transfers; number++) {
    const entry = journal.note('PostTransfer', `transfer-${number}`, {
      legs: [
        { accountId: 'a', side: 'debit', amount: '1' },
        { accountId: 'b', side: 'credit', amount: '1' },
      ],
    });
    // One after the other: a frame each.
    await client.send(entry);
  }
}

function flipBit(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}
