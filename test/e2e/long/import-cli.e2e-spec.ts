import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { hellers } from '../../support/bank-data.js';
import type { Child } from '../../support/child.js';
import { auditLog, balanceOf, type Audit } from '../../support/log-audit.js';
import { inRepository } from '../../support/repository.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const ROWS = 6_000;
const MAPPING = inRepository('docs', 'guides', 'bank-1993.mapping.json');
const WAIT_MILLIS_MAX = 60_000;

interface Summary {
  readonly rows: number;
  readonly resumedAfter: number;
  readonly posted: number;
  readonly repeated: number;
  readonly rejected: number;
}

describe('an import by the command line', () => {
  const random = SeededRandom.announced('import by the command line');
  const lines = readFileSync(inRepository('test', 'data', 'bank-1993.csv'), 'utf8').split('\r\n');
  let services: Services;
  let csv: string;

  beforeAll(async () => {
    services = await Services.start();
    csv = join(services.directory, 'rows.csv');
    writeFileSync(csv, `${lines.slice(0, ROWS + 1).join('\r\n')}\r\n`);
  });

  afterAll(() => services.remove());

  it('that is killed half-way, with the service as well, and started again loads every row once', async () => {
    const first = importing();
    await untilRows(first, random.between(500, 2_000));
    await first.end('SIGKILL');
    const loaded = posted(await audit());
    expect(loaded).toBeGreaterThan(0);
    expect(loaded).toBeLessThan(ROWS);

    const second = importing();
    await untilRows(second, random.between(2_500, 4_000));
    await services.crash('command-service');
    await services.start('command-service');
    expect(await second.exited).toEqual({ code: 0, signal: null });
    const summary = JSON.parse(second.stdout) as Summary;
    expect(summary).toMatchObject({ rows: ROWS, posted: ROWS, rejected: 0 });
    expect(summary.resumedAfter).toBeGreaterThan(0);
    expect(rowsNoted()).toBe(0);
    expectEveryRowOnce(await audit());
  }, 120_000);

  it('that is done and started again without its note finds every row there, and changes nothing', async () => {
    const before = await audit();
    const again = importing();
    expect(await again.exited).toEqual({ code: 0, signal: null });
    expect(JSON.parse(again.stdout)).toMatchObject({
      posted: ROWS,
      repeated: ROWS,
      resumedAfter: 0,
    });
    expect((await audit()).position).toBe(before.position);
  }, 60_000);

  it('puts rows that are not taken into a file with their line, and posts the others', async () => {
    const bad = join(services.directory, 'bad.csv');
    const [header, one, two] = [lines[0]!, lines[ROWS + 1]!, lines[ROWS + 2]!];
    writeFileSync(bad, `${header}\n${one.replace(/\d+\.\d\d/, '1.005')}\nshort,row\n${two}\n`);
    const before = posted(await audit());
    const child = services.cli(['import', bad, '--ledger', 'main', '--mapping', MAPPING, '--json']);
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(JSON.parse(child.stdout)).toMatchObject({ rows: 3, posted: 1, rejected: 2 });
    const rejects = parse(readFileSync(`${bad}.main.bank-1993.rejects.csv`), {
      columns: true,
      relax_column_count: true,
    });
    expect(rejects).toEqual([
      expect.objectContaining({
        import_line: '2',
        import_reason: expect.stringContaining('1.005'),
      }),
      expect.objectContaining({
        import_line: '3',
        import_reason: 'it has 2 fields, not those of the header',
      }),
    ]);
    expect(posted(await audit())).toBe(before + 1);
  }, 60_000);

  it('of a file that ends in the middle of a quoted field says in which line', async () => {
    const torn = join(services.directory, 'torn.csv');
    writeFileSync(torn, `${lines[0]!}\n`);
    appendFileSync(torn, `${lines[ROWS + 3]!}\n"1,`);
    const child = services.cli(['import', torn, '--ledger', 'main', '--mapping', MAPPING]);
    expect(await child.exited).toEqual({ code: 65, signal: null });
    expect(child.output).toContain('IMPORT_CSV_INVALID');
    expect(child.output).toMatch(/line: \d/);
  }, 60_000);

  it('says after its patience that nobody answers', async () => {
    const child = services.cli([
      ...['import', csv, '--ledger', 'main', '--mapping', MAPPING],
      ...['--url', 'http://127.0.0.1:9', '--patience', '1'],
    ]);
    expect(await child.exited).toEqual({ code: 69, signal: null });
    expect(child.output).toContain('SERVICE_UNREACHABLE');
  }, 60_000);

  function importing(): Child {
    return services.cli(['import', csv, '--ledger', 'main', '--mapping', MAPPING, '--json']);
  }

  function noteOf(file: string): string {
    return join(services.directory, `${file}.main.bank-1993.progress.json`);
  }

  /** Until the note says so; a child that ends before is a failure. */
  async function untilRows(child: Child, rows: number): Promise<void> {
    const givingUpAt = performance.now() + WAIT_MILLIS_MAX;
    for (;;) {
      if (child.exit !== undefined) throw new Error(`it has ended:\n${child.output}`);
      if (performance.now() > givingUpAt) throw new Error(`it does not go on:\n${child.output}`);
      if (rowsNoted() >= rows) return;
      await setTimeout(5);
    }
  }

  function rowsNoted(): number {
    if (!existsSync(noteOf('rows.csv'))) return 0;
    const note = JSON.parse(readFileSync(noteOf('rows.csv'), 'utf8')) as {
      progress?: { rows: number };
    };
    return note.progress?.rows ?? 0;
  }

  function audit(): Promise<Audit> {
    return auditLog(services.walDirectory, 'main');
  }

  function posted({ commands }: Audit): number {
    return [...commands.values()].filter(({ type }) => type === 'TransferPosted').length;
  }

  function expectEveryRowOnce({ commands, accounts, faults }: Audit): void {
    expect(faults).toEqual([]);
    expect([...commands].filter(([, { commits }]) => commits !== 1)).toEqual([]);
    const expected: Record<string, bigint> = {};
    for (const line of lines.slice(1, ROWS + 1)) {
      const [transaction, , account, direction, amount] = line.split(',');
      expect(commands.get(`import:bank-1993:row:1:${transaction!}`)?.type).toBe('TransferPosted');
      const moved = BigInt(hellers(amount!)) * (direction === 'credit' ? 1n : -1n);
      expected[`customer-${account!}`] = (expected[`customer-${account!}`] ?? 0n) + moved;
    }
    const shown = Object.keys(expected).map((id) => [id, balanceOf(accounts.get(id)!)]);
    expect(Object.fromEntries(shown)).toEqual(expected);
  }
});
