import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Batch, type BatchSink, KnownAccounts, type Posted, rejectOf } from './batch.js';
import { type CsvFile, type CsvRow, openCsv } from './csv-rows.js';
import { ImportError } from './import.errors.js';
import { ImportNote, type ImportProgress, type RowsOwner, notedReadings } from './import-note.js';
import { type ImportResult, ImportRun } from './import-run.js';
import { parseMapping } from './mapping.js';
import { RejectsFile } from './rejects-file.js';
import { RowMapper } from './row-mapper.js';
import type { Witness } from './witness.js';

const ROWS = 60;

const mapping = parseMapping(
  'm.json',
  JSON.stringify({
    name: 'test',
    asset: { code: 'EUR', scale: 2 },
    row: { id: '{id}', amount: { column: 'amount' } },
    accounts: {
      from: { id: 'from-{from}', normalSide: 'credit', floor: null },
      to: { id: 'to', normalSide: 'debit', floor: null },
    },
    rules: [
      { when: { from: 'nobody' }, skip: true },
      { debit: 'from', credit: 'to' },
    ],
  }),
);

class Killed extends Error {}

/** A ledger as an import sees it: keys are for ever, and it may die before or after it has taken a batch. */
class TestLedger implements BatchSink {
  readonly applied = new Map<string, number>();
  batches = 0;
  /** Of the run that posts: forgotten with its process. */
  known = new KnownAccounts();
  /** The number of the batch in which the importing process dies, and how many of its commands were taken. */
  deaths: { batch: number; taken: number }[] = [];

  confirms({ key }: Witness): Promise<boolean> {
    return Promise.resolve(this.applied.has(key));
  }

  post({ rows, accounts }: Batch): Promise<Posted> {
    this.batches++;
    const death = this.deaths.find(({ batch }) => batch === this.batches);
    const taken = death === undefined ? rows : rows.slice(0, death.taken);
    let repeated = 0;
    for (const { mapped } of taken) {
      if (this.applied.has(mapped.key)) repeated++;
      else this.applied.set(mapped.key, this.applied.size + 1);
    }
    if (death !== undefined) return Promise.reject(new Killed());
    for (const [id, { command }] of accounts) this.known.add(id, command);
    const rejects = rows
      .filter(({ row }) => row.fields[1] === 'refused')
      .map((waiting) => rejectOf(waiting, 'insufficient-funds'));
    const counts = {
      posted: rows.length - rejects.length,
      repeated,
      unknown: 0,
      accountsOpened: accounts.size,
    };
    return Promise.resolve({ ...counts, rejects });
  }
}

