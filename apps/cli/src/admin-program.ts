import { Command } from 'commander';
import type { JobFlags } from './admin/run-job.js';
import { archive } from './archive/archive.js';
import type { CliExit } from './exit-code.js';
import { type DropFloorFlags, type FloorsFlags, dropFloor, listFloors } from './floors/floors.js';
import { type JobsFlags, jobs } from './jobs/jobs.js';
import { type RetentionFlags, retention } from './retention/retention.js';
import {
  createCheckpoint,
  createSnapshot,
  listCheckpoints,
  listSnapshots,
} from './state/checkpoints.js';
import type { Terminal } from './terminal/terminal.js';

/** The commands that talk to the admin API of a service, or to the data of one that does not run. */
export function addAdministration(
  holdfast: Command,
  terminal: Terminal,
  done: (exit: CliExit) => void,
): void {
  const floors = holdfast
    .command('floors')
    .description('what keeps the log from being removed, by name');
  administering(floors.command('list'))
    .description('each floor, with what it keeps; exit code 1 when a consumer is far behind')
    .action(async (flags: FloorsFlags) => done(await listFloors(flags, terminal)));
  administering(floors.command('drop'))
    .description('give a consumer up: the log keeps nothing more for it')
    .argument('<name>', 'such as projection:ledger')
    .requiredOption('--confirm <name>', 'the same name once more')
    .action(async (name: string, flags: DropFloorFlags) =>
      done(await dropFloor(name, flags, terminal)),
    );
  addState(holdfast, terminal, done);
  administering(holdfast.command('archive'))
    .description('copy sealed segments to the archive, read back and compared; removes nothing')
    .action(async (flags: JobFlags) => done(await archive(flags, terminal)));
  administering(holdfast.command('retention'))
    .description(
      'what the retention policy would remove from the live log, and what keeps the rest',
    )
    .option('--apply', 'do it')
    .action(async (flags: RetentionFlags) => done(await retention(flags, terminal)));
  holdfast
    .command('jobs')
    .description('what a running service has been asked to do, and how far it is')
    .option('--url <url>', 'its admin API (HOLDFAST_ADMIN_URL when left out)')
    .option('--cancel <id>', 'ask one to stop')
    .option('--json', 'as JSON')
    .action(async (flags: JobsFlags) => done(await jobs(flags, terminal)));
}

function addState(holdfast: Command, terminal: Terminal, done: (exit: CliExit) => void): void {
  const checkpoint = holdfast
    .command('checkpoint')
    .description('the state made durable, so that a start replays only what came later');
  administering(checkpoint.command('create'))
    .description('make one now')
    .action(async (flags: JobFlags) => done(await createCheckpoint(flags, terminal)));
  administering(checkpoint.command('list'))
    .description('the last one, and what a start would replay')
    .action(async (flags: JobFlags) => done(await listCheckpoints(flags, terminal)));
  const snapshot = holdfast
    .command('snapshot')
    .description('the whole state in one file, from which it can be made again');
  administering(snapshot.command('create'))
    .description('make one now; the newest two are kept')
    .action(async (flags: JobFlags) => done(await createSnapshot(flags, terminal)));
  administering(snapshot.command('list'))
    .description('those that there are')
    .action(async (flags: JobFlags) => done(await listSnapshots(flags, terminal)));
}

/** With the options that say whose log it is. */
function administering(command: Command): Command {
  return command
    .option('--url <url>', 'the admin API of a running service (HOLDFAST_ADMIN_URL when left out)')
    .option('--data <directory>', 'the data directory of a service that does not run')
    .option('--json', 'as JSON');
}
