import { type WriteStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Journal } from '../support/journal.js';
import { JournalingClient } from '../support/journaling-client.js';
import { LogAuditor } from '../support/log-audit.js';
import { SeededRandom } from '../support/seeded-random.js';
import { Services } from '../support/services.js';
import { AdminWork } from './admin-work.js';
import { BackupRuns } from './backup-runs.js';
import { Deck } from './deck.js';
import type { Disturbance } from './disturbance.js';
import { DISTURBANCES } from './disturbances.js';
import { Doubt } from './doubt.js';
import { IMPORT_LEDGER, ImportRuns, isImportKey } from './import-runs.js';
import { Installation, PROCESSES } from './installation.js';
import { MoneyChecks } from './money-checks.js';
import { Pace } from './pace.js';
import { RebuildRuns } from './rebuild-runs.js';
import { ShiftedClock } from './shifted-clock.js';
import { DataDisk, whatIsMissing } from './soak-disk.js';
import type { SoakDisk, SoakOptions } from './soak-options.js';
import { type SoakReport, reportOf } from './soak-report.js';
import { Tally } from './tally.js';
import { Traffic } from './traffic.js';

const LEDGER = 'main';
const CONNECTIONS = 16;
const QUIET_MILLIS_MIN = 200;
const QUIET_MILLIS_MAX = 2_000;
/** A rebuilt read model costs as much as everything so far, so not after each disturbance, and more rarely the longer it takes. */
const REBUILD_CHECK_SECONDS = 150;
const REBUILD_CHECK_SHARE = 0.1;

/** Most of the log is soon in the archive only, and hardly a moment is without a checkpoint or a snapshot in the making. */
const UPKEEP = {
  HOLDFAST_WAL_SEGMENT_BYTES: '512KiB',
  HOLDFAST_WAL_FRAME_BYTES_MAX: '256KiB',
  HOLDFAST_RETENTION_POLICY: 'archive',
  HOLDFAST_RETENTION_LIVE_EVENTS_MIN: '2000',
  HOLDFAST_RETENTION_LIVE_MINUTES_MIN: '0',
  HOLDFAST_RETENTION_INTERVAL_SECONDS: '2',
  HOLDFAST_CHECKPOINT_SECONDS: '1',
  HOLDFAST_CHECKPOINT_BYTES: '1MiB',
};

/** Disturbances that are not possible here, with what they need. */
export function skippedOf({ disk, only }: SoakOptions): readonly string[] {
  return wanted(only).flatMap((one) => {
    const lack = lackOf(one, disk);
    return lack === undefined ? [] : [`${one.name} (needs ${lack})`];
  });
}

function wanted(only: string): readonly Disturbance[] {
  return DISTURBANCES.filter(({ name }) => new RegExp(only).test(name));
}

function lackOf({ needsDisk, needsExt4 }: Disturbance, disk: SoakDisk): string | undefined {
  if (needsExt4 === true && disk !== 'ext4') return 'a disk of its own (--disk ext4)';
  return needsDisk === true || needsExt4 === true ? whatIsMissing(disk) : undefined;
}

/** One soak, from an empty disk to its report. */
export class SoakRun {
  readonly tally = new Tally();
  readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-soak-'));
  private readonly disk: DataDisk;
  private readonly journalFile: WriteStream;
  private readonly journal: Journal;
  private readonly deck: Deck;
  private readonly random: SeededRandom;
  private doubt: (error: unknown) => void = () => undefined;
  private readonly doubted = new Promise<never>((_resolve, reject) => (this.doubt = reject));
  private parts: Parts | undefined;
  private nextRebuildCheckAtSeconds = REBUILD_CHECK_SECONDS;

  constructor(private readonly options: SoakOptions) {
    const { seed, disk, only } = options;
    const possible = wanted(only).filter((one) => lackOf(one, disk) === undefined);
    this.random = new SeededRandom(seed);
    this.deck = new Deck(possible, this.random);
    this.disk = DataDisk.make(this.directory, disk);
    this.journalFile = createWriteStream(join(this.directory, 'journal.ndjson'));
    this.journal = new Journal(LEDGER, {
      isForeign: isImportKey,
      onLine: (line) => this.journalFile.write(`${JSON.stringify(line)}\n`),
    });
  }

