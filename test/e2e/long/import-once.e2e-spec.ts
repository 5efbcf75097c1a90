import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ShiftedClock } from '../../soak/shifted-clock.js';
import type { Child } from '../../support/child.js';
import { auditLog, balanceOf } from '../../support/log-audit.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const ROWS = 1_200;
const KILLS = 4;
const DAY_MILLIS = 86_400_000;
const LATER_MILLIS = 31 * DAY_MILLIS;

/** No column is an id, and most rows have many equals. Coffee is paid by the bank; a wallet that is empty pays for nothing. */
const MAPPING = {
  name: 'card',
  asset: { code: 'EUR', scale: 2 },
  row: {
    amount: { column: 'amount' },
    effectiveAt: { column: 'date', format: 'YYYY-MM-DD' },
    metadata: { text: '{text}' },
  },
  accounts: {
    bank: { id: 'bank', normalSide: 'debit', floor: null },
    spent: { id: 'spent', normalSide: 'debit', floor: null },
    wallet: { id: 'wallet', normalSide: 'debit', floor: '0' },
  },
  rules: [
    { when: { text: 'wallet' }, debit: 'spent', credit: 'wallet' },
    { debit: 'spent', credit: 'bank' },
  ],
};

/** Every 100th row has no amount, another a field too many, and another is refused by the ledger. */
function rowOf(index: number): string {
  const date = `2025-01-${String((index % 28) + 1).padStart(2, '0')}`;
  if (index % 100 === 17) return `${date},coffee,none`;
  if (index % 100 === 42) return `${date},coffee,4,-19.90`;
  if (index % 100 === 77) return `${date},wallet,3.20`;
  return `${date},coffee,1.00`;
}

interface Summary {
  readonly posted: number;
  readonly repeated: number;
  readonly rejected: number;
}

describe('an import of rows without ids', () => {
  const random = SeededRandom.announced('import once');
  const broken = (ROWS / 100) * 3;
  let services: Services;
  let clock: ShiftedClock;
  let csv: string;
  let mapping: string;
  let rejects: string;

  beforeAll(async () => {
    services = await Services.start({
      HOLDFAST_WAL_SEGMENT_BYTES: '128KiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB',
    });
    clock = new ShiftedClock(services.directory);
    csv = join(services.directory, 'rows.csv');
    mapping = join(services.directory, 'card.json');
    rejects = `${csv}.main.card.rejects.csv`;
    const rows = Array.from({ length: ROWS }, (_, index) => rowOf(index));
    writeFileSync(csv, ['date,text,amount', ...rows, ''].join('\n'));
    writeFileSync(mapping, JSON.stringify(MAPPING));
  }, 120_000);

  afterAll(() => services.remove());

  it('that is killed at random and started twice at once posts every row that it can, once', async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const child = importing(csv, '--batch', '10');
      await setTimeout(random.between(300, 1_500));
      await child.end('SIGKILL');
    }
    const aside = (name: string): string => join(services.directory, name);
    const children = [
      importing(csv, '--batch', '10'),
      importing(
        csv,
        '--batch',
        '7',
        '--rejects',
        aside('other.csv'),
        '--progress',
        aside('other.json'),
      ),
    ];
    for (const child of children) {
      expect(await child.exited).toEqual({ code: 1, signal: null });
      expect(summaryOf(child)).toMatchObject({ posted: ROWS - broken, rejected: broken });
    }
    expect(await booked()).toEqual({
      transfers: ROWS - broken,
      spent: BigInt(ROWS - broken) * 100n,
    });
  }, 120_000);

  it('posts nothing again after 31 days and a compaction', async () => {
    const later = new Date(Date.now() + LATER_MILLIS).toISOString();
    clock.set(LATER_MILLIS);
    await services.end('command-service', 'SIGTERM');
    await services.start('command-service', { ...clock.environment, HOLDFAST_CLOCK_ACCEPT: later });
    const compaction = services.cli(['compact', '--url', services.admin]);
    expect(await compaction.exited).toEqual({ code: 0, signal: null });
    const child = importing(csv);
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(summaryOf(child)).toMatchObject({ repeated: ROWS - broken, rejected: broken });
    expect(await booked()).toMatchObject({ transfers: ROWS - broken });
  }, 120_000);

  it('goes on from its mended rejects file, killed and repeated, and every row of the file is there once', async () => {
    const mended = readFileSync(rejects, 'utf8')
      .replaceAll(',coffee,none', ',coffee,1.00')
      .replaceAll(',4,-19.90', ',4.00')
      .replaceAll(',wallet,', ',card,');
    writeFileSync(rejects, mended);
    const child = importing(rejects, '--attempt', '2', '--batch', '3');
    await setTimeout(random.between(300, 900));
    await child.end('SIGKILL');
    for (const [attempt, repeated] of [
      ['2', undefined],
      ['2', broken],
      ['3', broken],
    ] as const) {
      const again = importing(rejects, '--attempt', attempt);
      expect(await again.exited).toEqual({ code: 0, signal: null });
      expect(summaryOf(again)).toMatchObject({ posted: broken, ...(repeated && { repeated }) });
    }
    const cents = (ROWS - broken) * 100 + (broken / 3) * (100 + 400 + 320);
    expect(await booked()).toEqual({ transfers: ROWS, spent: BigInt(cents) });

    renameSync(rejects, `${rejects}.mended`);
    rmSync(`${csv}.main.card.progress.json`);
    expect((await importing(csv).exited).code).toBe(1);
    expect(await booked()).toEqual({ transfers: ROWS, spent: BigInt(cents) });
  }, 120_000);

  function importing(file: string, ...more: readonly string[]): Child {
    return services.cli([
      ...['import', file, '--ledger', 'main', '--mapping', mapping, '--json'],
      ...more,
    ]);
  }

  function summaryOf({ stdout }: Child): Summary {
    return JSON.parse(stdout) as Summary;
  }

  /** What the log says. */
  async function booked(): Promise<{ transfers: number; spent: bigint }> {
    const { commands, accounts, faults } = await auditLog(services.walDirectory, 'main');
    expect(faults).toEqual([]);
    const transfers = [...commands.values()].filter(({ type }) => type === 'TransferPosted');
    expect(transfers.filter(({ commits }) => commits !== 1)).toEqual([]);
    return { transfers: transfers.length, spent: balanceOf(accounts.get('spent')!) };
  }
});
