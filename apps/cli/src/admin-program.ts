import { Command, InvalidArgumentError } from 'commander';
import { addressArgument } from './address-argument.js';
import type { JobFlags } from './admin/run-job.js';
import type { ClockFlags } from './clock/clock.js';
import type { CompactFlags } from './compact/compact.js';
import type { CliExit } from './exit-code.js';
import type { DropFloorFlags, FloorsFlags } from './floors/floors.js';
import type { JobsFlags } from './jobs/jobs.js';
import type { DropGenerationFlags, ProjectionsFlags } from './projections/projections.js';
import type { SkipFlags } from './projections/quarantine.js';
import type { RestoreFlags } from './restore/restore.js';
import type { RetentionFlags } from './retention/retention.js';
import type { VerifyStateFlags } from './state/verify-state.js';
import type { Terminal } from './terminal/terminal.js';

/** The commands that talk to the admin API of a service, or to the data of one that does not run. */
export function addAdministration(
  holdfast: Command,
  terminal: Terminal,
  done: (exit: CliExit) => void,
): void {
  const floors = holdfast.command('floors').description('what the log is kept for, by name');
  administering(floors.command('list'))
    .description('each floor and what it keeps; exit code 1 when a consumer is far behind')
    .action(async (flags: FloorsFlags) => {
      const { listFloors } = await import('./floors/floors.js');
      done(await listFloors(flags, terminal));
    });
  administering(floors.command('drop'))
    .description('give up a consumer: the log keeps nothing more for it')
    .argument('<name>', 'such as projection:ledger')
    .requiredOption('--confirm <name>', 'the same name again')
    .action(async (name: string, flags: DropFloorFlags) => {
      const { dropFloor } = await import('./floors/floors.js');
      done(await dropFloor(name, flags, terminal));
    });
  addProjections(holdfast, terminal, done);
  addClock(holdfast, terminal, done);
  addState(holdfast, terminal, done);
  addBackup(holdfast, terminal, done);
  administering(holdfast.command('archive'))
    .description(
      'copy sealed segments to the archive, and read them back to compare; removes nothing',
    )
    .action(async (flags: JobFlags) => {
      const { archive } = await import('./archive/archive.js');
      done(await archive(flags, terminal));
    });
  administering(holdfast.command('compact'))
    .description(
      'rewrite sealed segments without refusals and superseded metadata whose keys have expired; never removes money',
    )
    .option('--dry-run', 'count what could go; change nothing')
    .action(async (flags: CompactFlags) => {
      const { compact } = await import('./compact/compact.js');
      done(await compact(flags, terminal));
    });
  administering(holdfast.command('retention'))
    .description(
      'what the retention policy would remove from the live log, and what keeps the rest',
    )
    .option('--apply', 'remove it')
    .action(async (flags: RetentionFlags) => {
      const { retention } = await import('./retention/retention.js');
      done(await retention(flags, terminal));
    });
  holdfast
    .command('jobs')
    .description('the jobs of a running service, and their progress')
    .option('--url <url>', 'its admin API (HOLDFAST_ADMIN_URL by default)', addressArgument)
    .option('--cancel <id>', 'stop a job')
    .option('--json', 'as JSON')
    .action(async (flags: JobsFlags) => {
      const { jobs } = await import('./jobs/jobs.js');
      done(await jobs(flags, terminal));
    });
}

