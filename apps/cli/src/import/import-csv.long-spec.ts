import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import iconv from 'iconv-lite';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerDouble } from '../testing/ledger-double.js';
import { type CliRun, runCli, runCliOn } from '../testing/run-cli.js';

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

  /** With other members. */
  const map = (members: object): void =>
    write('m.json', JSON.stringify({ ...MAPPING, ...members }));

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
      rmSync(path('rows.csv.main.m.progress.json'));
      await importing();
      write('rejects.csv', `${edited}\n`);
      rmSync(path('rows.csv.main.m.progress.json'));
      await importing();
      expect([read('rejects.1.csv'), read('rejects.2.csv')]).toEqual([edited, `${edited}\n`]);
      expect(read('rejects.csv')).toBe(refused);
    });

    it.each([[['--json']], [['--check']], [['--attempt', '2']]])(
      'refuses to overwrite a rejects file that was edited, and says what to do: %j',
      async (options) => {
        writeRows('1,10.00,a', '2,none,a');
        await importing(...options);
        const edited = read('rejects.csv').replaceAll('none', '5.00');
        write('rejects.csv', edited);
        const { exit, messages } = await importing(...options);
        expect(exit).toBe(64);
        expect(messages).toContain(`${path('rejects.csv')} was edited`);
        expect(messages).toContain('--attempt');
        expect(read('rejects.csv')).toBe(edited);
      },
    );

    it('begins at row 1 when the rejects file was moved away', async () => {
      writeRows('1,10.00,a', '2,none,a');
      await importing();
      rmSync(path('rejects.csv'));
      expect(await summaryOf()).toMatchObject({ posted: 1, repeated: 1, rejected: 1 });
      expect(read('rejects.csv')).toContain('2,none,a');
    });

    it('that was killed before its note told of its new rejects begins again', async () => {
      writeRows('1,none,a', '2,none,a', '3,10.00,a', '4,none,a');
      await importing();
      const refused = read('rejects.csv');
      let left: readonly (readonly [string, string])[] = [];
      ledger.onBulk = () => {
        left = readdirSync(directory).map((name) => [name, read(name)]);
      };
      await importing();
      // As a kill leaves it: the first rejects are there, and the note is as it was when they were written.
      for (const name of readdirSync(directory)) rmSync(path(name));
      for (const [name, content] of left) write(name, content);
      write('rejects.csv', `${refused.split('\n').slice(0, 2).join('\n')}\n`);
      expect(await summaryOf()).toMatchObject({ finished: true, rejected: 3 });
      expect(read('rejects.csv')).toBe(refused);
      expect(readdirSync(directory).filter((name) => name.startsWith('rejects'))).toHaveLength(1);
    });

    it('as a check keeps what somebody has edited, also without its note', async () => {
      writeRows('1,none,a');
      const line = ['import', path('rows.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      await runCli(...line, '--check');
      const edited = read('rows.csv.main.m.check.rejects.csv').replace('none', '77.00');
      write('rows.csv.main.m.check.rejects.csv', edited);
      rmSync(path('rows.csv.main.m.check.progress.json'));
      await runCli(...line, '--check');
      expect(read('rows.csv.main.m.check.rejects.1.csv')).toBe(edited);
    });

    it('as a check keeps what the last check refused, and nothing of those before', async () => {
      writeRows('1,none,a');
      const line = ['import', path('rows.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      await runCli(...line, '--check');
      writeRows('1,10.00,a', '2,nothing,a');
      for (let check = 0; check < 3; check++)
        expect((await runCli(...line, '--check')).exit).toBe(1);
      expect(read('rows.csv.main.m.check.rejects.csv')).toContain(',2,nothing,a\n');
      expect(readdirSync(directory).filter((file) => file.includes('rejects'))).toHaveLength(1);
    });

    it('behind its note keeps what the rejects file has besides', async () => {
      writeRows('1,none,a', '2,10.00,a', '3,500.00,a', '4,10.00,a');
      ledger.bulksMax = 2;
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
      ledger.bulksMax = 3;
      expect((await importing('--batch', '3')).messages).toContain('IMPORT_REFUSED');
      ledger.bulksMax = Infinity;
      ledger.restore(3);
      expect(ledger.posted).toEqual(['import:m:row:1:1']);
    }

    it('begins at row 1 when its last row has been posted again without those before it', async () => {
      const rows = ['1,10.00,a', '2,10.00,a', '3,10.00,a', '4,10.00,a', '5,10.00,a'];
      writeRows(...rows);
      await interrupted();
      writeRows('4,10.00,a');
      await importing('--progress', path('other.json'));
      writeRows(...rows);
      expect(await summaryOf()).toMatchObject({ resumedAfter: 0, posted: 5, repeated: 2 });
      expect([...ledger.posted].sort()).toEqual(
        [1, 2, 3, 4, 5].map((id) => `import:m:row:1:${id}`),
      );
    });
  });

  describe('that lives through a restore of the ledger to an earlier moment', () => {
    const ids = Array.from({ length: 12 }, (_, index) => String(index + 1));
    const keys = ids.map((id) => `import:m:row:1:${id}`);
    const others = ids.map((id) => `other-${id}`);

    /** Before the bulk in which this row comes first, the ledger is taken back to its accounts and row 1. */
    function restoredBefore(id: string, after: () => unknown = () => undefined): void {
      let restored = false;
      ledger.onBulk = (sent) => {
        if (restored || !sent.includes(`import:m:row:1:${id}`)) return undefined;
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
        () => ledger.post('import:m:row:1:4', ...others),
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
      ledger.bulksMax = 6;
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

    it('posts every row, when all so far were there under their references', async () => {
      await importing();
      let restored = false;
      ledger.onBulk = (sent) => {
        if (restored || !sent.includes('import:m:row:2:7')) return;
        restored = true;
        ledger.restore(3);
      };
      expect(await summaryOf('--attempt', '2', '--batch', '3')).toMatchObject({ posted: 12 });
      expect(ledger.moved).toBe(12_000);
    });

    it('posts every row of a pipe, which can be read once, in spite of a second pass', async () => {
      execFileSync('mkfifo', [path('pipe')]);
      const fed = writeFile(path('pipe'), read('rows.csv'));
      restoredBefore('7');
      const line = ['import', path('pipe'), '--ledger', 'main', '--mapping', path('m.json')];
      const files = ['--rejects', path('rejects.csv'), '--progress', path('note.json')];
      await runCli(...line, '--url', url, ...files, '--batch', '3');
      await fed;
      expect([...imported()].sort()).toEqual([...keys].sort());
    });

    describe('before any row was posted', () => {
      const opened = (): unknown[] => ledger.recorded.flatMap(({ body }) => body.id ?? []);

      beforeEach(() => writeRows('1,500.00,a', '2,10.00,a'));

      it('opens accounts again that were taken back', async () => {
        restoredBefore('2', () => ledger.restore(0));
        expect(await summaryOf('--batch', '3')).toMatchObject({ posted: 1, rejected: 1 });
        expect(opened().sort()).toEqual(['cash', 'customer-a']);
      });

      it('goes on behind its note, and sends no account of it twice in one bulk', async () => {
        ledger.bulksMax = 2;
        await importing('--batch', '3');
        ledger.bulksMax = Infinity;
        expect(await summaryOf('--batch', '3')).toMatchObject({ resumedAfter: 1, posted: 1 });
        expect(opened()).toEqual(['cash', 'customer-a']);
      });
    });

    it('posts every row, when it has gone on behind its note just before', async () => {
      ledger.bulksMax = 3;
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
  });

  describe('of rows with one id', () => {
    it.each(['3', '4', '5', '50'])(
      'takes the first, and names both lines of every other, alike in batches of %s',
      async (batch) => {
        writeRows('1,10.00,a', '1,10.00,a', '1,7.00,a', '2,500.00,a', '2,5.00,a', '3,5.00,b');
        expect(await summaryOf('--batch', batch)).toMatchObject({
          ...{ rows: 6, posted: 2, repeated: 0, rejected: 4 },
        });
        expect(ledger.posted).toEqual(['import:m:row:1:1', 'import:m:row:1:3']);
        expect(read('rejects.csv').split('\n').slice(1)).toEqual([
          '3,%taken:1,"lines 2 and 3 have one id, ""1""",1,10.00,a',
          '4,%taken:1,"lines 2 and 4 have one id, ""1""",1,7.00,a',
          '5,2,insufficient-funds: insufficient-funds,2,500.00,a',
          '6,%taken:2,"lines 5 and 6 have one id, ""2""",2,5.00,a',
          '',
        ]);
      },
    );

    it('says so in a check, too', async () => {
      writeRows('1,10.00,a', '1,10.00,a');
      expect(await summaryOf('--check')).toMatchObject({ posted: 1, rejected: 1 });
      expect(read('rejects.csv')).toContain('lines 2 and 3 have one id');
    });

    it('knows those that an earlier run was done with', async () => {
      writeRows('1,10.00,a', '2,10.00,a', '3,10.00,a', '4,10.00,a', '5,10.00,a', '2,10.00,a');
      ledger.bulksMax = 3;
      await importing('--batch', '3');
      ledger.bulksMax = Infinity;
      expect(await summaryOf('--batch', '3')).toMatchObject({
        ...{ resumedAfter: 4, posted: 5, rejected: 1 },
      });
    });
  });

  describe('of rows with a reference of the mapping', () => {
    const row = { id: '{id}', amount: { column: 'amount' }, reference: '{customer}' };
    const lines = ['1,3.20,CARD', '2,3.20,CARD', '3,3.20,', '4,3.20,', '5,none,X', '6,3.20,X'];

    beforeEach(() =>
      map({
        row,
        accounts: { ...MAPPING.accounts, customer: { id: 'all', normalSide: 'credit' } },
      }),
    );

    it.each([[['--batch', '50']], [['--batch', '3']], [['--check']]])(
      'takes the first, and names both lines of every other: %j',
      async (options) => {
        writeRows(...lines);
        expect(await summaryOf(...options)).toMatchObject({ posted: 3, repeated: 0, rejected: 3 });
        expect(read('rejects.csv')).toContain('3,2,"lines 2 and 3 have one reference, ""CARD"""');
        expect(read('rejects.csv')).toContain('7,6,"lines 6 and 7 have one reference, ""X"""');
      },
    );

    it('knows those that an earlier run was done with', async () => {
      writeRows('1,1.00,A', '2,1.00,B', '3,1.00,C', '4,1.00,D', '5,1.00,E', '6,1.00,B');
      ledger.bulksMax = 3;
      await importing('--batch', '3');
      ledger.bulksMax = Infinity;
      const summary = (await summaryOf('--batch', '3')) as { resumedAfter: number };
      expect(summary).toMatchObject({ posted: 5, rejected: 1 });
      expect(summary.resumedAfter).toBeGreaterThan(2);
      expect(read('rejects.csv')).toContain('lines 3 and 7 have one reference');
    });

    it('takes no row of another file for posted, because a transfer with its reference is', async () => {
      writeRows('1,3.20,CARD');
      await importing();
      writeRows('2,3.20,CARD', '3,4.00,NEW');
      expect(await summaryOf()).toMatchObject({ posted: 1, repeated: 0, rejected: 1 });
      expect(read('rejects.csv')).toContain('That one has the legs and the time of this row');
      expect(ledger.moved).toBe(720);
    });

    it('refuses one that is what another row is called by', async () => {
      writeRows('1,3.20,import:m:2', '2,3.20,', '3,3.20,import:m:3');
      expect(await summaryOf()).toMatchObject({ posted: 2, repeated: 0, rejected: 1 });
      expect(read('rejects.csv')).toContain('reference: ""import:m:2"" is what an import makes');
    });
  });

  describe('without a column for the id', () => {
    it.each(['3', '7', '50', '999'])(
      'posts equal rows as often as they are there, in batches of %s',
      async (batch) => {
        map({ row: { amount: { column: 'amount' } } });
        const coffee = Array.from({ length: 60 }, () => 'x,1.00,a');
        writeRows('x,3.20,a', ...coffee, 'x,3.20,a');
        expect(await summaryOf('--batch', batch)).toMatchObject({ posted: 62, repeated: 0 });
        expect(ledger.moved).toBe(6640);
        expect(await summaryOf('--batch', batch)).toMatchObject({ posted: 62, repeated: 62 });
        expect(ledger.moved).toBe(6640);
      },
    );

    it('counts equal rows on behind its note', async () => {
      map({ row: { amount: { column: 'amount' } } });
      writeRows(...Array.from({ length: 9 }, () => 'x,1.00,a'));
      ledger.bulksMax = 3;
      await importing('--batch', '3');
      ledger.bulksMax = Infinity;
      expect(await summaryOf('--batch', '3')).toMatchObject({ resumedAfter: 4, posted: 9 });
      expect(ledger.moved).toBe(900);
    });
  });

  it('of a file that begins with the newest row posts nothing when its end cannot be read', async () => {
    map({ csv: { order: 'newest-first' } });
    writeRows('2,10.00,a', '1,"10.00,a');
    const { exit, messages } = await importing();
    expect([exit, messages]).toEqual([65, expect.stringContaining('line 3: ')]);
    expect(ledger.recorded).toEqual([]);
  });

  describe('of rows that are there under their reference', () => {
    it('takes the same transfer for posted, and another one for a reject', async () => {
      writeRows('1,10.00,a', '2,20.00,a');
      await importing();
      writeRows('1,10.00,a', '2,21.00,a');
      expect(await summaryOf('--attempt', '2')).toMatchObject({
        ...{ posted: 1, repeated: 1, rejected: 1 },
      });
      expect(read('rejects.csv')).toContain('That one is another transfer: it is debit cash 2000');
      expect(ledger.moved).toBe(3000);
    });

    it('posts nothing again when the ledger has forgotten its keys', async () => {
      writeRows('1,10.00,a', '2,20.00,a');
      await importing();
      ledger.forgetKeys();
      expect(await summaryOf()).toMatchObject({ posted: 2, repeated: 2, rejected: 0 });
      expect(ledger.moved).toBe(3000);
    });
  });

  describe('of rows that are posted as another command', () => {
    const metadata = { customer: '{customer}' };

    /** Imports the rejects of the second run as its summary says. */
    async function imported(before: object, now: object): Promise<CliRun> {
      map({ row: { ...MAPPING.row, ...before } });
      writeRows('1,10.00,a', '2,500.00,a');
      expect(await summaryOf()).toMatchObject({ posted: 1, rejected: 1 });
      rmSync(path('rejects.csv'));
      map({ row: { ...MAPPING.row, ...now } });
      writeRows('1,10.00,a', '2,50.00,a');
      const { output } = await importing();
      expect(output).toContain('import that file with --attempt 2');
      const line = ['import', path('rejects.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      return runCli(...line, '--url', url, '--rejects', path('again.csv'), '--attempt', '2');
    }

    it.each([
      ['without a reference', { reference: null }, { reference: null, metadata }],
      ['with a reference now', {}, { reference: 'r/{id}' }],
      ['with another reference now', { reference: 'r/{id}' }, { reference: 's/{id}' }],
      ['with their own reference now', { reference: 'r/{id}' }, {}],
    ])('posts none once more as another attempt: %s', async (_, before, now) => {
      expect((await imported(before, now)).exit).toBe(1);
      expect(read('rejects.csv')).toContain('2,%taken:1,"idempotency-key-reused');
      expect(read('rejects.csv')).toContain('\n3,2,idempotency-key-reused');
      expect(read('again.csv')).toContain('%taken:1 is the id of another row');
      expect(ledger.moved).toBe(6000);
    });

    describe('takes one for posted', () => {
      const [crlf, lf] = ['"one\r\ntwo",10.00,a\r\n', '"one\ntwo",10.00,a\n'];
      const header = 'text,amount,customer\n';
      const texts = { row: { amount: { column: 'amount' }, metadata: { text: '{text}' } } };

      it('of whose text only the line ends are others now', async () => {
        map(texts);
        write('rows.csv', header + crlf);
        await importing();
        write('rows.csv', header + lf);
        expect(await summaryOf()).toMatchObject({ posted: 1, repeated: 1, rejected: 0 });
        expect(ledger.recorded.at(-1)!.body).toMatchObject({ metadata: { text: 'one\ntwo' } });
      });

      it('that a version before has posted with the line ends of its file', async () => {
        map(texts);
        write('rows.csv', header + lf);
        await importing();
        ledger.recorded = ledger.recorded.map(
          (each) =>
            JSON.parse(
              JSON.stringify(each)
                .replaceAll('one\\ntwo', 'one\\r\\ntwo')
                .replaceAll('one\\\\ntwo', 'one\\\\r\\\\ntwo'),
            ) as typeof each,
        );
        expect(await summaryOf()).toMatchObject({ posted: 1, repeated: 1, rejected: 0 });
        expect(ledger.moved).toBe(1000);
      });
    });

    it('takes one for posted whose reference is still the same', async () => {
      expect((await imported({}, { metadata })).exit).toBe(0);
      expect(ledger.moved).toBe(6000);
    });
  });

  describe('of an account that is there', () => {
    it.each([
      [{ asset: 'JPY' }, "account cash is there in JPY, the mapping's asset is EUR"],
      [{ normalSide: 'credit' }, 'account cash is there with the normal side credit'],
    ])('as another one posts nothing into it: %j', async (other, reason) => {
      ledger.open({ id: 'cash', asset: 'EUR', normalSide: 'debit', ...other });
      writeRows('1,1.00,a', '2,1.00,a');
      expect(await summaryOf()).toMatchObject({ posted: 0, rejected: 2 });
      expect(read('rejects.csv')).toContain(reason);
      expect(ledger.moved).toBe(0);
    });

    it('posts nothing when it is imported once more with another asset', async () => {
      writeRows('1,1.00,a');
      await importing();
      expect(await summaryOf('--asset', 'JPY')).toMatchObject({ posted: 0, rejected: 1 });
      expect(read('rejects.csv')).toContain("is there in EUR, the mapping's asset is JPY");
      expect(ledger.moved).toBe(100);
    });

    it('knows two of the mapping that are one account with two sides, in a check, too', async () => {
      map({
        accounts: { ...MAPPING.accounts, bank: { id: 'cash', normalSide: 'credit' } },
        rules: [
          { when: { customer: 'b' }, debit: 'bank', credit: 'customer' },
          { debit: 'cash', credit: 'customer' },
        ],
      });
      writeRows('1,1.00,a', '2,1.00,b');
      expect(await summaryOf('--check')).toMatchObject({ posted: 1, rejected: 1 });
      expect(await summaryOf()).toMatchObject({ posted: 1, rejected: 1 });
    });
  });

  describe('under a mapping that reads the file otherwise than an earlier run did', () => {
    const NO_ID = { amount: { column: 'amount' }, metadata: { text: '{text}' } };
    const QUOTED = '"Rent",100.00,a\n"Coffee",5.00,a\n"Smith, John",20.00,a\n';
    const CZECH = 'Nájem,90.00,a\nVečeře,5.00,a\nKafe,7.00,a\nŽeleznářství Pouť,20.00,a\n';
    const NOTE = 'rows.csv.main.m.progress.json';

    function writeTexts(rows: string, encoding = 'utf8'): void {
      writeFileSync(path('rows.csv'), iconv.encode(`text,amount,customer\n${rows}`, encoding));
    }

    it.each([
      ['quotes', QUOTED, 'utf8', { quote: '' }, {}],
      ['encoding', CZECH, 'cp1250', { encoding: 'cp1252' }, { encoding: 'cp1250' }],
      ['encoding, which is UTF-8', CZECH, 'utf8', { encoding: 'cp850' }, {}],
    ])('posts no row twice that has no id: its %s', async (_, rows, encoding, wrong, right) => {
      writeTexts(rows, encoding);
      map({ row: NO_ID, csv: wrong });
      await importing();
      const { recorded } = ledger;
      expect(ledger.posted.length).toBeGreaterThan(1);
      map({ row: NO_ID, csv: right });
      expect((await importing()).exit).toBe(64);
      expect(ledger.recorded).toEqual(recorded);
    });

    it('knows the rows of a file that a spreadsheet has saved again', async () => {
      const row = { amount: NO_ID.amount };
      writeTexts('"Rent  ","100.00",a\n"Cof\r\nfee",5.00,a\n"Food",x7.00,a\n');
      map({ row });
      expect(await summaryOf()).toMatchObject({ posted: 2, rejected: 1 });
      const plain = 'text,amount,customer\nRent  ,100.00,a\n"Cof\nfee",5.00,a\nFood,7.00,a\n';
      write('rows.csv', plain);
      expect(await summaryOf()).toMatchObject({ posted: 3, repeated: 2 });
      writeFileSync(path('rows.csv'), iconv.encode(plain, 'utf-16le', { addBOM: true }));
      expect(await summaryOf()).toMatchObject({ posted: 3, repeated: 3 });
      write('rows.csv', plain.replaceAll(',', ';'));
      map({ row, csv: { delimiter: ';' } });
      expect(await summaryOf()).toMatchObject({ posted: 3, repeated: 3 });
      expect(ledger.moved).toBe(11_200);
    });

    it.each([
      ['csv.quote', QUOTED, { csv: { quote: '' } }, {}],
      ['csv.encoding', CZECH, { csv: { encoding: 'cp850' } }, {}],
      ['csv.quote', "'T1',5.00,a\n", {}, { csv: { quote: "'" } }],
      ['row.id', QUOTED, {}, { row: { ...NO_ID, id: '{amount}' } }],
      ['csv.columns', 'T1,5.00,a\n', {}, { csv: { columns: ['amount', 'text', 'customer'] } }],
    ])('posts nothing where rows have other ids then: %s', async (changed, rows, wrong, right) => {
      const row = { ...NO_ID, id: '{text}' };
      writeTexts(rows);
      map({ row, ...wrong });
      await importing();
      const { recorded } = ledger;
      expect(recorded).not.toEqual([]);
      const left = readdirSync(directory).map((name) => [name, read(name)]);
      map({ row, ...right });
      const { exit, messages } = await importing();
      expect([exit, messages]).toEqual([64, expect.stringContaining(`${changed} was `)]);
      expect(messages).toContain(path(NOTE));
      expect(ledger.recorded).toEqual(recorded);
      map({ row, ...wrong });
      expect(readdirSync(directory).map((name) => [name, read(name)])).toEqual(left);
      expect((await importing()).exit).not.toBe(64);
    });

    it('posts nothing where a row is of several lines, and one of these is posted as a row', async () => {
      write('rows.csv', 'customer,amount,text\na,5.00,"one\ntwo"\na,6.00,x\n');
      map({ row: NO_ID, csv: { quote: '' } });
      await importing();
      map({ row: NO_ID });
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(1100);
    });

    it('goes on where no row is posted, or each that is has its id', async () => {
      const row = { ...NO_ID, id: '{text}' };
      const importUnder = (csv: object): Promise<unknown> => {
        map({ row, csv });
        return summaryOf();
      };
      writeTexts('"T1",500.00,a\n');
      await importUnder({ quote: '' });
      expect(await importUnder({})).toMatchObject({ rejected: 1 });
      writeTexts('T2,5.00,a\n"T, 3",6.00,a\n');
      expect(await importUnder({ quote: '' })).toMatchObject({ posted: 1, rejected: 1 });
      expect(await importUnder({})).toMatchObject({ posted: 2, repeated: 1 });
    });

    it('is refused also behind a run that posted nothing', async () => {
      const row = { ...NO_ID, id: '{text}' };
      writeTexts('"T1",100.00,a\n"T, 2",5.00,a\n');
      map({ row, csv: { quote: '' } });
      expect(await summaryOf()).toMatchObject({ posted: 1, rejected: 1 });
      map({
        row,
        csv: { quote: '' },
        rules: [{ when: { customer: 'nobody' }, debit: 'cash', credit: 'customer' }],
      });
      expect(await summaryOf()).toMatchObject({ posted: 0, rejected: 2 });
      map({ row });
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(10_000);
    });

    it('is refused also behind a run that did not come to the end, and took no row', async () => {
      map({ row: { ...MAPPING.row, id: '{id}-{customer}' } });
      writeRows('1,"10,00",a', '"2,10.00,a');
      expect((await importing()).exit).toBe(65);
      map({ row: { id: '{id}', amount: { column: 'amount', decimalMark: ',' } } });
      const line = ['import', path('rejects.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      expect((await runCli(...line, '--url', url, '--attempt', '2')).exit).toBe(0);
      expect(ledger.posted).toEqual(['import:m:row:2:1-a']);
      writeRows('1,"10,00",a', '2,"10,00",a');
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(1000);
    });

    describe('posts no reject once more that was mended as an attempt, and that the mapping takes now', () => {
      it.each([
        ['without a reference', { reference: null }, { reference: null }, 64],
        ['with another reference', {}, { reference: 'r/{id}' }, 64],
        ['without its reference', { reference: 'r/{id}' }, { reference: null }, 64],
        ['with its reference', {}, {}, 0],
      ])('%s', async (_, before, now, exit) => {
        map({ row: { ...MAPPING.row, ...before } });
        writeRows('1,10.00,a', '2,20.00 EUR,a');
        expect((await importing()).exit).toBe(1);
        write('rejects.csv', read('rejects.csv').replace(',20.00 EUR,', ',20.00,'));
        const line = ['import', path('rejects.csv'), '--ledger', 'main', '--url', url];
        const attempt = ['--attempt', '2', '--mapping', path('m.json')];
        expect((await runCli(...line, ...attempt)).exit).toBe(0);
        rmSync(path('rejects.csv'));
        map({ row: { ...MAPPING.row, ...now, amount: { column: 'amount', currency: ['EUR'] } } });
        const again = await importing();
        expect([again.exit, ledger.moved]).toEqual([exit, 3000]);
        if (exit === 64) expect(again.messages).toContain('line 3: ');
      });
    });

    it.each([
      ['without a reference', { reference: null }, '{id}'],
      ['with another id', {}, 'tx-{id}'],
    ])(
      'is refused also for a reject that was mended in a file that is kept: %s',
      async (_, members, id) => {
        const takes = (...customers: readonly string[]) => ({
          rules: [{ when: { customer: customers }, debit: 'cash', credit: 'customer' }],
        });
        map({ row: { ...MAPPING.row, ...members }, ...takes('a') });
        writeRows('2,20.00,b');
        await importing();
        writeRows('4,40.00,b', '2,20.00,b');
        await importing();
        write('rejects.1.csv', read('rejects.1.csv').replace('20.00,b', '20.00,a'));
        const line = ['import', path('rejects.1.csv'), '--ledger', 'main', '--url', url];
        const attempt = ['--attempt', '2', '--mapping', path('m.json')];
        expect((await runCli(...line, ...attempt)).exit).toBe(0);
        rmSync(path('rejects.1.csv'));
        map({ row: { ...MAPPING.row, ...members, id }, ...takes('a', 'b') });
        expect([(await importing()).exit, ledger.moved]).toEqual([64, 2000]);
      },
    );

    it.each([
      ['in another encoding', 'windows-1252', ',', 'Jäger', (text: string) => `\ufeff${text}`],
      ['with another delimiter', 'utf8', ';', 'Smith', (text: string) => text.replaceAll(',', ';')],
    ])(
      'goes on with the file behind rejects that a spreadsheet has saved %s',
      async (_, encoding, delimiter, name, saved) => {
        const csv = { encoding, columns: ['text', 'amount', 'customer'] };
        map({ row: { ...NO_ID, reference: null }, csv });
        writeTexts(`Müller,10.00,a\n${name},none,a\n`, encoding);
        await importing();
        const refused = iconv.decode(readFileSync(path('rejects.csv')), encoding);
        write('rejects.csv', saved(refused.replace('none,', '20.00,')));
        const excel = { ...JSON.parse(read('m.json')), csv: { ...csv, delimiter } };
        write('excel.json', JSON.stringify(excel));
        const line = ['import', path('rejects.csv'), '--ledger', 'main', '--url', url];
        const attempt = ['--attempt', '2', '--mapping', path('excel.json')];
        expect((await runCli(...line, ...attempt)).exit).toBe(0);
        rmSync(path('rejects.csv'));
        writeTexts(`Müller,10.00,a\n${name},none,a\nSchröder,30.00,a\n`, encoding);
        expect(await summaryOf()).toMatchObject({ posted: 2, repeated: 1, rejected: 1 });
        expect(ledger.moved).toBe(6000);
      },
    );

    it('goes on with rejects that a spreadsheet has saved in another encoding between two attempts', async () => {
      map({ row: NO_ID, csv: { encoding: 'windows-1252' } });
      writeTexts('Müller,none,a\nJäger,nothing,a\n', 'windows-1252');
      await importing();
      const refused = iconv.decode(readFileSync(path('rejects.csv')), 'windows-1252');
      const mended = refused.replace('none,', '10.00,');
      const line = ['import', path('rejects.csv'), '--ledger', 'main', '--url', url];
      const under = ['--mapping', path('m.json')];
      writeFileSync(path('rejects.csv'), iconv.encode(mended, 'windows-1252'));
      expect((await runCli(...line, ...under, '--attempt', '2')).exit).toBe(1);
      write('rejects.csv', `\ufeff${mended.replace('nothing,', '20.00,')}`);
      expect((await runCli(...line, ...under, '--attempt', '3')).exit).toBe(0);
      expect(ledger.moved).toBe(3000);
    });

    it('posts no reject once more that has another reference from the mapping of its attempt', async () => {
      writeRows('1,10.00,a', '2,20.00 EUR,a');
      await importing();
      write('rejects.csv', read('rejects.csv').replace(',20.00 EUR,', ',20.00,'));
      map({ row: { ...MAPPING.row, reference: 'r/{id}' } });
      const line = ['import', path('rejects.csv'), '--ledger', 'main', '--url', url];
      await runCli(...line, '--attempt', '2', '--mapping', path('m.json'));
      rmSync(path('rejects.csv'));
      map({ row: { ...MAPPING.row, amount: { column: 'amount', currency: ['EUR'] } } });
      expect([(await importing()).exit, ledger.moved]).toEqual([64, 3000]);
    });

    it('knows an encoding by whatever name', async () => {
      writeTexts(CZECH);
      map({ row: NO_ID, csv: { encoding: 'UTF-8' } });
      await importing();
      write('rows.csv', `\ufeff${read('rows.csv')}`);
      expect(await summaryOf()).toMatchObject({ posted: 4, repeated: 4 });
    });

    it.each([
      ['the mapping mended as well', { encoding: 'cp850' }, {}],
      ['the mapping as it was', { encoding: 'cp850' }, { encoding: 'cp850' }],
    ])('is refused also where a byte order mark says it: %s', async (_, wrong, right) => {
      writeTexts(CZECH);
      map({ row: NO_ID, csv: wrong });
      await importing();
      const { recorded } = ledger;
      write('rows.csv', `\ufeff${read('rows.csv')}`);
      map({ row: NO_ID, csv: right });
      const { exit, messages } = await importing();
      expect([exit, messages]).toEqual([64, expect.stringContaining('it was read in cp850')]);
      expect(ledger.recorded).toEqual(recorded);
    });

    const mendedAs = async (attempt: string, csv: string, text: string): Promise<number> => {
      write(csv, read(csv).replace('"Smith, John"', text));
      const line = ['import', path(csv), '--ledger', 'main', '--mapping', path('m.json')];
      return (await runCli(...line, '--url', url, '--attempt', attempt)).exit;
    };

    it('is refused also for a reject without an id that was mended and posted, and a check says so', async () => {
      const row = { ...NO_ID, id: '{text}' };
      writeTexts('T1,100.00,a\n"Smith, John",20.00,a\n');
      map({ row, csv: { quote: '' } });
      expect(await summaryOf()).toMatchObject({ posted: 1, rejected: 1 });
      expect(await mendedAs('2', 'rejects.csv', 'Smith John')).toBe(0);
      renameSync(path('rejects.csv'), path('done.csv'));
      map({ row });
      expect((await importing('--check')).exit).toBe(64);
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(12_000);
    });

    it.each([
      [
        'whose letters could not be read',
        'Kafe,100.00,a\nVečeře,20.00,a\n',
        {},
        { encoding: 'cp1250' },
        'Večeře',
      ],
      ['that was two rows', '"T1",100.00,a\n"Smith\nJohn",20.00,a\n', { quote: '' }, {}, '"Smith'],
    ])('is refused also for a reject without an id %s', async (_, rows, wrong, right, name) => {
      const row = { ...NO_ID, id: '{text}/{row.hash}' };
      writeTexts(rows, 'cp1250');
      map({ row, csv: wrong });
      await importing();
      const read = readFileSync(path('rejects.csv'), 'latin1');
      expect(read).not.toContain('x1');
      const [header = '', ...rejects] = read.trimEnd().split('\n');
      const mended = rejects
        .at(-1)!
        .split(',')
        .slice(0, 1)
        .concat('x1', '', 'mended', '20.00', 'a');
      writeFileSync(path('rejects.csv'), `${header}\n${mended.join(',')}\n`);
      const line = ['import', path('rejects.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      expect((await runCli(...line, '--url', url, '--attempt', '2')).exit).toBe(0);
      const { recorded } = ledger;
      renameSync(path('rejects.csv'), path('done.csv'));
      map({ row, csv: right });
      expect([name, (await importing()).exit]).toEqual([name, 64]);
      expect(ledger.recorded).toEqual(recorded);
    });

    it('is refused also where all were rejects, which are posted under the ids that they had', async () => {
      const amount = { column: 'amount', decimalMark: ',' };
      writeTexts('1,100.00,a\n2,20.00,a\n3,5.00,a\n');
      map({ row: { ...NO_ID, amount, id: '{row.line}' } });
      expect(await summaryOf()).toMatchObject({ posted: 0, rejected: 3 });
      map({ row: { ...NO_ID, id: '{text}' } });
      const line = ['import', path('rejects.csv'), '--ledger', 'main', '--mapping', path('m.json')];
      expect((await runCli(...line, '--url', url, '--attempt', '2')).exit).toBe(0);
      renameSync(path('rejects.csv'), path('done.csv'));
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(12_500);
    });

    it('is not forgotten for a check with its note', async () => {
      writeTexts('"T1",5.00,a\n');
      map({ row: NO_ID, csv: { quote: '' } });
      await importing();
      map({ row: NO_ID });
      expect((await importing('--check', '--progress', path(NOTE))).exit).toBe(64);
      expect((await importing()).exit).toBe(64);
    });

    it('is refused also for a reject of a reject', async () => {
      writeTexts('"Smith, John",x20.00,a\n');
      map({ row: NO_ID, csv: { quote: '' } });
      await importing();
      expect(await mendedAs('2', 'rejects.csv', '"Smith, John"')).toBe(1);
      const second = 'rejects.csv.main.m.rejects.csv';
      write(second, read(second).replace('x20.00', '20.00'));
      expect(await mendedAs('3', second, 'Smith John')).toBe(0);
      write('rows.csv', read('rows.csv').replace('x20.00', '20.00'));
      renameSync(path('rejects.csv'), path('done.csv'));
      map({ row: NO_ID });
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(2_000);
    });

    it.each(['here', 'from the rejects alone'])(
      'is refused also for a reject that was mended and posted: rows posted %s',
      async (where) => {
        const rejects = path('rejects.csv');
        writeTexts(`${where === 'here' ? 'T1,100.00,a\n' : ''}"Smith, John",20.00,a\n`);
        map({ row: NO_ID, csv: { quote: '' } });
        expect(await summaryOf()).toMatchObject({ rejected: 1 });
        write('rejects.csv', read('rejects.csv').replace('"Smith, John"', 'Smith John'));
        const line = ['import', rejects, '--ledger', 'main', '--mapping', path('m.json')];
        expect((await runCli(...line, '--url', url, '--attempt', '2')).exit).toBe(0);
        const { recorded } = ledger;
        renameSync(rejects, path('done.csv'));
        map({ row: NO_ID });
        expect((await importing()).exit).toBe(64);
        expect(ledger.recorded).toEqual(recorded);
      },
    );

    it('is refused also where the id is another row’s now', async () => {
      writeTexts('1,1.00,a\n2,10.00,a\n3,100.00,a\n4,none,a\n');
      map({ row: { ...NO_ID, id: '{row.line}' } });
      expect(await summaryOf()).toMatchObject({ posted: 3, rejected: 1 });
      map({ row: { ...NO_ID, id: '{text}' } });
      expect((await importing()).exit).toBe(64);
      expect(ledger.moved).toBe(11_100);
    });

    it('is stopped, and still knows how it read the rows that it has posted', async () => {
      const row = { ...NO_ID, id: '{text}' };
      writeTexts('"one",5.00,a\n"two",6.00,a\n');
      map({ row, csv: { quote: '' } });
      let left = '';
      ledger.onBulk = (sent) => {
        if (sent.some((key) => key.includes(':row:'))) left = read(NOTE);
      };
      await importing();
      for (const name of readdirSync(directory).filter(
        (each) => !/^(m\.json|rows\.csv)$/.test(each),
      ))
        rmSync(path(name));
      write(NOTE, left);
      map({ row });
      expect((await importing()).exit).toBe(64);
      map({ row, csv: { quote: '' } });
      ledger.bulksMax = 0;
      await importing();
      ledger.bulksMax = Infinity;
      map({ row });
      expect((await importing()).exit).toBe(64);
    });
  });

  describe('of a rejects file', () => {
    const again = (...more: readonly string[]): Promise<CliRun> =>
      runCli(
        ...['import', path('rejects.csv'), '--ledger', 'main', '--mapping', path('m.json')],
        ...['--url', url, '--rejects', path('second.csv'), '--json', ...more],
      );

    it('that was mended posts each row once under its own id, however often', async () => {
      map({ row: { amount: { column: 'amount' }, id: '{row.line}' } });
      writeRows('x,500.00,a', 'x,5.00,a', 'x,none,a', 'x,none,a');
      await importing();
      write(
        'rejects.csv',
        read('rejects.csv').replace('500.00', '50.00').replaceAll(',none,', ',2.00,'),
      );
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({ posted: 3 });
      expect(ledger.posted).toEqual(
        [3, 2, 4, 5].map((line) => `import:m:row:${line === 3 ? 1 : 2}:${line}`),
      );
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({
        posted: 3,
        repeated: 3,
      });
      expect(ledger.moved).toBe(500 + 5000 + 200 + 200);
    });

    it('keeps what was broken as it was read, with its first line, and never makes a valid row of it', async () => {
      writeRows('1,10.00,a', '2,40,a,-19.90', '3,"4,0",a,"b""c"', '"4 "');
      await importing();
      await again('--attempt', '2');
      expect(read('second.csv')).toBe(read('rejects.csv'));
      expect(read('rejects.csv')).toContain(',2,40,a,-19.90\n');
      expect(ledger.moved).toBe(1000);
    });

    it.each([
      [{ delimiter: '|', quote: '' }, 'a|1'],
      [{ delimiter: '|', quote: '' }, 'a%7C1"x" y'],
      [{ delimiter: '~~', quote: '' }, 'a~'],
      [{ delimiter: '~~', quote: '"' }, 'a~'],
      [{ delimiter: '%|', quote: '"' }, 'Zürich%|%'],
      [{ delimiter: ';', quote: "'" }, "it's;"],
    ])('has each id as it was: %j %s', async (csv, id) => {
      map({ csv, row: { amount: { column: 'amount' }, id: `{id}/${id}` } });
      write('rows.csv', 'id,amount,customer\n1,500.00,a\n'.replaceAll(',', csv.delimiter));
      await importing();
      const [refused] = ledger.recorded.filter(({ key }) => key.includes(':row:'));
      write('rejects.csv', read('rejects.csv').replace('500.00', '5.00'));
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({ posted: 1 });
      expect(ledger.posted).toEqual([refused!.key.replace(':row:1:', ':row:2:')]);
    });

    it('keeps a row without an id as it was read, where two delimiters side by side look like three', async () => {
      map({ csv: { delimiter: '~~', quote: '' }, row: { amount: { column: 'amount' } } });
      write('rows.csv', 'id~~amount~~customer\n1~~none~~a\n');
      await importing();
      const withoutId = read('rejects.csv').replace(/^2~~[^~]*/m, '2~~');
      write('rejects.csv', withoutId);
      await again('--attempt', '2');
      expect(read('second.csv')).toBe(withoutId);
    });

    it('takes no row for the one that has its id, until somebody gives it another', async () => {
      writeRows('1,5.00,a', '1,5.00,a', '1,none,a');
      await importing();
      write('rejects.csv', read('rejects.csv').replace('none', '5.00'));
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({ rejected: 2 });
      expect(read('second.csv')).toContain('%taken:1 is the id of another row');
      write('rejects.csv', read('rejects.csv').replace('3,%taken:1', '3,1-2'));
      expect(JSON.parse((await again('--attempt', '3')).output)).toMatchObject({ posted: 1 });
      expect(ledger.moved).toBe(1000);
    });

    it('that was given another id while the import was stopped begins at row 1', async () => {
      writeRows('1,5.00,a', '1,6.00,a', '2,none,a', '3,none,a', '4,none,a');
      await importing();
      write('rejects.csv', read('rejects.csv').replaceAll('none', '5.00'));
      ledger.bulksMax = 2;
      await again('--attempt', '2', '--batch', '3');
      ledger.bulksMax = Infinity;
      write('rejects.csv', read('rejects.csv').replace('%taken:1', 'mine'));
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({
        ...{ posted: 4, rejected: 0 },
      });
      expect(ledger.moved).toBe(500 + 600 + 1500);
    });

    it('takes no mended row for an equal one that is posted', async () => {
      map({ row: { amount: { column: 'amount' }, id: '{id}/{row.hash}-{row.occurrence}' } });
      writeRows('x,3.20,a', 'x,3,20,a', 'x,3,20,a');
      await importing();
      write('rejects.csv', read('rejects.csv').replaceAll('x,3,20', 'x,3.20'));
      const mended = read('rejects.csv');
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({
        ...{ posted: 2, repeated: 0 },
      });
      expect(ledger.moved).toBe(960);
      write('rejects.csv', mended.replaceAll(/,%row:[^,]*/g, ','));
      expect(JSON.parse((await again('--attempt', '3')).output)).toMatchObject({ rejected: 2 });
      expect(read('second.csv')).toContain('give it one that no other row has');
    });

    it('posts no row twice that was read in another encoding than it is in', async () => {
      const row = { amount: { column: 'amount' } };
      map({ row });
      const text = 'id,amount,customer\nM\u00fcller,5.00,a\nok,6.00,a\n';
      writeFileSync(path('rows.csv'), Buffer.from(text, 'latin1'));
      await importing();
      map({ row, csv: { encoding: 'windows-1252' } });
      await again('--attempt', '2');
      expect(ledger.moved).toBe(600);
      expect((await importing()).exit).toBe(0);
      expect(ledger.moved).toBe(1100);
    });

    it.each([
      ['shift_jis', 0xff],
      ['gbk', 0xff],
      ['utf8', 0xff],
      ['windows-1252', 0x81],
    ])('keeps what is not in its encoding refused: %s', async (encoding, byte) => {
      map({ csv: { encoding } });
      const text = Buffer.from('id,amount,customer\n1,1.00,a?\n');
      text[text.indexOf('?')] = byte;
      writeFileSync(path('rows.csv'), text);
      expect((await importing()).exit).toBe(1);
      expect(JSON.parse((await again()).output)).toMatchObject({ posted: 0, rejected: 1 });
    });

    it('passes over none of its rows as a line to ignore, whatever a spreadsheet has made of its quotes', async () => {
      map({ csv: { ignoreLines: [{ matches: '^[^"]' }] } });
      write('rows.csv', '"id","amount","customer"\n"1","10.00","a"\n"2","none","a"\nTotal\n');
      expect(await summaryOf()).toMatchObject({ posted: 1, rejected: 1, skipped: 1 });
      write('rejects.csv', read('rejects.csv').replaceAll('"', '').replace('none,', '20.00,'));
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({ posted: 1 });
      expect(ledger.moved).toBe(3000);
    });

    it.each([
      ['with a header', 'import_id,import_line,amount,customer\n', {}],
      ['without one', '', { columns: ['import_id', 'import_line', 'amount', 'customer'] }],
    ])('has columns of its own that are called as those in front: %s', async (_, header, csv) => {
      const accounts = { ...MAPPING.accounts };
      accounts.customer = { id: 'c-{import_id}-{import_line}', normalSide: 'credit' };
      map({ csv, accounts, row: { amount: { column: 'amount' } } });
      write('rows.csv', `${header}55,7,none,a\n56,8,none,b,\n`);
      expect(await summaryOf()).toMatchObject({ rejected: 2 });
      write('rejects.csv', read('rejects.csv').replaceAll('none', '20.00').replace(',b,', ',b'));
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({ posted: 2 });
      const opened = ledger.recorded.flatMap(({ body }) => body.id ?? []);
      expect(opened.sort()).toEqual(['c-55-7', 'c-56-8', 'cash']);
    });

    it.each([['\u00a0'], ['\u3000 \u00a0'], ['\u2028\v']])(
      'has no line of blanks in front of a row: %j',
      async (blanks) => {
        writeRows('1,10.00,a', blanks, '2,none,a');
        await importing();
        expect(read('rejects.csv')).toMatch(/^4,2,.*,2,none,a$/m);
      },
    );

    const RENAMED = 'import_line,import_id,import_reason';
    it.each([
      ['a column in front', 'done,import_line,import_id,import_reason,', 'yes,3,2,why,'],
      ['a column moved', 'import_id,import_line,import_reason,', '2,3,why,'],
      ['a column gone', 'import_id,import_reason,', '2,why,'],
      ['another delimiter', 'import_line;import_id;import_reason;', '3;2;why;'],
    ])(
      'is refused where its first columns are not those of an import: %s',
      async (_, head, row) => {
        const columns = ['id', 'amount', 'customer'];
        for (const csv of [{}, { columns }]) {
          map({ csv });
          write('rejects.csv', `${head}id,amount,customer\n${row}2,20.00,a\n`);
          const { exit, messages } = await again('--attempt', '2');
          expect([exit, messages]).toEqual([65, expect.stringContaining(RENAMED)]);
        }
        expect(ledger.recorded).toEqual([]);
      },
    );

    it('takes no id that a spreadsheet has shortened, and knows one that is so itself', async () => {
      writeRows('20240115000000001,none,a', '2.02401E+16,none,a');
      await importing();
      const [header, first, second] = read('rejects.csv').replaceAll('none', '5.00').split('\n');
      const shortened = first!.replaceAll('20240115000000001', '2.02401E+16');
      write('rejects.csv', `${header}\n${shortened}\n${second}\n`);
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({
        ...{ posted: 1, rejected: 1 },
      });
      expect(ledger.posted).toEqual(['import:m:row:2:2.02401E+16']);
      expect(read('second.csv')).toMatch(
        /^2,%shortened:2\.02401E\+16,"?import_id: .* spreadsheet/m,
      );
      const back = read('second.csv').replace('%shortened:2.02401E+16', '20240115000000001');
      write('rejects.csv', back);
      rmSync(path('second.csv'));
      expect(JSON.parse((await again('--attempt', '3')).output)).toMatchObject({ posted: 1 });
      expect(ledger.posted).toContain('import:m:row:3:20240115000000001');
    });

    it('is one also where the mapping has spaces around the names of its columns', async () => {
      map({
        csv: { columns: ['id ', ' amount', 'customer'] },
        row: { id: '{id }', amount: { column: ' amount' } },
      });
      write('rows.csv', '1,10.00,a\n2,none,a\n');
      await importing();
      write('rejects.csv', read('rejects.csv').replace(',none,', ',20.00,'));
      expect(JSON.parse((await again('--attempt', '2')).output)).toMatchObject({ posted: 1 });
      expect(ledger.posted).toEqual(['import:m:row:1:1', 'import:m:row:2:2']);
    });

    it('is refused where it would overwrite itself', async () => {
      writeRows('1,none,a');
      await importing();
      const { exit } = await again('--rejects', path('rejects.csv'));
      expect(exit).toBe(64);
    });
  });

  describe('whose options name a file twice', () => {
    it.each([
      ['--rejects', 'rows.csv'],
      ['--progress', 'rows.csv'],
      ['--rejects', 'm.json'],
      ['--progress', 'm.json'],
      ['--progress', 'rejects.csv'],
      ['--rejects', 'link.csv'],
      ['--progress', 'hard.csv'],
      ['--rejects', './sub/../rows.csv'],
    ])('touches none of them: %s %s', async (option, name) => {
      writeRows('1,none,a');
      mkdirSync(path('sub'));
      symlinkSync(path('rows.csv'), path('link.csv'));
      linkSync(path('rows.csv'), path('hard.csv'));
      const before = [read('rows.csv'), read('m.json')];
      const { exit, messages } = await importing(option, `${directory}/${name}`);
      expect(exit).toBe(64);
      expect(messages).toMatch(/IMPORT_OPTION_INVALID: the .* is the .*overwritten/);
      expect([read('rows.csv'), read('m.json')]).toEqual(before);
      expect(ledger.recorded).toEqual([]);
    });

    it('does not take another file for its rejects', async () => {
      writeRows('1,none,a');
      write('rejects.csv', 'my,own\n');
      const { exit, messages } = await importing();
      expect([exit, messages]).toEqual([64, expect.stringContaining('is no rejects file')]);
      expect(read('rejects.csv')).toBe('my,own\n');
    });

    it.each([
      [['--progress', 'poetry'], 'poetry.lock'],
      [['--progress', 'poetry', '--check'], 'poetry.lock'],
      [['--progress', 'poetry'], 'poetry.tmp'],
      [['--progress', 'poetry', '--check'], 'poetry.tmp'],
    ])('leaves a file that it did not make: %j %s', async (options, name) => {
      writeRows('1,1.00,a');
      write(name, 'precious\n');
      const given = options.map((each) => (each === 'poetry' ? path(each) : each));
      const { exit, messages } = await importing(...given);
      expect(read(name)).toBe('precious\n');
      expect([exit, messages]).toEqual([64, expect.stringContaining(path(name))]);
      expect(ledger.recorded).toEqual([]);
      expect(readdirSync(directory).sort()).toEqual(['m.json', name, 'rows.csv'].sort());
    });

    it('leaves what is called as rejects that are kept, and is none', async () => {
      writeRows('1,none,a');
      for (const name of ['rejects.1.csv', 'rejects.2.csv']) write(name, '');
      mkdirSync(path('rejects.4.csv'));
      write('rejects.3.csv', 'imp');
      const { exit, messages } = await importing();
      expect(exit).toBe(1);
      expect(['rejects.1.csv', 'rejects.2.csv', 'rejects.3.csv'].map(read)).toEqual([
        '',
        '',
        'imp',
      ]);
      expect(messages).not.toContain('is kept in');
    });

    it('goes on where one that was killed has left its lock and half a note', async () => {
      writeRows('1,none,a');
      write('poetry.lock', 'lock of holdfast import\n');
      write('poetry.tmp', '{"kind":"progress of holdfast import","ver');
      expect((await importing('--progress', path('poetry'))).exit).toBe(1);
      const names = readdirSync(directory).filter((name) => name.startsWith('poetry'));
      expect(names).toEqual(['poetry']);
    });

    it.each([
      ['--rejects', 'nowhere/rejects.csv', 'ENOENT'],
      ['--rejects', 'm.json/rejects.csv', 'ENOTDIR'],
      ['--rejects', 'device', 'is no file'],
      ['--rejects', 'sub', 'is no file'],
      ['--progress', 'nowhere/note.json', 'ENOENT'],
      ['--progress', 'device', 'is no file'],
      ['--progress', 'sub', 'is no file'],
    ])('posts nothing where it cannot be written: %s %s', async (option, name, reason) => {
      writeRows('1,1.00,a', '2,none,a');
      mkdirSync(path('sub'));
      symlinkSync('/dev/null', path('device'));
      const before = readdirSync(directory);
      const { exit, messages } = await importing(option, path(name));
      expect(exit).toBe(64);
      expect(messages).toMatch(new RegExp(`${name} cannot be written.*${reason}.*${option}`));
      expect(ledger.recorded).toEqual([]);
      expect(readdirSync(directory)).toEqual(before);
    });

    it.each([
      ['--rejects', '', 'it has no name'],
      ['--progress', '', 'it has no name'],
      ['--rejects', 'new/', 'it is no file'],
      ['--progress', 'new/', 'it is no file'],
      ['--rejects', 'dangling', 'a link to a file that is not there'],
      ['--progress', 'dangling', 'a link to a file that is not there'],
    ])('posts nothing where it has no file: %s %j', async (option, name, reason) => {
      writeRows('1,1.00,a', '2,none,a');
      symlinkSync(path('nowhere/file'), path('dangling'));
      const before = readdirSync(directory);
      const { exit, messages } = await importing(option, name === '' ? '' : path(name));
      expect([exit, messages]).toEqual([64, expect.stringContaining(reason)]);
      expect(ledger.recorded).toEqual([]);
      expect(readdirSync(directory)).toEqual(before);
    });

    it.each([
      ['rejects.csv', 'rejects.1.csv'],
      ['rejects.csv', 'sub/../rejects.12.csv'],
      ['rejects.tmp', 'rejects.1'],
    ])('has no note where rejects are kept later: %s %s', async (rejects, note) => {
      writeRows('1,1.00,a', '2,none,a');
      mkdirSync(path('sub'));
      const options = ['--rejects', path(rejects), '--progress', `${directory}/${note}`];
      const { exit, messages } = await importing(...options);
      expect([exit, messages]).toEqual([64, expect.stringContaining('kept rejects file')]);
      expect(ledger.recorded).toEqual([]);
    });

    it('does not read what would be one of its kept rejects files, and be removed', async () => {
      for (const id of ['1', '2', '3']) {
        writeRows(`${id},none,a`);
        await importing();
      }
      rmSync(path('rejects.1.csv'));
      const kept = read('rejects.2.csv');
      const line = ['import', path('rejects.2.csv'), '--ledger', 'main', '--url', url];
      const files = ['--mapping', path('m.json'), '--rejects', path('rejects.csv')];
      const { exit, messages } = await runCli(...line, ...files, '--attempt', '2');
      expect([exit, messages]).toEqual([64, expect.stringContaining('kept rejects file')]);
      expect(read('rejects.2.csv')).toBe(kept);
    });

    it('posts nothing where a lock cannot be opened', async () => {
      writeRows('1,1.00,a');
      mkdirSync(path('rejects.csv.lock'));
      const { exit, messages } = await importing();
      expect([exit, messages]).toEqual([64, expect.stringContaining('rejects.csv.lock')]);
      expect(ledger.recorded).toEqual([]);
    });

    it.each([
      ['another ledger', ['--ledger', 'other'], (note: string) => note],
      ['another name', ['--name', 'other'], (note: string) => note],
      ['another version', [], (note: string) => note.replace(/"version":[0-9]+/, '"version":99')],
    ])('does not write over the note of an import of %s', async (_, options, left) => {
      writeRows('1,1.00,a');
      await importing('--progress', path('note.json'));
      const note = left(read('note.json'));
      write('note.json', note);
      const { exit, messages } = await importing('--progress', path('note.json'), ...options);
      expect([exit, messages]).toEqual([64, expect.stringContaining('would be overwritten')]);
      expect(read('note.json')).toBe(note);
      expect(ledger.posted).toHaveLength(1);
    });

    it('does not take another file for its note', async () => {
      writeRows('1,1.00,a');
      const thesis = '{"version":4,"identity":"On ledgers"}';
      write('thesis.json', thesis);
      const { exit, messages } = await importing('--progress', path('thesis.json'));
      expect([exit, messages]).toEqual([64, expect.stringContaining('is no note of an import')]);
      expect(read('thesis.json')).toBe(thesis);
    });
  });

  it.each([
    ['in one object', '"customer":{"startsWith":"a"},"customer":{"endsWith":"c"}'],
    ['written otherwise', '"customer":{"startsWith":"a"},"custo\\u006der":{"endsWith":"c"}'],
  ])('posts nothing by a mapping with a member twice: %s', async (_, when) => {
    const rule = `{"when":{${when}},"skip":true}`;
    const { rules, ...others } = MAPPING;
    const written = JSON.stringify({ ...others, rules: [0, ...rules] });
    write('m.json', written.replace('[0', `[${rule}`));
    writeRows('1,10.00,bc');
    const { exit, messages } = await importing();
    expect([exit, messages]).toEqual([65, expect.stringContaining('"customer" twice')]);
    expect(ledger.recorded).toEqual([]);
  });

  it('posts nothing by a mapping that is not UTF-8, whose conditions would fit nothing', async () => {
    const rules = [{ when: { customer: 'Gebühr' }, skip: true }, ...MAPPING.rules];
    writeFileSync(path('m.json'), JSON.stringify({ ...MAPPING, rules }), 'latin1');
    writeRows('1,10.00,a');
    const { exit, messages } = await importing();
    expect([exit, messages]).toEqual([65, expect.stringContaining('is not UTF-8')]);
    expect(ledger.recorded).toEqual([]);
  });

  it.each([
    ['with other rows', (rows: string) => rows.replaceAll(',10.00,', ',90.00,')],
    ['with more rows', (rows: string) => `${rows}999,10.00,a,`],
    ['with fewer rows', (rows: string) => rows.slice(0, rows.length / 2)],
  ])('ends where its file is written again while it is read: %s', async (_, written) => {
    const long = 'x'.repeat(2000);
    const line = (id: number): string => `${id},10.00,a,${long}\n`;
    const rows = `id,amount,customer,text\n${Array.from({ length: 150 }, (_, id) => line(id)).join('')}`;
    write('rows.csv', rows);
    ledger.onBulk = () => write('rows.csv', written(rows));
    const { exit, messages } = await importing();
    expect([exit, messages]).toEqual([75, expect.stringContaining('IMPORT_FILE_CHANGED')]);
    expect(ledger.posted).not.toHaveLength(0);
    expect(ledger.moved).toBe(1000 * ledger.posted.length);
    ledger.onBulk = () => undefined;
    write('rows.csv', rows);
    expect(await summaryOf()).toMatchObject({ posted: 150, rejected: 0 });
    expect(ledger.moved).toBe(150_000);
  });

  it('keeps no more than some rows that are not taken in memory, and writes them in their order', async () => {
    const refused = Array.from({ length: 1_100 }, (_, id) => `${id},none,a`);
    writeRows('posted,1.00,a', ...refused, 'last,1.00,a', 'more,none,a');
    const lines: number[] = [];
    ledger.onBulk = () =>
      lines.push(existsSync(path('rejects.csv')) ? read('rejects.csv').split('\n').length : 0);
    expect(await summaryOf()).toMatchObject({ posted: 2, rejected: 1_101 });
    expect(lines).toEqual([0, 0, 1_002]);
    expect(read('rejects.csv').match(/(?<=,)[a-z0-9]+(?=,none,a$)/gm)).toEqual(
      [...refused, 'more,none,a'].map((row) => row.replace(/,.*/, '')),
    );
  });

  it('that ends before it reads its rows leaves no file open', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    writeRows(...Array.from({ length: 200 }, (_, id) => `${id}${'x'.repeat(500)},none,a`));
    await importing();
    write('rejects.csv', read('rejects.csv').replaceAll('none', '5.00'));
    const before = descriptors();
    expect((await importing()).exit).toBe(64);
    expect(descriptors()).toBe(before);
  });

  it('of standard input leaves nothing of it, and has its other files in the working directory', async () => {
    const rows = 'id,amount,customer\n1,10.00,a\n2,none,a\n';
    const line = ['import', '-', '--ledger', 'main', '--mapping', path('m.json'), '--url', url];
    const [from, { TMPDIR: temporary = tmpdir() }] = [process.cwd(), process.env];
    mkdirSync(path('tmp'));
    process.env['TMPDIR'] = path('tmp');
    process.chdir(directory);
    try {
      expect((await runCliOn(rows, ...line)).exit).toBe(1);
      expect(JSON.parse((await runCliOn(rows, ...line, '--json')).output)).toMatchObject({
        ...{ posted: 1, repeated: 1, rejected: 1, rejects: 'stdin.main.m.rejects.csv' },
      });
    } finally {
      process.chdir(from);
      process.env['TMPDIR'] = temporary;
    }
    expect(read('stdin.main.m.rejects.csv')).toContain('3,2,');
    expect(readdirSync(path('tmp'))).toEqual([]);
  });

  it('of an open file by the name of its descriptor has its other files in the working directory', async () => {
    writeRows('1,10.00,a', '2,none,a');
    const [from, open] = [process.cwd(), openSync(path('rows.csv'), 'r')];
    process.chdir(directory);
    try {
      const line = ['import', `/dev/fd/${open}`, '--ledger', 'main', '--mapping', path('m.json')];
      expect((await runCli(...line, '--url', url)).exit).toBe(1);
    } finally {
      process.chdir(from);
      closeSync(open);
    }
    expect(read('stdin.main.m.rejects.csv')).toContain('3,2,');
  });

  it('of a file that is not there ends with 66, also where its directory is not', async () => {
    const line = ['import', path('nowhere/rows.csv'), '--ledger', 'main', '--url', url];
    expect((await runCli(...line, '--mapping', path('m.json'))).exit).toBe(66);
  });

  it('advises no attempt that it would refuse', async () => {
    writeRows('1,none,a');
    const attempt = 'a'.repeat(64);
    expect((await importing('--attempt', attempt)).output).toContain('with another --attempt.');
  });

  it('writes no file that another import writes', async () => {
    writeRows('1,10.00,a', '2,none,a');
    const both = await Promise.all([importing(), importing()]);
    expect(both.map(({ exit }) => exit).sort()).toEqual([1, 75]);
    const other = await Promise.all([importing(), importing('--progress', path('other.json'))]);
    expect(other.map(({ exit }) => exit).sort()).toEqual([1, 75]);
    expect(await summaryOf()).toMatchObject({ posted: 1, repeated: 1, rejected: 1 });
    expect(readdirSync(directory).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  it('refuses a column with the name of what row.id may use besides', async () => {
    map({ row: { amount: { column: 'amount' }, id: '{row.line}' } });
    write('rows.csv', 'row.line,amount,customer\n1,10.00,a\n');
    const { exit, messages } = await importing();
    expect([exit, messages]).toEqual([65, expect.stringContaining('{row.line} is no column')]);
  });

  it.each([
    ['--name', 'a:b'],
    ['--attempt', 'a:b'],
    ['--attempt', ''],
    ['--asset', 'euro'],
    ['--ledger', 'a/b'],
  ])('refuses %s %j', async (option, value) => {
    writeRows('1,10.00,a');
    const { exit, messages } = await importing(option, value);
    expect([exit, messages]).toEqual([64, expect.stringContaining(`${option} must be 1 to`)]);
  });

  it.each([
    [() => (ledger.bulksMax = 0), 76],
    [() => (ledger.onBulk = () => ledger.restore(0)), 75],
  ])('that the service does not let go on ends with a code of its own', async (break_, code) => {
    writeRows('1,10.00,a', '2,10.00,a', '3,10.00,a', '4,10.00,a');
    break_();
    expect((await importing('--batch', '3')).exit).toBe(code);
  });
});
