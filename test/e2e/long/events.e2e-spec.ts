import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventLogReader } from '@holdfast/event-store';
import { EventFollower } from '../../support/event-follower.js';
import { Journal } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { LedgerTraffic } from '../../support/ledger-traffic.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { type Application, Services } from '../../support/services.js';

const ROUNDS = 4;
const ALIVE_MILLIS_MAX = 300;
const REFUSALS = ['CommandRejected', 'CommandUnchanged'];

/** By any process that may die, and any end of a connection. */
describe.each([
  ['behind the front door', ['command-service', 'projection-worker', 'query-service']],
  ['of one process', ['holdfast']],
] as const)('clients that follow events %s', (_, applications: readonly Application[]) => {
  const random = SeededRandom.announced('events');
  let services: Services;
  let client: JournalingClient;
  const followers: EventFollower[] = [];

  afterEach(async () => {
    await Promise.all(followers.splice(0).map((follower) => follower.stop()));
    await client.close();
    await services.remove();
  });

  it('get each of them once, in order, whatever dies meanwhile', async () => {
    services = await Services.prepare({
      HOLDFAST_WAL_SEGMENT_BYTES: '256KiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB',
    });
    for (const application of applications) await services.start(application);
    const journal = new Journal('main');
    client = new JournalingClient(services.front, journal);
    const traffic = new LedgerTraffic(client, random);
    await traffic.begin();
    const address = `${services.front}/v1/ledgers/main/events`;
    const all = new EventFollower(address);
    const some = new EventFollower(`${address}?tag=account:account-3&type=TransferPosted`);
    for (const follower of [all, some]) {
      followers.push(follower);
      follower.start();
    }
    for (let round = 0; round < ROUNDS; round++) {
      const sending = traffic.transfer(200);
      await setTimeout(random.between(1, ALIVE_MILLIS_MAX));
      all.breakOff();
      await setTimeout(random.between(1, ALIVE_MILLIS_MAX));
      some.breakOff();
      const victims = applications.filter((name) => name !== 'projection-worker');
      const victim = victims[round % victims.length]!;
      await services.crash(victim);
      await services.start(victim);
      await sending;
    }
    const recorded = await recordedEvents();
    const last = recorded.at(-1)!;
    await all.until(() => all.events.at(-1)?.id === last.id);
    expect(all.events.map(({ id }) => id)).toEqual(recorded.map(({ id }) => id));
    expect(all.streams).toBeGreaterThan(1);

    const ofSome = recorded
      .filter(({ type, tags }) => type === 'TransferPosted' && tags.includes(TAG))
      .map(({ id }) => id);
    await some.until(() => some.events.length >= ofSome.length);
    expect(some.events.map(({ id }) => id)).toEqual(ofSome);
    expect(ofSome.length).toBeGreaterThan(10);

    const lines = await (
      await fetch(address, { headers: { accept: 'application/x-ndjson' } })
    ).text();
    expect(lines).toBe(all.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }, 300_000);

  it('are let go at once when the service stops', async () => {
    services = await Services.prepare();
    for (const application of applications) await services.start(application);
    client = new JournalingClient(services.front, new Journal('main'));
    await client.json('PUT', '/v1/ledgers/main');
    const streams = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${services.front}/v1/ledgers/main/events`, {
          headers: { accept: 'text/event-stream' },
        }),
      ),
    );
    const ended = Promise.all(streams.map((stream) => stream.text().catch(() => undefined)));
    for (const application of applications.toReversed())
      expect(await services.end(application, 'SIGTERM')).toEqual({ code: 0, signal: null });
    await ended;
  }, 120_000);

  const TAG = 'account:main/account-3';

  async function recordedEvents() {
    const reader = await EventLogReader.open(services.walDirectory);
    const events = [];
    for await (const batch of reader.readAll({ filter: { streamPrefix: 'main/' } }))
      events.push(...batch.events.filter(({ type }) => !REFUSALS.includes(type)));
    await reader.close();
    return events;
  }
});
