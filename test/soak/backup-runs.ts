import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from '../support/journal.js';
import { LogAuditor } from '../support/log-audit.js';
import type { SeededRandom } from '../support/seeded-random.js';
import type { Services } from '../support/services.js';
import type { AdminWork } from './admin-work.js';
import { Doubt } from './doubt.js';
import { positionOf } from './position-of.js';
import type { Tally } from './tally.js';

/** Half of the restores are to the end, the others to a position that the seed picks. */
const RESTORES_TO_THE_END = 0.5;

export interface BackupRunsOptions {
  readonly services: Services;
  readonly work: AdminWork;
  readonly journal: Journal;
  readonly ledgers: readonly string[];
  /** What `work` backs up to. */
  readonly backupDirectory: string;
  /** For restored copies, which are removed after they were looked at. */
  readonly scratchDirectory: string;
  readonly random: SeededRandom;
  readonly tally: Tally;
}

interface Restored {
  readonly lastSequence: number;
}

/** Backups of a service under load, each verified, restored to some position, and compared with the log that it was made of. */
export class BackupRuns {
  constructor(private readonly options: BackupRunsOptions) {}

  /** Throws `Doubt` when anything that was acknowledged is missing in it, or anything in it is not what the log says. */
  async run(): Promise<void> {
    const { work, tally, random, backupDirectory, scratchDirectory } = this.options;
    const acknowledged = this.acknowledged();
    await work.backUp();
    const verified = await this.cli<Restored>('backup', 'verify', backupDirectory);
    tally.backups++;
    const last = verified.lastSequence;
    const missing = acknowledged.find(({ position }) => position > last);
    if (missing !== undefined)
      throw new Doubt(`${missing.key} is at ${missing.position}, and the backup ends at ${last}`);
    const upTo = random.next() < RESTORES_TO_THE_END ? last : random.between(1, last);
    rmSync(scratchDirectory, { recursive: true, force: true });
    mkdirSync(scratchDirectory);
    const target = join(scratchDirectory, 'restored');
    const to = upTo === last ? [] : ['--to-position', String(upTo)];
    const restored = await this.cli<Restored>('restore', backupDirectory, target, ...to);
    await this.compare(target, upTo, restored.lastSequence);
    rmSync(scratchDirectory, { recursive: true });
    tally.restores++;
  }

  private async compare(target: string, upTo: number, last: number): Promise<void> {
    const { services, journal, ledgers, scratchDirectory } = this.options;
    if (last > upTo) throw new Doubt(`a restore to ${upTo} goes to ${last}`);
    const script = 'dist/test/soak/compare-restored.js';
    const given = [services.dataDirectory, target, scratchDirectory];
    const child = services.script('comparison', script, given);
    const exit = await child.exited;
    if (exit.code !== 0)
      throw new Doubt(`a backup restored to ${last} is not the log: ${child.output}`);
    const auditor = new LogAuditor(join(target, 'wal'), ledgers);
    await auditor.advance();
    const audit = auditor.of(journal.ledger);
    const faults = [...audit.faults];
    if (audit.position !== last) faults.push(`it is said to end at ${last}, not ${audit.position}`);
    for (const { key, position } of this.acknowledged()) {
      const found = audit.commands.get(key)?.position;
      if (position <= upTo && found !== position)
        faults.push(`restored to ${upTo}: ${key} of position ${position} is at ${found}`);
      if (position > upTo && found !== undefined)
        faults.push(`restored to ${upTo}: ${key} of position ${position} is there`);
    }
    if (faults.length > 0) throw Doubt.of(faults);
  }

  private acknowledged(): readonly { readonly key: string; readonly position: number }[] {
    return this.options.journal.entries.flatMap(({ key, answer }) =>
      answer?.position === undefined ? [] : [{ key, position: positionOf(answer.position) }],
    );
  }

  private async cli<Report>(...line: readonly string[]): Promise<Report> {
    const child = this.options.services.cli([...line, '--json']);
    const exit = await child.exited;
    if (exit.code !== 0)
      throw new Doubt(`holdfast ${line.join(' ')} ended with ${exit.code}: ${child.output}`);
    return JSON.parse(child.stdout) as Report;
  }
}