function addProjections(
  holdfast: Command,
  terminal: Terminal,
  done: (exit: CliExit) => void,
): void {
  const projections = holdfast
    .command('projections')
    .description('the read models, and the tables of every version of each');
  administering(projections.command('list'))
    .description(
      'each with its tables; exit code 1 when one is refused or nobody keeps the live one',
    )
    .action(async (flags: ProjectionsFlags) => {
      const { listProjections } = await import('./projections/projections.js');
      done(await listProjections(flags, terminal));
    });
  administering(projections.command('rebuild'))
    .description('fill fresh tables beside the live ones, and switch; everything else goes on')
    .argument('<name>', 'such as ledger')
    .action(async (name: string, flags: JobFlags) => {
      const { rebuildProjection } = await import('./projections/projections.js');
      done(await rebuildProjection(name, flags, terminal));
    });
  administering(projections.command('drop'))
    .description('give tables up, whoever fills them')
    .argument('<name>', 'such as ledger')
    .argument('<generation>', 'its number in the list', wholeNumber)
    .requiredOption('--confirm <name>', 'the same name again')
    .action(async (name: string, generation: number, flags: DropGenerationFlags) => {
      const { dropGeneration } = await import('./projections/projections.js');
      done(await dropGeneration(name, generation, flags, terminal));
    });
  addQuarantine(projections, terminal, done);
  for (const [verb, description] of [
    ['pause', 'apply nothing more until it is resumed; queries go on with what is there'],
    ['resume', 'go on where it was paused'],
  ] as const)
    administering(projections.command(verb))
      .description(description)
      .argument('<name>', 'such as ledger')
      .action(async (name: string, flags: ProjectionsFlags) => {
        const { pauseOrResume } = await import('./projections/projections.js');
        done(await pauseOrResume(name, verb, flags, terminal));
      });
}

function addQuarantine(
  projections: Command,
  terminal: Terminal,
  done: (exit: CliExit) => void,
): void {
  const quarantine = projections
    .command('quarantine')
    .description('what a projection could not apply, and what waits behind it');
  const verb = (name: string, description: string): Command =>
    administering(quarantine.command(name))
      .description(description)
      .argument('<name>', 'such as ledger');
  verb('list', 'what waits and what was skipped; exit code 1 when anything waits').action(
    async (name: string, flags: ProjectionsFlags) => {
      const { listQuarantine } = await import('./projections/quarantine.js');
      done(await listQuarantine(name, flags, terminal));
    },
  );
  verb('show', 'a commit with its events')
    .argument('<position>', 'of its first event', wholeNumber)
    .action(async (name: string, position: number, flags: ProjectionsFlags) => {
      const { showQuarantined } = await import('./projections/quarantine.js');
      done(await showQuarantined(name, position, flags, terminal));
    });
  verb('release', 'try again what was refused, in order; exit code 1 when anything still waits')
    .argument('[position]', 'of the first event of one commit; all by default', wholeNumber)
    .action(async (name: string, position: number | undefined, flags: ProjectionsFlags) => {
      const { releaseQuarantined } = await import('./projections/quarantine.js');
      done(await releaseQuarantined(name, position, flags, terminal));
    });
  verb('skip', 'leave a commit out for good; the decision is kept')
    .argument('<position>', 'of its first event', wholeNumber)
    .requiredOption('--reason <text>', 'why its rows are not wanted')
    .option('--by <who>', 'who decides (the user of this system by default)')
    .action(async (name: string, position: number, flags: SkipFlags) => {
      const { skipQuarantined } = await import('./projections/quarantine.js');
      done(await skipQuarantined(name, position, flags, terminal));
    });
}

function addClock(holdfast: Command, terminal: Terminal, done: (exit: CliExit) => void): void {
  const clock = holdfast.command('clock').description('whether a service believes its clock');
  running(clock.command('show'))
    .description('the clock, and what is expected of it; exit code 1 when commands are refused')
    .action(async (flags: ClockFlags) => {
      const { showClock } = await import('./clock/clock.js');
      done(await showClock(flags, terminal));
    });
  running(clock.command('accept'))
    .description('accept the present clock, and take commands again')
    .action(async (flags: ClockFlags) => {
      const { acceptClock } = await import('./clock/clock.js');
      done(await acceptClock(flags, terminal));
    });
}

