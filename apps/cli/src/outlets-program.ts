import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { CliExit } from './exit-code.js';
import type { OutletsFlags } from './outlets/outlets.js';
import type { Terminal } from './terminal/terminal.js';

/** What is done to outlets is written into their file, which whoever delivers looks at twice a second: a service may run or not. */
export function addOutlets(
  holdfast: Command,
  terminal: Terminal,
  done: (exit: CliExit) => void,
): void {
  const outlets = holdfast
    .command('outlets')
    .description('the outlets of a data directory, also while a service delivers');
  const on = (command: Command): Command =>
    command
      .option('--data <directory>', 'the data directory (HOLDFAST_DATA_DIRECTORY by default)')
      .option('--json', 'as JSON');
  on(outlets.command('list'))
    .description(
      'each with its position; exit code 1 when one fails, gave up or waits for a decision',
    )
    .action(async (flags: OutletsFlags) => {
      const { listOutlets } = await import('./outlets/outlets.js');
      done(await listOutlets(flags, terminal));
    });
  for (const [verb, description] of [
    ['pause', 'deliver nothing more until it is resumed; the log keeps what is not delivered'],
    ['resume', 'go on where it was paused, or where it gave up'],
  ] as const)
    on(outlets.command(verb))
      .description(description)
      .argument('<name>', 'such as nats')
      .action(async (name: string, flags: OutletsFlags) => {
        const { pauseOrResumeOutlet } = await import('./outlets/outlets.js');
        done(await pauseOrResumeOutlet(name, verb, flags, terminal));
      });
  for (const [verb, description] of [
    ['move', 'deliver what follows a position, also if it was delivered before'],
    [
      'accept',
      'after a restore: follow the log as it is now, from the position that it was restored to',
    ],
  ] as const)
    on(outlets.command(verb))
      .description(description)
      .argument('<name>', 'such as nats')
      .argument(
        '<position>',
        'what follows it is delivered; 0 is before the first event',
        positionArgument,
      )
      .action(async (name: string, position: number, flags: OutletsFlags) => {
        const { moveOutlet } = await import('./outlets/outlets.js');
        done(await moveOutlet(name, verb, position, flags, terminal));
      });
}

function positionArgument(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}