  /** The report; its `doubt` says what must never be, if anything was. */
  async run(): Promise<SoakReport> {
    let doubt: string | undefined;
    // Whoever meets a doubt first ends it all; what others meet afterwards are its consequences.
    const all = this.disturb();
    all.catch(() => undefined);
    await Promise.race([all, this.doubted]).catch((error: unknown) => {
      doubt = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    const report = reportOf(this.options, this.tally, {
      doubt,
      skipped: skippedOf(this.options),
      distinct: this.journal.entries.length,
      events: this.parts?.auditor.of(LEDGER).position ?? 0,
    });
    await this.end(doubt === undefined);
    return report;
  }

  /** Ends every process; removes everything, or leaves it to be looked at. */
  async end(sound: boolean): Promise<void> {
    await this.parts?.services.endAll();
    this.journalFile.end();
    if (sound) {
      this.disk.remove();
      rmSync(this.directory, { recursive: true, force: true });
      return;
    }
    for (const name of PROCESSES)
      writeFileSync(
        join(this.directory, `${name}.output`),
        this.parts?.installation.lastWords(name) ?? '',
      );
    this.disk.keep(join(this.directory, 'data-kept'));
  }

  private async disturb(): Promise<void> {
    const parts = (this.parts = await this.assemble());
    const { installation, traffic, imports, checks, services, work } = parts;
    await installation.startAll();
    await traffic.prepare();
    traffic.start();
    work.start();
    while (this.tally.elapsedSeconds < this.options.minutes * 60) {
      await setTimeout(this.random.between(QUIET_MILLIS_MIN, QUIET_MILLIS_MAX));
      await this.play(this.deck.next(), parts);
    }
    await traffic.hush();
    await imports.settled();
    await checks.ofEverything();
    await checks.rebuilt();
    await Promise.all([traffic.stop(), work.stop()]);
    for (const name of [...PROCESSES].reverse()) await installation.stop(name);
    await this.proveState(parts);
    await services.endAll();
  }

  private async play(disturbance: Disturbance, parts: Parts): Promise<void> {
    const { traffic, checks } = parts;
    this.tally.count(this.tally.disturbances, disturbance.name);
    const restarted = await disturbance.run({
      ...parts,
      random: this.random,
      tally: this.tally,
      burst: () => traffic.burst(),
    });
    const rebuildIsDue = this.tally.elapsedSeconds > this.nextRebuildCheckAtSeconds;
    if (!restarted && !rebuildIsDue) return;
    await traffic.hush();
    if (restarted) await checks.afterRestart();
    if (rebuildIsDue) await this.checkRebuild(parts);
    traffic.goOn();
  }

  private async checkRebuild({ imports, checks }: Parts): Promise<void> {
    const startedAt = this.tally.elapsedSeconds;
    await imports.settled();
    await checks.rebuilt();
    const endedAt = this.tally.elapsedSeconds;
    const pause = Math.max(REBUILD_CHECK_SECONDS, (endedAt - startedAt) / REBUILD_CHECK_SHARE);
    this.nextRebuildCheckAtSeconds = endedAt + pause;
  }

  /** What the stopped installation has left is what a replay of its log makes. */
  private async proveState({ services }: Parts): Promise<void> {
    const child = services.cli(['state', 'verify', '--data', services.dataDirectory, '--json']);
    const { code } = await child.exited;
    if (code !== 0) throw new Doubt(`holdfast state verify ended with ${code}: ${child.output}`);
    this.tally.stateProofs++;
  }

  private async assemble(): Promise<Parts> {
    const { disk, journal, tally, options } = this;
    const onDoubt = (error: unknown): void => this.doubt(error);
    const clock = new ShiftedClock(this.directory);
    const environment = {
      HOLDFAST_DATA_DIRECTORY: disk.dataDirectory,
      // So that it has a good part of the log behind it between two faults.
      HOLDFAST_SCRUB_PAUSE_SECONDS: '1',
      HOLDFAST_SCRUB_BYTES_PER_SECOND: '64MiB',
      ...UPKEEP,
      ...clock.environment,
      ...options.environment,
    };
    const services = await Services.prepare(environment, this.directory);
    const installation = new Installation(services, tally, onDoubt);
    const imports = new ImportRuns(services, tally, onDoubt);
    const rebuilds = new RebuildRuns(services, tally);
    const auditor = new LogAuditor(services.walDirectory, [LEDGER, IMPORT_LEDGER]);
    // Half of the connections go through the front door, half straight to the command service, which has no queries.
    const front = new JournalingClient(services.front, journal);
    const direct = new JournalingClient(services.commands, journal);
    const backupDirectory = join(disk.dataDirectory, '..', 'backup');
    const work = new AdminWork(services.admin, backupDirectory, tally, onDoubt);
    const backups = new BackupRuns({
      ...{ services, work, journal, backupDirectory, tally },
      ledgers: [LEDGER, IMPORT_LEDGER],
      scratchDirectory: join(disk.dataDirectory, '..', 'scratch'),
      random: new SeededRandom(options.seed + 3),
    });
    const random = new SeededRandom(options.seed + 1);
    const traffic = new Traffic({
      journal,
      commands: [front, direct],
      queries: front,
      connections: CONNECTIONS,
      random,
      pace: new Pace(options.rate),
      tally,
      onDoubt,
    });
    const checks = new MoneyChecks({
      ...{ services, client: front, journal, auditor, imports, tally },
      random: new SeededRandom(options.seed + 2),
    });
    return {
      ...{ services, installation, imports, rebuilds, backups, work },
      ...{ auditor, traffic, checks, disk, clock },
    };
  }
}

interface Parts {
  readonly services: Services;
  readonly installation: Installation;
  readonly imports: ImportRuns;
  readonly rebuilds: RebuildRuns;
  readonly backups: BackupRuns;
  readonly work: AdminWork;
  readonly auditor: LogAuditor;
  readonly traffic: Traffic;
  readonly checks: MoneyChecks;
  readonly disk: DataDisk;
  readonly clock: ShiftedClock;
}
