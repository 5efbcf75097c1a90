import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { Journal } from '../support/journal.js';
import { JournalingClient } from '../support/journaling-client.js';
import { checkLog } from '../support/money-check.js';
import { Services } from '../support/services.js';

const TRANSFERS = 40;

interface Balance {
  readonly balance: string;
  readonly entryVersion: number;
}

describe('everything in one process', () => {
  const journal = new Journal('main');
  let services: Services;
  let client: JournalingClient;

  beforeAll(async () => {
    services = await Services.prepare();
    await services.start('holdfast');
    client = new JournalingClient(services.front, journal);
    await client.json('PUT', '/v1/ledgers/main');
    await client.json('PUT', '/v1/ledgers/main/assets/EUR', { scale: 2 });
    await client.settle(
      ['bank', 'alice'].map((id) =>
        journal.note('OpenAccount', `open-${id}`, {
          id,
          asset: 'EUR',
          normalSide: 'credit',
          ...(id === 'bank' ? { floor: null } : {}),
        }),
      ),
    );
  });

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  it('shows a client its own writes at once, with the position of the answer', async () => {
    for (let number = 1; number <= TRANSFERS; number++)
      expect(await balanceAfter(await pay(`first-${number}`))).toEqual(balanceOf(number));
  });

  it('gives the processor to commands before queries', () => {
    const pid = services.get('holdfast')!.pid;
    const threads = readdirSync(`/proc/${pid}/task`).map((id) =>
      threadAt(`/proc/${pid}/task/${id}`),
    );
    const nicenessOf = (name: string) =>
      new Set(threads.filter((thread) => thread.name === name).map(({ niceness }) => niceness));
    const { niceness } = threadAt(`/proc/${pid}`);
    expect(niceness).toBeLessThan(19);
    expect(nicenessOf('query')).toEqual(new Set([Math.min(niceness + 15, 19)]));
    expect(nicenessOf('projection')).toEqual(new Set([niceness]));
  });

  it('ends with 0 when it is told to stop, having answered what was in flight', async () => {
    const inFlight = journal.note('PostTransfer', 'in-flight', transfer());
    const sent = client.send(inFlight);
    const answered = await sent;
    const exit = await services.end('holdfast', 'SIGTERM');
    expect(exit).toEqual({ code: 0, signal: null });
    expect(answered).toBe('answered');
  });

  it('is there again with everything', async () => {
    await services.start('holdfast');
    expect(await balanceAfter(await pay('second'))).toEqual(balanceOf(TRANSFERS + 2));
  });

  it('has lost nothing of what it acknowledged when it is killed', async () => {
    const entries = Array.from({ length: TRANSFERS }, (_, number) =>
      journal.note('PostTransfer', `third-${number}`, transfer()),
    );
    const sent = entries.map((entry) => client.send(entry));
    await sent[0];
    await services.crash('holdfast');
    await Promise.all(sent);
    await services.start('holdfast');
    expect((await checkLog(services, journal)).faults).toEqual([]);
    await client.settle(entries);
    const { audit, faults } = await checkLog(services, journal);
    expect(faults).toEqual([]);
    const last = entries.reduce((one, other) =>
      positionOf(one) > positionOf(other) ? one : other,
    );
    expect(await balanceAfter(last.answer!.position!)).toEqual(balanceOf(2 * TRANSFERS + 2));
    expect(audit.accounts.get('alice')!.entries).toBe(2 * TRANSFERS + 2);

    function positionOf(entry: (typeof entries)[number]): number {
      return audit.commands.get(entry.key)!.position;
    }
  });

  /** One cent from the bank to Alice; the position of the answer. */
  async function pay(key: string): Promise<string> {
    const entry = journal.note('PostTransfer', key, transfer());
    expect(await client.send(entry)).toBe('answered');
    expect(entry.answer!.status).toBe(201);
    return entry.answer!.position!;
  }

  function transfer(): object {
    return {
      legs: [
        { accountId: 'bank', side: 'debit', amount: '1' },
        { accountId: 'alice', side: 'credit', amount: '1' },
      ],
    };
  }

  async function balanceAfter(position: string): Promise<Balance> {
    const path = `/v1/ledgers/main/accounts/alice/balance?minPosition=${position}`;
    const { balance, entryVersion } = await client.json<Balance>('GET', path);
    return { balance, entryVersion };
  }

  function balanceOf(transfers: number): Balance {
    return { balance: String(transfers), entryVersion: transfers };
  }
});

/** As proc(5) says it: the niceness is the 19th field, and the name, in brackets, the second. */
function threadAt(directory: string): { name: string; niceness: number } {
  const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(
    readFileSync(`${directory}/stat`, 'utf8'),
  )!;
  return { name, niceness: Number(rest.split(' ')[16]) };
}
