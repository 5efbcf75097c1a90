import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../support/child.js';
import type { LogAuditor } from '../support/log-audit.js';
import { inRepository } from '../support/repository.js';
import type { Services } from '../support/services.js';
import { Doubt } from './doubt.js';
import type { Tally } from './tally.js';

export const IMPORT_LEDGER = 'imports';

const ROWS = 400;
const MAPPING = inRepository('docs', 'guides', 'bank-1993.mapping.json');

/** Whether an import made the key. */
export function isImportKey(key: string): boolean {
  return key.startsWith('import:bank-1993:');
}

/** Imports of a real bank's rows by the command line, now and then; one at a time. */
export class ImportRuns {
  private readonly lines = readFileSync(inRepository('test', 'data', 'bank-1993.csv'), 'utf8')
    .trim()
    .split('\r\n');
  private next = 1;
  private running: Promise<void> | undefined;
  private child: Child | undefined;
  /** Keys of rows that an import has reported as posted. */
  private readonly posted: string[] = [];

  constructor(
    private readonly services: Services,
    private readonly tally: Tally,
    private readonly onDoubt: (error: unknown) => void,
  ) {}

  /** Begins one unless one is running or there are no rows left. */
  begin(): void {
    if (this.running !== undefined || this.next >= this.lines.length) return;
    this.running = this.import()
      .catch(this.onDoubt)
      .finally(() => (this.running = undefined));
  }

  /** Kills the one that is running; it is started again and goes on. False when none is. */
  async kill(): Promise<boolean> {
    if (this.child === undefined || this.child.exit !== undefined) return false;
    this.tally.count(this.tally.kills, 'import');
    await this.child.end('SIGKILL');
    return true;
  }

  async settled(): Promise<void> {
    await this.running;
  }

  /** Every row that was reported as posted is there once. */
  faults(auditor: LogAuditor): readonly string[] {
    const { commands } = auditor.of(IMPORT_LEDGER);
    return this.posted
      .filter((key) => commands.get(key)?.commits !== 1)
      .map((key) => `${key} was imported, and is there ${commands.get(key)?.commits ?? 0} times`);
  }

  private async import(): Promise<void> {
    const rows = this.lines.slice(this.next, this.next + ROWS);
    const csv = join(this.services.directory, `import-${this.next}.csv`);
    this.next += rows.length;
    writeFileSync(csv, [this.lines[0] ?? '', ...rows, ''].join('\r\n'));
    let exit = await this.run(csv);
    while (exit.signal === 'SIGKILL') exit = await this.run(csv);
    const { stdout = '', output = '' } = this.child ?? {};
    if (exit.code !== 0) throw new Doubt(`an import ended with ${exit.code}: ${output}`);
    const summary = JSON.parse(stdout) as { rows: number; posted: number; rejected: number };
    if (summary.posted !== rows.length || summary.rejected !== 0)
      throw new Doubt(`an import of ${rows.length} rows says ${stdout}`);
    for (const row of rows) this.posted.push(`import:bank-1993:row:1:${row.split(',')[0] ?? ''}`);
    this.tally.imports++;
    rmSync(csv);
  }

  private run(csv: string): Child['exited'] {
    const given = ['import', csv, '--ledger', IMPORT_LEDGER, '--mapping', MAPPING, '--json'];
    this.child = this.services.cli([...given, '--patience', '600']);
    return this.child.exited;
  }
}
