import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerDouble } from '../testing/ledger-double.js';
import { type CliRun, runCli } from '../testing/run-cli.js';

const MAPPING = {
  name: 'm',
  asset: { code: 'EUR', scale: 2 },
  row: { id: '{id}', amount: { column: 'amount' } },
  accounts: {
    cash: { id: 'cash', normalSide: 'debit', floor: null },
    customer: { id: 'customer-{customer}', normalSide: 'credit' },
  },
  rules: [{ debit: 'cash', credit: 'customer' }],
};

describe('an import', () => {
  let directory: string;
  let ledger: LedgerDouble;
  let url: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'import-'));
    ledger = new LedgerDouble();
    url = await ledger.start();
    write('m.json', JSON.stringify(MAPPING));
  });

  afterEach(async () => {
    await ledger.stop();
    rmSync(directory, { recursive: true });
  });

  const path = (name: string): string => join(directory, name);
  const write = (name: string, content: string): void => writeFileSync(path(name), content);
  const read = (name: string): string => readFileSync(path(name), 'utf8');

  function writeRows(...rows: readonly string[]): void {
    write('rows.csv', ['id,amount,customer', ...rows, ''].join('\n'));
  }

  function importing(...more: readonly string[]): Promise<CliRun> {
    const line = ['import', path('rows.csv'), '--ledger', 'main', '--mapping', path('m.json')];
    return runCli(...line, '--url', url, '--rejects', path('rejects.csv'), ...more);
  }

  async function summaryOf(...more: readonly string[]): Promise<unknown> {
    return JSON.parse((await importing('--json', ...more)).output);
  }

  describe('that is started again', () => {
    it('after retention says of no row whose answer has gone that it is posted, and keeps what was not taken', async () => {
      writeRows('1,10.00,a', '2,500.00,a', '3,5.00,b');
      expect(await summaryOf()).toMatchObject({ posted: 2, rejected: 1 });
      const refused = read('rejects.csv');
      ledger.removeAnswers();
      const { exit, output, messages } = await importing();
      expect(exit).toBe(1);
      expect(output).toContain('0 posted\n');
      expect(output).toContain('3 were answered by an earlier run');
      expect(output).toContain('/v1/ledgers/main/transfers?reference=');
      expect(messages).toContain(path('rejects.1.csv'));
      expect(existsSync(path('rejects.csv'))).toBe(false);
      expect(read('rejects.1.csv')).toBe(refused);
      expect(await summaryOf()).toMatchObject({ posted: 0, repeated: 0, rejected: 0, unknown: 3 });
      expect(read('rejects.1.csv')).toBe(refused);
    });

    it('keeps no copy of rejects that come again, and every one that somebody has edited', async () => {
      writeRows('1,10.00,a', '2,500.00,a', '3,none,b');
      await importing();
      const refused = read('rejects.csv');
      await importing();
      expect(read('rejects.csv')).toBe(refused);
      expect(existsSync(path('rejects.1.csv'))).toBe(false);
      const edited = refused.replace('500.00', '50.00');
      write('rejects.csv', edited);
      await importing();
      write('rejects.csv', `${edited}\n`);
      await importing();
      expect([read('rejects.1.csv'), read('rejects.2.csv')]).toEqual([edited, `${edited}\n`]);
      expect(read('rejects.csv')).toBe(refused);
    });

    it('as a check keeps what the last check refused, and nothing of those before', async () => {
      writeRows('1,none,a');
      const line = ['import', path('rows.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      await runCli(...line, '--check');
      writeRows('1,10.00,a', '2,nothing,a');
      await runCli(...line, '--check');
      expect(read('rows.csv.main.m.check.rejects.csv')).toContain('2,nothing,a,3,');
      expect(readdirSync(directory).filter((file) => file.includes('rejects'))).toHaveLength(1);
    });

    it('behind its note keeps what the rejects file has besides', async () => {
      writeRows('1,none,a', '2,10.00,a', '3,500.00,a', '4,10.00,a');
      ledger.bulksMax = 1;
      expect((await importing('--batch', '3')).messages).toContain('IMPORT_REFUSED');
      const edited = `${read('rejects.csv')}what somebody writes\n`;
      write('rejects.csv', edited);
      ledger.bulksMax = Infinity;
      expect(await summaryOf('--batch', '3')).toMatchObject({ resumedAfter: 2, rejected: 2 });
      expect(read('rejects.1.csv')).toBe(edited);
    });
  });

  describe('behind its note, of a ledger that was restored to an earlier moment', () => {
    /** Its note speaks of four rows, and the ledger is taken back to where the first was posted. */
    async function interrupted(): Promise<void> {
      ledger.bulksMax = 2;
      expect((await importing('--batch', '3')).messages).toContain('IMPORT_REFUSED');
      ledger.bulksMax = Infinity;
      ledger.restore(3);
      expect(ledger.posted).toEqual(['import-m-1']);
    }

    it('begins at row 1 when its last row repeats one that is still there', async () => {
      writeRows('1,10.00,a', '2,10.00,a', '3,10.00,a', '1,10.00,a', '4,10.00,a');
      await interrupted();
      expect(await summaryOf()).toMatchObject({ resumedAfter: 0, posted: 5, repeated: 2 });
      expect(ledger.posted).toEqual([1, 2, 3, 4].map((id) => `import-m-${id}`));
    });

    it('begins at row 1 when its last row has been posted again without those before it', async () => {
      const rows = ['1,10.00,a', '2,10.00,a', '3,10.00,a', '4,10.00,a', '5,10.00,a'];
      writeRows(...rows);
      await interrupted();
      writeRows('4,10.00,a');
      await importing('--progress', path('other.json'));
      writeRows(...rows);
      expect(await summaryOf()).toMatchObject({ resumedAfter: 0, posted: 5, repeated: 2 });
      expect([...ledger.posted].sort()).toEqual([1, 2, 3, 4, 5].map((id) => `import-m-${id}`));
    });
  });

  describe('that lives through a restore of the ledger to an earlier moment', () => {
    const ids = Array.from({ length: 12 }, (_, index) => String(index + 1));
    const keys = ids.map((id) => `import-m-${id}`);
    const others = ids.map((id) => `other-${id}`);

    /** Before the bulk in which this row comes first, the ledger is taken back to its accounts and row 1. */
    function restoredBefore(id: string, after: () => unknown = () => undefined): void {
      let restored = false;
      ledger.onBulk = (sent) => {
        if (restored || !sent.includes(`import-m-${id}`)) return undefined;
        restored = true;
        ledger.restore(3);
        return after();
      };
    }

    const imported = (): readonly string[] => ledger.posted.filter((key) => keys.includes(key));

    beforeEach(() => writeRows(...ids.map((id) => `${id},10.00,a`)));

    it.each([
      ['nothing was posted since', () => undefined],
      ['others have filled what was taken back', () => ledger.post(...others)],
      [
        'the newest row was posted again without those before it',
        () => ledger.post('import-m-4', ...others),
      ],
    ])('posts every row, when %s', async (_, after) => {
      restoredBefore('7', after);
      const { output, messages } = await importing('--batch', '3', '--json');
      expect(JSON.parse(output)).toMatchObject({ finished: true, rows: 12 });
      expect([...imported()].sort()).toEqual([...keys].sort());
      expect(messages).toContain('row 1');
    });

    it('counts every row once, and opens accounts again that were taken back', async () => {
      restoredBefore('7', () => ledger.restore(0));
      expect(await summaryOf('--batch', '3')).toMatchObject({
        ...{ rows: 12, resumedAfter: 0, posted: 12, rejected: 0, unknown: 0, accountsOpened: 2 },
      });
      expect(ledger.recorded).toHaveLength(14);
    });

    it('writes no note that vouches for what was taken back', async () => {
      restoredBefore('7', () => ledger.post(...others));
      ledger.bulksMax = 4;
      expect((await importing('--batch', '3')).messages).toContain('IMPORT_REFUSED');
      ledger.bulksMax = Infinity;
      expect(await summaryOf('--batch', '3')).toMatchObject({ rows: 12, posted: 12 });
      expect([...imported()].sort()).toEqual([...keys].sort());
    });

    it('sends nothing again, that waited meanwhile, before the rows that were taken back', async () => {
      restoredBefore('7', () => true);
      expect(await summaryOf('--batch', '3')).toMatchObject({ rows: 12, posted: 12, repeated: 1 });
      expect(imported()).toEqual(keys);
    });

    it('posts every row, when the newest answer is a refusal that comes to the same place again', async () => {
      const refused = '4,500.00,a';
      writeRows(...ids.map((id) => (id === '4' ? refused : `${id},10.00,a`)));
      restoredBefore('7', () => ledger.post('other-1', 'other-2'));
      expect(await summaryOf('--batch', '3')).toMatchObject({ rows: 12, posted: 11, rejected: 1 });
      expect(imported()).toHaveLength(11);
    });

    it('posts every row, when it has gone on behind its note just before', async () => {
      ledger.bulksMax = 2;
      await importing('--batch', '3');
      ledger.bulksMax = Infinity;
      restoredBefore('5', () => ledger.post(...others));
      expect(await summaryOf('--batch', '3')).toMatchObject({ rows: 12, posted: 12 });
      expect([...imported()].sort()).toEqual([...keys].sort());
    });

    it('ends when there is no end of restores', async () => {
      ledger.onBulk = () => ledger.restore(0);
      expect((await importing('--batch', '3')).messages).toContain('IMPORT_HISTORY_CHANGED');
    });

    it.each([
      ['', []],
      [', which was posted again', ['import-m-4']],
    ])('posts every row, when the next one has the id of the newest%s', async (_, again) => {
      writeRows('1,10.00,a', '2,10.00,a', '3,10.00,a', '4,10.00,a', '4,7.00,a', '5,10.00,a');
      let bulks = 0;
      ledger.onBulk = () => {
        if (++bulks !== 3) return;
        ledger.restore(3);
        ledger.post(...again, ...others);
      };
      expect(await summaryOf('--batch', '3')).toMatchObject({ rows: 6, posted: 5, rejected: 1 });
      expect([...imported()].sort()).toEqual(keys.slice(0, 5));
    });
  });

  describe('of rows with one id', () => {
    const rows = ['1,10.00,a', '1,10.00,a', '1,7.00,a', '2,500.00,a', '2,500.00,a', '3,5.00,b'];

    it.each(['3', '4', '5', '50'])(
      'lets the ledger decide, alike in batches of %s',
      async (batch) => {
        writeRows(...rows);
        expect(await summaryOf('--batch', batch)).toMatchObject({
          ...{ rows: 6, posted: 3, repeated: 1, rejected: 3 },
        });
        expect(ledger.posted).toEqual(['import-m-1', 'import-m-3']);
        expect(read('rejects.csv').split('\n').slice(1)).toEqual([
          '1,7.00,a,4,idempotency-key-reused: idempotency-key-reused',
          '2,500.00,a,5,insufficient-funds: insufficient-funds',
          '2,500.00,a,6,insufficient-funds: insufficient-funds',
          '',
        ]);
      },
    );
  });
});
