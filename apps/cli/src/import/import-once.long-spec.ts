import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerDouble } from '../testing/ledger-double.js';
import { type CliRun, runCli } from '../testing/run-cli.js';

const MAPPING = {
  name: 'm',
  asset: { code: 'EUR', scale: 2 },
  row: { amount: { column: 'amount' } },
  accounts: {
    cash: { id: 'cash', normalSide: 'debit', floor: null },
    customer: { id: 'customer-{customer}', normalSide: 'credit' },
  },
  rules: [{ debit: 'cash', credit: 'customer' }],
};

/** Of each kind several are equal: good ones, one without an amount, and one that the ledger refuses, in minor units once mended. */
const KINDS = [
  { row: 'coffee,1.00,a', mended: 100 },
  { row: 'coffee,1.00,b', mended: 100 },
  { row: '"a ""cake"", 2",3.20,a', mended: 320 },
  { row: 'tea,none,a', mended: 200 },
  { row: 'gold,500.00,a', mended: 5000 },
] as const;

type Step =
  | { readonly kind: 'run' | 'die'; readonly batch: number; readonly bulks: number }
  | { readonly kind: 'twice' | 'forget' | 'lose note' };

const batch = fc.constantFrom(3, 4, 50);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('run', 'die'), batch, bulks: fc.nat({ max: 8 }) }),
  fc.record({ kind: fc.constantFrom('twice', 'forget', 'lose note') }),
);

describe('an import of rows without ids', () => {
  let directory: string;
  let ledger: LedgerDouble;
  let url: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'import-'));
    ledger = new LedgerDouble();
    url = await ledger.start();
    writeFileSync(path('m.json'), JSON.stringify(MAPPING));
  });

  afterEach(async () => {
    await ledger.stop();
    rmSync(directory, { recursive: true });
  });

  const path = (name: string): string => join(directory, name);

  function importing(file: string, ...more: readonly string[]): Promise<CliRun> {
    const line = ['import', path(file), '--ledger', 'main', '--mapping', path('m.json')];
    return runCli(...line, '--url', url, '--json', ...more);
  }

  /** Ends it after so many requests. */
  async function dying(bulks: number, run: () => Promise<CliRun>): Promise<void> {
    ledger.bulksMax = bulks;
    await run();
    ledger.bulksMax = Infinity;
  }

  async function take(file: string, attempt: string, done: Step): Promise<void> {
    const options = ['--attempt', attempt];
    const note = path(`${file}.main.m.progress.json`);
    if (done.kind === 'run') await importing(file, ...options, '--batch', String(done.batch));
    else if (done.kind === 'die')
      await dying(done.bulks, () => importing(file, ...options, '--batch', String(done.batch)));
    else if (done.kind === 'forget') ledger.forgetKeys();
    else if (done.kind === 'lose note') rmSync(note, { force: true });
    else {
      const others = ['--rejects', path('other.csv'), '--progress', path('other.json')];
      await Promise.all([importing(file, ...options), importing(file, ...options, ...others)]);
    }
  }

  it('that dies, is repeated, meets itself and is mended books each row once', async () => {
    const rows = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 20 });
    const steps = fc.array(step, { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, steps, steps, async (kinds, before, after) => {
        for (const name of ['rows.csv', 'other.csv', 'other.json'])
          for (const end of ['', '.main.m.rejects.csv', '.main.m.progress.json'])
            rmSync(path(`${name}${end}`), { force: true });
        ledger.recorded = [];
        writeFileSync(
          path('rows.csv'),
          ['text,amount,customer', ...kinds.map(({ row }) => row), ''].join('\n'),
        );
        for (const each of before) await take('rows.csv', '1', each);
        await importing('rows.csv');
        const good = kinds.filter(({ row }) => !/none|500/.test(row));
        expect(ledger.posted).toHaveLength(good.length);

        const rejects = path('rows.csv.main.m.rejects.csv');
        if (existsSync(rejects)) {
          const mended = readFileSync(rejects, 'utf8')
            .replaceAll(',none,', ',2.00,')
            .replaceAll(',500.00,', ',50.00,');
          writeFileSync(path('mended.csv'), mended);
          for (const each of after) await take('mended.csv', '2', each);
          expect((await importing('mended.csv', '--attempt', '2')).exit).toBe(0);
          renameSync(rejects, path('old.csv'));
        }
        await importing('rows.csv');
        await importing('rows.csv', '--attempt', '3');
        expect(ledger.posted).toHaveLength(kinds.length);
        expect(ledger.moved).toBe(kinds.reduce((sum, { mended }) => sum + mended, 0));
      }),
      { numRuns: runs({ short: 4, long: 40 }) },
    );
  }, 240_000);
});