describe('an import', () => {
  let directory: string;
  let ledger: TestLedger;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'import-'));
    ledger = new TestLedger();
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const path = (name: string): string => join(directory, name);
  const note = (owner?: RowsOwner): ImportNote =>
    new ImportNote(path('note'), 'identity', owner, () => undefined);

  /** Row 7 has no amount, row 8 belongs to nobody, and the ledger refuses row 9. */
  function csvOf(rows: number, amount = '1.00'): string {
    const lines = Array.from({ length: rows }, (_, index) => {
      const number = index + 1;
      const from = number === 8 ? 'nobody' : number === 9 ? 'refused' : String(number % 5);
      return `${number},${from},${number === 7 ? 'none' : amount}`;
    });
    return `id,from,amount\n${lines.join('\n')}\n`;
  }

  async function run(
    from: ImportProgress | undefined,
    {
      signal = new AbortController().signal,
      onProgress = () => undefined,
      file: given,
      note: noted = note(),
    }: { signal?: AbortSignal; onProgress?: () => void; file?: CsvFile; note?: ImportNote } = {},
  ): Promise<ImportResult | undefined> {
    const file = given ?? (await openCsv(path('rows.csv'), mapping.csv, []));
    const rejects = new RejectsFile(path('rejects.csv'), file.columns, { ...mapping.csv, ...file });
    if (from === undefined) rejects.rewind(0);
    ledger.known = new KnownAccounts();
    const parts = {
      mapper: new RowMapper(mapping, 'main'),
      sink: ledger,
      known: ledger.known,
      rejects,
      note: noted,
      commandsMax: 7,
      signal,
      onProgress,
    };
    return new ImportRun(parts, file).import(from);
  }

  it('counts what became of every row, and puts what was not taken into a file with line and reason', async () => {
    writeFileSync(path('rows.csv'), csvOf(12));
    expect(await run(undefined)).toEqual({
      finished: true,
      rows: 12,
      resumedAfter: 0,
      tally: {
        posted: 9,
        repeated: 0,
        unknown: 0,
        skipped: 1,
        rejected: 2,
        accountsOpened: expect.any(Number),
      },
    });
    expect(readFileSync(path('rejects.csv'), 'utf8')).toBe(
      [
        'import_line,import_id,import_reason,id,from,amount',
        '8,7,"amount: ""none"" is not an amount",7,2,none',
        '10,9,insufficient-funds,9,refused,1.00',
        '',
      ].join('\n'),
    );
    expect(note().read()).toEqual({
      progress: undefined,
      rejects: { bytes: statSync(path('rejects.csv')).size, digest: expect.any(String) },
    });
  });

  it('that dies at any moments and is started again takes every row once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            batch: fc.integer({ min: 1, max: 25 }),
            taken: fc.integer({ min: 0, max: 7 }),
          }),
          { maxLength: 6 },
        ),
        fc.boolean(),
        async (deaths, noteLost) => {
          ledger = new TestLedger();
          ledger.deaths = deaths;
          note().begin();
          writeFileSync(path('rows.csv'), csvOf(ROWS));
          let result: ImportResult | undefined;
          while (result === undefined) {
            if (noteLost) note().begin();
            result = await run(note().read()?.progress).catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
              return undefined;
            });
          }
          const keys = Array.from({ length: ROWS }, (_, index) => index + 1)
            .filter((number) => number !== 7 && number !== 8)
            .map((number) => `import:test:row:1:${number}`);
          expect([...ledger.applied.keys()]).toEqual(keys);
          expect(result.tally).toMatchObject({ posted: ROWS - 3, skipped: 1, rejected: 2 });
          expect(readFileSync(path('rejects.csv'), 'utf8').split('\n')).toHaveLength(4);
        },
      ),
      { numRuns: runs({ short: 15, long: 60 }) },
    );
  });

  it('passes over what its note says is done, and posts the rest only', async () => {
    writeFileSync(path('rows.csv'), csvOf(ROWS));
    ledger.deaths = [{ batch: 8, taken: 0 }];
    await expect(run(undefined)).rejects.toThrow(Killed);
    const before = ledger.batches;
    const result = await run(note().read()?.progress);
    expect(result!.resumedAfter).toBeGreaterThan(20);
    expect(result!.tally.repeated).toBe(0);
    expect(ledger.batches - before).toBeLessThan(10);
  });

  it.each([
    ['edited', (text: string) => text.replace('2,2,1.00', '2,2,5.00')],
    ['shortened', (text: string) => text.split('\n').slice(0, 5).join('\n')],
  ])(
    'does not believe its note when the file was %s, and posts nothing on its word',
    async (_, edit) => {
      writeFileSync(path('rows.csv'), csvOf(ROWS));
      ledger.deaths = [{ batch: 8, taken: 0 }];
      await expect(run(undefined)).rejects.toThrow(Killed);
      writeFileSync(path('rows.csv'), edit(csvOf(ROWS)));
      const before = ledger.batches;
      expect(await run(note().read()?.progress)).toBeUndefined();
      expect(ledger.batches).toBe(before);
    },
  );

  it('of a file that cannot be read to its end posts the rows before', async () => {
    writeFileSync(path('rows.csv'), csvOf(10));
    const whole = await openCsv(path('rows.csv'), mapping.csv, []);
    async function* broken(): AsyncGenerator<CsvRow> {
      yield* whole.rows;
      throw new ImportError('IMPORT_CSV_INVALID', 'a quote stays open');
    }
    await expect(run(undefined, { file: { ...whole, rows: broken() } })).rejects.toThrow('quote');
    expect(ledger.applied.size).toBe(8);
    expect(note().read()!.progress!.rows).toBe(10);
  });

  it('does not believe its note when the columns have other names', async () => {
    writeFileSync(path('rows.csv'), csvOf(ROWS));
    ledger.deaths = [{ batch: 8, taken: 0 }];
    await expect(run(undefined)).rejects.toThrow(Killed);
    writeFileSync(path('rows.csv'), csvOf(ROWS).replace('id,from,amount', 'from,id,amount'));
    expect(await run(note().read()?.progress)).toBeUndefined();
  });

  describe('whose note cannot be written', () => {
    const owner = { ledger: 'main', name: 'test' };
    /** As a run of the command line opens it. */
    const opened = (): ImportNote => {
      const noted = note(owner);
      noted.read();
      noted.readAs({ mapping: mapping.text, encoding: 'utf8' });
      return noted;
    };
    const block = (): string => mkdirSync(path('note.tmp'), { recursive: true })!;

    it.each([
      ['posts nothing', csvOf(3)],
      ['ends where it has rejects, whose ids nobody would know', csvOf(1, 'none')],
    ])('%s', async (_, rows) => {
      writeFileSync(path('rows.csv'), rows);
      const noted = opened();
      block();
      noted.begin();
      await expect(run(undefined, { note: noted })).rejects.toMatchObject({
        code: 'IMPORT_OPTION_INVALID',
        message: expect.stringContaining(path('note')),
      });
      expect(ledger.applied.size).toBe(0);
      rmSync(path('note.tmp'), { recursive: true });
      expect(await run(undefined, { note: opened() })).toMatchObject({ finished: true });
      expect(notedReadings(path('note'), owner)).toHaveLength(1);
    });

    it('goes on where an earlier one says how its rows are read', async () => {
      writeFileSync(path('rows.csv'), csvOf(3));
      await run(undefined, { note: opened() });
      const noted = opened();
      block();
      expect(await run(undefined, { note: noted })).toMatchObject({ tally: { repeated: 3 } });
    });
  });

  it('stops between two batches when it is told to, and says that it is not finished', async () => {
    writeFileSync(path('rows.csv'), csvOf(ROWS));
    const stop = new AbortController();
    let seen = 0;
    const onProgress = (): void => {
      if (++seen === 30) stop.abort();
    };
    expect(await run(undefined, { signal: stop.signal, onProgress })).toMatchObject({
      finished: false,
      rows: 30,
    });
    const result = await run(note().read()?.progress);
    expect(result).toMatchObject({ finished: true, rows: ROWS, tally: { repeated: 0 } });
    expect(ledger.applied.size).toBe(ROWS - 2);
  });
});
