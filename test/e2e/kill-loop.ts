import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { Journal, type JournalEntry } from '../support/journal.js';
import { JournalingClient } from '../support/journaling-client.js';
import { LogAuditor } from '../support/log-audit.js';
import { checkLog, checkMoney } from '../support/money-check.js';
import { SeededRandom } from '../support/seeded-random.js';
import { Services } from '../support/services.js';

const CLIENTS = 16;
const ACCOUNTS = 24;
const WORKER_KILLED_EVERY = 10;
const ALIVE_MILLIS_MAX = 150;
const PAUSE_MILLIS = 40;

/**
 * So many deaths of the command service, at random moments of a load, and of the projection worker with every tenth.
 *
 * What this supports: after the death of the process at any moment, what was acknowledged is there and what was not is absent or whole. The page
 * cache survives a kill, so it says nothing of missing syncs; the tests in test/crash do.
 */
export function describeKillLoop(kills: number): void {
  describe(`${kills} deaths of the command service under ${CLIENTS} clients`, () => {
    const journal = new Journal('main');
    const random = SeededRandom.announced('kill loop');
    /** No new commands; what was begun is brought to its end. */
    const enough = new AbortController();
    /** The services are gone for good. */
    const gone = new AbortController();
    let services: Services;
    let client: JournalingClient;

    beforeAll(async () => {
      services = await Services.start({
        HOLDFAST_WAL_SEGMENT_BYTES: '1MiB',
        HOLDFAST_WAL_FRAME_BYTES_MAX: '256KiB',
      });
      client = new JournalingClient(services.front, journal);
      await client.json('PUT', '/v1/ledgers/main');
      await client.json('PUT', '/v1/ledgers/main/assets/EUR', { scale: 2 });
      const accounts = Array.from({ length: ACCOUNTS }, (_, index) =>
        journal.note('OpenAccount', `open-${index}`, {
          id: `account-${index}`,
          asset: 'EUR',
          normalSide: 'credit',
          // Money comes from account 0; the others must not be overdrawn, so some transfers are refused.
          ...(index === 0 ? { floor: null } : {}),
        }),
      );
      await client.settle(accounts);
    });

    afterAll(async () => {
      enough.abort();
      gone.abort();
      await client.close();
      await services.remove();
    });

    it('lose nothing that was acknowledged, apply nothing twice, and keep the books balanced', async () => {
      const clients = Array.from({ length: CLIENTS }, (_, index) => postTransfers(index));
      // One for all kills: what it was shown before a kill must be there after it.
      const auditor = new LogAuditor(services.walDirectory, [journal.ledger]);
      const faults: string[] = [];
      for (let kill = 1; kill <= kills && faults.length === 0; kill++) {
        // However slow the machine is: a death under load.
        const underLoad = journal.entries.length + CLIENTS;
        while (journal.entries.length <= underLoad) await setTimeout(PAUSE_MILLIS);
        await setTimeout(random.between(1, ALIVE_MILLIS_MAX));
        await services.crash('command-service');
        if (kill % WORKER_KILLED_EVERY === 0) await services.crash('projection-worker');
        await services.start('command-service');
        if (kill % WORKER_KILLED_EVERY === 0) await services.start('projection-worker');
        faults.push(...(await checkLog(services, journal, auditor)).faults);
      }
      enough.abort();
      await Promise.all(clients);
      expect(faults).toEqual([]);

      const audit = await checkMoney(services, client);
      const transfers = journal.entries.filter((entry) => entry.type === 'PostTransfer');
      const refused = transfers.filter((entry) => entry.answer?.status === 422);
      const unknown = journal.entries.filter((entry) => entry.unknownOutcomes > 0);
      process.stdout.write(
        `kill loop: ${transfers.length} transfers, ${refused.length} refused, ${unknown.length} with an unknown outcome, ${audit.position} events\n`,
      );
      // Otherwise nothing of what is claimed was put to the test.
      expect(transfers.length).toBeGreaterThan(kills * CLIENTS);
      expect(refused.length).toBeGreaterThan(0);
      expect(unknown.length).toBeGreaterThan(kills);
      // A busy machine takes many seconds for each start.
    }, 900_000);

    /** A client that never gives up a key: it sends a command until it is answered, then the next. */
    async function postTransfers(index: number): Promise<void> {
      for (let number = 0; !enough.signal.aborted; number++) {
        const entry = newTransfer(`client-${index}-${number}`);
        while (!gone.signal.aborted && (await client.send(entry)) !== 'answered')
          await setTimeout(PAUSE_MILLIS);
      }
    }

    function newTransfer(key: string): JournalEntry {
      const from = random.between(0, ACCOUNTS - 1);
      const to = (from + random.between(1, ACCOUNTS - 1)) % ACCOUNTS;
      const amount = String(random.between(1, 100_000));
      return journal.note('PostTransfer', key, {
        legs: [
          { accountId: `account-${from}`, side: 'debit', amount },
          { accountId: `account-${to}`, side: 'credit', amount },
        ],
        reference: key,
      });
    }
  });
}
