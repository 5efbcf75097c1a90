import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { Journal, type JournalEntry } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { LogAuditor } from '../../support/log-audit.js';
import { appliedAfterAll, checkLog } from '../../support/money-check.js';
import { Services } from '../../support/services.js';

/** Whoever checks is checked: what each of these journals says of a sound log is a lie, and is found. */
describe('the money check', () => {
  let services: Services;
  let client: JournalingClient;

  beforeAll(async () => {
    services = await Services.prepare();
    await services.start('command-service');
    client = new JournalingClient(services.commands, new Journal('main'));
    const { journal } = client;
    await client.json('PUT', '/v1/ledgers/main');
    await client.json('PUT', '/v1/ledgers/main/assets/EUR', { scale: 2 });
    const open = (id: string, floor: object): JournalEntry =>
      journal.note('OpenAccount', `open-${id}`, {
        id,
        asset: 'EUR',
        normalSide: 'credit',
        ...floor,
      });
    await client.settle([open('bank', { floor: null }), open('alice', {})]);
    await client.settle([transfer('one', 'bank', 'alice'), transfer('two', 'bank', 'alice')]);
  });

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  it('finds nothing where nothing is', async () => {
    expect(await faultsOf(client.journal.entries)).toEqual([]);
  });

  it('finds an acknowledged command that is not there', async () => {
    const answer = client.journal.get('one')!.answer;
    expect(await faultsOf([...client.journal.entries, { ...entry('lost'), answer }])).toEqual([
      `lost was answered 201 at ${answer!.position} and is lost`,
    ]);
  });

  it('finds a command that is not where it was acknowledged, or not what it was said to be', async () => {
    const { position } = client.journal.get('two')!.answer!;
    const one = client.journal.get('one')!;
    const { audit } = await checkLog(services, client.journal);
    const { position: there } = audit.commands.get('one')!;
    const elsewhere = { ...one, answer: { ...one.answer!, position } };
    const refused = { ...one, answer: { ...one.answer!, status: 422 } };
    const others = client.journal.entries.filter((other) => other !== one);
    expect(await faultsOf([...others, elsewhere])).toEqual([
      `one was acknowledged at ${position} and is at ${there} of ${audit.logId}`,
    ]);
    expect(await faultsOf([...others, refused])).toEqual([
      'one was answered 422 and is TransferPosted',
    ]);
  });

  it('finds a command that nobody asked for', async () => {
    const others = client.journal.entries.filter(({ key }) => key !== 'two');
    expect(await faultsOf(others)).toEqual(['nobody asked for two']);
  });

  it('finds a command that is there though it was said not to be', async () => {
    const one = { ...client.journal.get('one')!, answer: undefined, refusals: 1 };
    const { audit } = await checkLog(services, client.journal);
    expect(appliedAfterAll(journalOf([one]), audit)).toEqual([
      'one was refused 1 times as not applied, and is there',
    ]);
    const unknown = { ...one, unknownOutcomes: 1 };
    expect(appliedAfterAll(journalOf([unknown, entry('three')]), audit)).toEqual([]);
  });

  it('finds that what a reader was shown is there no more, or is something else', async () => {
    const before = `${services.walDirectory}-before`;
    cpSync(services.walDirectory, before, { recursive: true });
    const auditor = new LogAuditor(services.walDirectory, ['main']);
    await auditor.advance();
    const seen = auditor.of('main').position;
    await client.settle([transfer('three', 'bank', 'alice')]);
    await auditor.advance();
    expect(auditor.of('main')).toMatchObject({ faults: [], position: seen + 1 });
    rmSync(services.walDirectory, { recursive: true });
    renameSync(before, services.walDirectory);
    await auditor.advance();
    expect(auditor.of('main').faults).toEqual([
      `the log ends at ${seen}, and ${seen + 1} was shown to a reader`,
    ]);
  });

  it('does not take two answers for one key', () => {
    const { journal } = client;
    const one = journal.get('one')!;
    const answer = { ...one.answer!, body: '{}' };
    expect(() => journal.answered(one, answer)).toThrow('one was answered');
  });

  function transfer(key: string, from: string, to: string): JournalEntry {
    return client.journal.note('PostTransfer', key, {
      legs: [
        { accountId: from, side: 'debit', amount: '5' },
        { accountId: to, side: 'credit', amount: '5' },
      ],
    });
  }

  async function faultsOf(entries: readonly JournalEntry[]): Promise<readonly string[]> {
    return (await checkLog(services, journalOf(entries))).faults;
  }
});

function entry(key: string): JournalEntry {
  const known = { unknownOutcomes: 0, refusals: 0, answer: undefined };
  return { key, type: 'PostTransfer', body: {}, ...known };
}

function journalOf(entries: readonly JournalEntry[]): Journal {
  const journal = new Journal('main');
  for (const { key, type, body, ...known } of entries)
    Object.assign(journal.note(type, key, body), known);
  return journal;
}
