import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventLogReader } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { LedgerCommand } from '@holdfast/ledger';
import { LedgerWriter } from '@holdfast/ledger-service';
import { AdminApi, type Job } from '../../support/admin-api.js';
import { Journal } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { LedgerTraffic } from '../../support/ledger-traffic.js';
import { LogAuditor } from '../../support/log-audit.js';
import { checkLog, checkMoney } from '../../support/money-check.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const DAY_MILLIS = 86_400_000;
/** Of each: a transfer, a refusal, a change of the account's metadata, and one of a transfer's. */
const OLD_ROUNDS = 1_000;
const KILLS = 3;
/** A segment is rewritten in some milliseconds. */
const REWRITING_MILLIS_MAX = 10;
const POLL_MILLIS = 1;
const REWRITTEN = /\.[1-9][0-9]*\.wal$/;
const SMALL = { HOLDFAST_WAL_SEGMENT_BYTES: '128KiB', HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB' };
const FILLING = 'what an account was called for a while, '.repeat(5);

/**
 * A ledger of forty days ago, most of which nobody needs any more, and one of today whose every key is known. Of the first nothing but refusals and superseded metadata may go,
 * of the second nothing at all, wherever the process dies.
 */
describe('a log that is compacted under traffic and deaths', () => {
  const journal = new Journal('main', { isForeign: (key) => key.startsWith('old-') });
  const random = SeededRandom.announced('compaction');
  let services: Services;
  let client: JournalingClient;
  let admin: AdminApi;
  let traffic: LedgerTraffic;
  /** By position, what may go … */
  let dispensable: ReadonlySet<number>;
  /** … and what the old ledger must have for ever. */
  let kept: ReadonlyMap<number, string>;

  beforeAll(async () => {
    // The log ends forty days ago: an operator says that this is no fault of the clock.
    const accepted = { HOLDFAST_CLOCK_ACCEPT: new Date().toISOString() };
    services = await Services.prepare({ ...SMALL, ...accepted });
    await writeOldLedger();
    const events = await oldEvents();
    dispensable = dispensableOf(events);
    kept = new Map([...events].filter(([position]) => !dispensable.has(position)).map(asText));
    for (const application of ['command-service', 'projection-worker', 'query-service'] as const)
      await services.start(application);
    client = new JournalingClient(services.front, journal);
    admin = new AdminApi(services.admin);
    traffic = new LedgerTraffic(client, random);
    await traffic.begin();
  }, 240_000);

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  async function writeOldLedger(): Promise<void> {
    const nowMillis = Date.now() - 40 * DAY_MILLIS;
    const writer = await LedgerWriter.open(services.walDirectory, {
      wal: { create: true, segmentBytes: 128 * 1024, frameBytesMax: 64 * 1024 },
      clock: { nowMillis: () => nowMillis, monotonicMillis: () => nowMillis },
    });
    let keys = 0;
    const execute = async (command: LedgerCommand) => {
      const key = `old-${(keys += 1)}`;
      const idempotency = { key, bodyHash: key };
      const outcome = await writer.execute(command, { actor: 'old', idempotency });
      assert(outcome.kind === 'answered', 'a command is recorded');
      return outcome.answer;
    };
    const ledger = 'old';
    await execute({ type: 'OpenLedger', ledger });
    await execute({ type: 'RegisterAsset', ledger, asset: 'EUR', scale: 2 });
    const account = { type: 'OpenAccount', ledger, asset: 'EUR' } as const;
    await execute({ ...account, accountId: 'till', normalSide: 'debit', floor: null });
    await execute({ ...account, accountId: 'buyer', normalSide: 'credit' });
    const transfer = (debited: string, credited: string, amount: string): LedgerCommand => ({
      ...{ type: 'PostTransfer', ledger },
      legs: [
        { accountId: debited, side: 'debit', amount },
        { accountId: credited, side: 'credit', amount },
      ],
    });
    const first = await execute(transfer('till', 'buyer', '1'));
    assert(first.kind === 'transfer', 'there is a transfer');
    const of = { ledger, transferId: first.body.id };
    for (let round = 1; round <= OLD_ROUNDS; round++) {
      const metadata = { round: String(round), filling: FILLING };
      await Promise.all([
        execute(transfer('till', 'buyer', '3')),
        execute(transfer('buyer', 'till', '1000000')),
        execute({ type: 'ChangeAccount', ledger, accountId: 'buyer', metadata }),
        execute({ type: 'ChangeTransferMetadata', ...of, metadata }),
      ]);
    }
    await writer.close();
  }

  type OldEvent = Readonly<Record<'stream' | 'type', string>> & { readonly version: number };

  async function oldEvents(): Promise<Map<number, OldEvent>> {
    const events = new Map<number, OldEvent>();
    const reader = await EventLogReader.open(services.walDirectory);
    for await (const batch of reader.readAll())
      for (const event of batch.events)
        if (event.stream.startsWith('old/')) events.set(event.position, event);
    await reader.close();
    return events;
  }

  /** By the letter: refusals and changes of metadata, but the last of each stream, which has none but these behind it. */
  function dispensableOf(events: ReadonlyMap<number, OldEvent>): Set<number> {
    const last = new Map([...events].map(([position, { stream }]) => [stream, position]));
    const may = [...events].filter(
      ([position, { type, stream }]) =>
        ['CommandRejected', 'MetadataChanged'].includes(type) && last.get(stream) !== position,
    );
    return new Set(may.map(([position]) => position));
  }

  const asText = ([position, event]: [number, OldEvent]): [number, string] => [
    position,
    JSON.stringify(event),
  ];

  const auditor = () =>
    new LogAuditor(services.walDirectory, [journal.ledger], undefined, (position) =>
      dispensable.has(position),
    );

  /** Segments that were rewritten so far; the last one may not be named by MANIFEST yet. */
  const generations = (): number =>
    readdirSync(services.walDirectory).filter((file) => REWRITTEN.test(file)).length;

  async function twoSnapshotsAndFloor(): Promise<void> {
    for (let snapshot = 0; snapshot < 2; snapshot++) {
      await traffic.transfer(100);
      expect(await admin.work('/admin/snapshots')).toMatchObject({ state: 'succeeded' });
    }
    const isPast = async (): Promise<boolean> =>
      ((await admin.floors()).get('projection:ledger')?.position ?? 0) > Math.max(...kept.keys());
    while (!(await isPast())) await setTimeout(50);
  }

  const compactionOf = (job: Job) =>
    job['result'] as Record<'rewritten' | 'droppedRecords' | 'bytesBefore' | 'bytesAfter', number>;

  it('loses what it may, bit by bit, and nothing else', async () => {
    await twoSnapshotsAndFloor();
    const planned = await admin.work('/admin/compactions', { dryRun: true });
    expect(planned).toMatchObject({
      result: {
        dispensableEvents: dispensable.size,
        expiredRefusals: { events: OLD_ROUNDS - 1 },
        supersededMetadata: { events: 2 * (OLD_ROUNDS - 1) },
      },
    });
    const child = services.cli(['compact', '--dry-run', '--url', services.admin]);
    expect(await child.exited).toMatchObject({ code: 0 });
    expect(child.stdout).toMatch(/999 with .*: refusals whose keys have expired,/);
    expect(child.stdout).toMatch(/1,998 with .*: changes of metadata whose keys have expired/);
    const faults: string[] = [];
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const before = generations();
      const sending = traffic.transfer(300);
      const job = { isOver: false };
      const over = (): void => void (job.isOver = true);
      void admin.post('/admin/compactions', { dryRun: false }).then(async (started) => {
        await admin.ended(started).then(over, over);
      }, over);
      while (generations() === before && !job.isOver) await setTimeout(POLL_MILLIS);
      await setTimeout(random.next() * REWRITING_MILLIS_MAX);
      interrupted += job.isOver ? 0 : 1;
      await services.crash('command-service');
      await services.start('command-service');
      await sending;
      faults.push(...(await checkLog(services, journal, auditor())).faults);
    }
    expect(faults).toEqual([]);
    expect(interrupted).toBeGreaterThan(0);
    const last = compactionOf(await admin.work('/admin/compactions', { dryRun: false }));
    expect(last.bytesAfter).toBeLessThanOrEqual(last.bytesBefore);
    expect(compactionOf(await admin.work('/admin/compactions', { dryRun: false }))).toMatchObject({
      ...{ rewritten: 0, droppedRecords: 0 },
    });
    const left = await oldEvents();
    expect(left.size).toBeLessThan(kept.size + dispensable.size / 10);
    const stayed = [...left].filter(([position]) => !dispensable.has(position)).map(asText);
    expect(new Map(stayed)).toEqual(kept);
    await checkMoney(services, client, auditor());
  }, 600_000);

  it('has the metadata and versions that it had, also when state and read model are made anew from it', async () => {
    const path = '/v1/ledgers/old/accounts/buyer';
    const expected = {
      metadata: { round: String(OLD_ROUNDS), filling: FILLING },
      version: 1 + OLD_ROUNDS,
    };
    expect(await client.json('GET', path)).toMatchObject(expected);
    for (const application of ['projection-worker', 'command-service'] as const)
      await services.end(application, 'SIGTERM');
    for (const made of ['state', 'snapshots', 'read-models'])
      rmSync(join(services.dataDirectory, made), { recursive: true });
    for (const application of ['command-service', 'projection-worker'] as const)
      await services.start(application);
    await checkMoney(services, client, auditor());
    expect(await client.json('GET', path)).toMatchObject(expected);
    const answer = await fetch(`${services.front}${path}`, {
      method: 'PATCH',
      headers: {
        ...{ 'content-type': 'application/json', 'idempotency-key': 'old-and-new' },
        'if-match': `"${expected.version}"`,
      },
      body: JSON.stringify({ metadata: { filling: null } }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { metadata: { round: String(OLD_ROUNDS) }, version: expected.version + 1 },
    ]);
  }, 240_000);
});