function addState(holdfast: Command, terminal: Terminal, done: (exit: CliExit) => void): void {
  const checkpoint = holdfast
    .command('checkpoint')
    .description('make the state durable, so that a start replays only what follows');
  administering(checkpoint.command('create'))
    .description('create one now')
    .action(async (flags: JobFlags) => {
      const { createCheckpoint } = await import('./state/checkpoints.js');
      done(await createCheckpoint(flags, terminal));
    });
  administering(checkpoint.command('list'))
    .description('show the last one, and what a start would replay')
    .action(async (flags: JobFlags) => {
      const { listCheckpoints } = await import('./state/checkpoints.js');
      done(await listCheckpoints(flags, terminal));
    });
  const state = holdfast
    .command('state')
    .description('the state and read model that are built from the log');
  state
    .command('verify')
    .description(
      'replay the log and compare the checkpointed state and the read model with it; takes no lock, so services may run',
    )
    .option('--data <directory>', 'the data directory (HOLDFAST_DATA_DIRECTORY by default)')
    .option('--json', 'as JSON')
    .action(async (flags: VerifyStateFlags) => {
      const { verifyState } = await import('./state/verify-state.js');
      done(await verifyState(flags, terminal));
    });
  const snapshot = holdfast
    .command('snapshot')
    .description('the whole state in one file, from which it can be rebuilt');
  administering(snapshot.command('create'))
    .description('create one now; the newest two are kept')
    .action(async (flags: JobFlags) => {
      const { createSnapshot } = await import('./state/checkpoints.js');
      done(await createSnapshot(flags, terminal));
    });
  administering(snapshot.command('list'))
    .description('list the snapshots')
    .action(async (flags: JobFlags) => {
      const { listSnapshots } = await import('./state/checkpoints.js');
      done(await listSnapshots(flags, terminal));
    });
}

function addBackup(holdfast: Command, terminal: Terminal, done: (exit: CliExit) => void): void {
  const command = administering(holdfast.command('backup'))
    .description('bring a backup of the log up to date while the service runs')
    .argument('<directory>', 'a new one, or one with an earlier backup; only new data is copied')
    .option('--replace', 'even if the backup there holds what the log no longer holds')
    .action(async (directory: string, flags: JobFlags & { readonly replace?: boolean }) => {
      const { backup } = await import('./backup/backup.js');
      done(await backup(directory, flags, terminal));
    });
  command
    .command('verify')
    .description('read every byte of a backup; needs no service')
    .argument('<directory>')
    .option('--json', 'as JSON')
    .action(async (directory: string, _flags: object, own: Command) => {
      const { verifyBackupIn } = await import('./backup/backup.js');
      done(await verifyBackupIn(directory, own.optsWithGlobals(), terminal));
    });
  holdfast
    .command('restore')
    .description('create a data directory from a backup; needs no service')
    .argument('<backup>', 'the directory of the backup')
    .argument('<target>', 'the data directory to create')
    .option('--to-position <position>', 'the last position to restore', wholeNumber)
    .option(
      '--to-time <time>',
      'up to the last record written by then, such as 2026-11-23T10:00:00Z',
      instant,
    )
    .option('--json', 'as JSON')
    .action(async (from: string, target: string, flags: RestoreFlags) => {
      const { restore } = await import('./restore/restore.js');
      done(await restore(from, target, flags, terminal));
    });
}

function wholeNumber(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

/** With its zone: a restore to an hour that somebody else meant is a wrong restore. */
function instant(text: string): Date {
  const time = new Date(text);
  const day = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})$/.exec(text)?.[1];
  if (day !== undefined && !Number.isNaN(time.getTime()) && isDay(day)) return time;
  throw new InvalidArgumentError('It must be a time with its zone, such as 2026-11-23T10:00:00Z.');
}

/** `Date` takes 31 February for 3 March. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** With the options that say whose log it is. */
/** Of a service that runs: what is asked for ends with the process. */
function running(command: Command): Command {
  return command
    .option('--url <url>', 'its admin API (HOLDFAST_ADMIN_URL by default)', addressArgument)
    .option('--json', 'as JSON');
}

function administering(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'the admin API of a running service (HOLDFAST_ADMIN_URL by default)',
      addressArgument,
    )
    .option('--data <directory>', 'the data directory of a stopped service')
    .option('--json', 'as JSON');
}
