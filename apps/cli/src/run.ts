import { CommanderError } from 'commander';
import { CliExit, exitCodeOf } from './exit-code.js';
import { program } from './program.js';
import { Terminal } from './terminal/terminal.js';

const terminal = new Terminal(process.stdout, process.stderr, undefined, () =>
  // Behind the work, which goes on to its own exit code; one that says more stays.
  process.once('exit', (exit) => {
    if (exit === CliExit.OK) process.exitCode = CliExit.FAILURE;
  }),
);
try {
  await program(terminal, (exit) => (process.exitCode = exit)).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; help that was asked for is no error.
    process.exitCode = error.exitCode === 0 ? CliExit.OK : CliExit.USAGE;
  } else {
    terminal.failure(error);
    process.exitCode = exitCodeOf(error);
  }
}
