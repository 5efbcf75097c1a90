import { cpus, release } from 'node:os';
import { type SoakOptions, commandOf } from './soak-options.js';
import { type Tally, totalOf } from './tally.js';

/** What a soak did, for people and for programs. */
export interface SoakReport {
  readonly command: string;
  readonly passed: boolean;
  readonly doubt: string | undefined;
  readonly at: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly kernel: string };
  readonly seconds: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly pauses: Readonly<Record<string, number>>;
  /** Processes that ended by themselves over a full or failing disk, or a damaged state. */
  readonly endings: Readonly<Record<string, number>>;
  readonly disturbances: Readonly<Record<string, number>>;
  readonly clockJumps: Readonly<Record<string, number>>;
  readonly descriptorLimits: Readonly<Record<string, number>>;
  readonly readOnlyDisks: Readonly<Record<string, number>>;
  readonly skipped: readonly string[];
  readonly commands: {
    readonly distinct: number;
    readonly sent: number;
    readonly answered: number;
    readonly notApplied: number;
    readonly unknown: number;
  };
  readonly events: number;
  readonly queries: number;
  readonly answersChecked: number;
  readonly logChecks: number;
  readonly rebuildChecks: number;
  readonly rebuilds: number;
  readonly imports: number;
  /** Jobs that were asked for, by what they do; most of them died with the service. */
  readonly work: Readonly<Record<string, number>>;
  readonly backups: number;
  readonly restores: number;
  /** Positions that were in the archive only, at most. */
  readonly removedPositions: number;
  readonly stateProofs: number;
  readonly recoveryMillisMedian: number;
  readonly recoveryMillisMax: number;
  readonly withoutServiceMillisMax: number;
}

export function reportOf(
  options: SoakOptions,
  tally: Tally,
  end: {
    readonly doubt: string | undefined;
    readonly skipped: readonly string[];
    readonly distinct: number;
    readonly events: number;
  },
): SoakReport {
  const recovery = [...tally.recoveryMillis].sort((one, other) => one - other);
  return {
    command: commandOf(options),
    passed: end.doubt === undefined,
    doubt: end.doubt,
    at: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, kernel: release() },
    seconds: Math.round(tally.elapsedSeconds),
    kills: Object.fromEntries(tally.kills),
    pauses: Object.fromEntries(tally.pauses),
    endings: Object.fromEntries(tally.endings),
    disturbances: Object.fromEntries(tally.disturbances),
    clockJumps: Object.fromEntries(tally.clockJumps),
    descriptorLimits: Object.fromEntries(tally.descriptorLimits),
    readOnlyDisks: Object.fromEntries(tally.readOnlyDisks),
    skipped: end.skipped,
    commands: {
      distinct: end.distinct,
      sent: tally.commandsSent,
      answered: tally.answered,
      notApplied: tally.notApplied,
      unknown: tally.unknown,
    },
    events: end.events,
    queries: tally.queries,
    answersChecked: tally.answersChecked,
    logChecks: tally.logChecks,
    rebuildChecks: tally.rebuildChecks,
    rebuilds: tally.rebuilds,
    imports: tally.imports,
    work: Object.fromEntries(tally.work),
    backups: tally.backups,
    restores: tally.restores,
    removedPositions: tally.removedPositions,
    stateProofs: tally.stateProofs,
    recoveryMillisMedian: Math.round(recovery[Math.floor(recovery.length / 2)] ?? 0),
    recoveryMillisMax: Math.round(recovery.at(-1) ?? 0),
    withoutServiceMillisMax: Math.round(tally.withoutServiceMillisMax),
  };
}

/** As a table of Markdown, to be read as it stands and to be put into a document. */
export function tableOf(report: SoakReport): string {
  const { commands, kills, pauses, endings, disturbances } = report;
  const rows: readonly (readonly [string, string | number])[] = [
    ['command', `\`${report.command.replaceAll('|', '\\|')}\``],
    ['result', report.passed ? 'passed' : 'DOUBT'],
    ['time', `${report.seconds} s`],
    ['kills (SIGKILL)', counted(kills)],
    ['pauses (SIGSTOP)', counted(pauses)],
    ['disturbances', list(disturbances)],
    ['clocks set wrong', counted(report.clockJumps)],
    ['descriptors used up', counted(report.descriptorLimits)],
    ['disks that became read-only', counted(report.readOnlyDisks)],
    ['skipped', report.skipped.join('; ') || 'none'],
    ['ended by themselves over a failing disk or a damaged state', list(endings) || 'none'],
    ['commands', `${commands.distinct} keys, sent ${commands.sent} times`],
    ['answered', commands.answered],
    ['told "not applied"', commands.notApplied],
    ['outcome unknown at first', commands.unknown],
    ['events in the log', report.events],
    ['answers checked by sending the key again', report.answersChecked],
    ['queries with a position', report.queries],
    ['audits of the whole log', report.logChecks],
    ['read model compared with a rebuilt one', report.rebuildChecks],
    ['rebuilds beside the live one', report.rebuilds],
    ['imports', report.imports],
    ['jobs asked for', list(report.work)],
    ['backups made under load and verified', report.backups],
    ['restored, and compared with the log and its state', report.restores],
    ['positions that were in the archive only', report.removedPositions],
    ['state proved by replay at the end', report.stateProofs],
    [
      'command service ready after its start',
      `${report.recoveryMillisMedian} ms (median), ${report.recoveryMillisMax} ms (longest)`,
    ],
    ['longest time without an answer', `${report.withoutServiceMillisMax} ms`],
  ];
  return ['| what | how much |', '|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join(
    '\n',
  );
}

function counted(counts: Readonly<Record<string, number>>): string {
  const sum = totalOf(new Map(Object.entries(counts)));
  return sum === 0 ? 'none' : `${sum}: ${list(counts)}`;
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
