import { PassThrough, Readable } from 'node:stream';
import type { Command } from 'commander';
import { exitCodeOf } from '../exit-code.js';
import { program } from '../program.js';
import { Terminal } from '../terminal/terminal.js';

export interface CliRun {
  readonly exit: number;
  readonly output: string;
  readonly messages: string;
}

/** Runs one command line to its end, within this process; what fails ends it as it would end the tool. */
export function runCli(...line: readonly string[]): Promise<CliRun> {
  return runCliOn(undefined, ...line);
}

/** The same, with this on standard input. */
export async function runCliOn(
  input: string | undefined,
  ...line: readonly string[]
): Promise<CliRun> {
  const { promise, text } = start(line, input);
  const exit = await promise.catch((error: unknown) => {
    text.terminal.failure(error);
    return exitCodeOf(error);
  });
  return { exit, output: text.output(), messages: text.messages() };
}

/** The same, and rejects with what the command line's parser throws. */
export function parseCli(...line: readonly string[]): Promise<number> {
  return start(line).promise;
}

function start(line: readonly string[], input = '') {
  const [output, messages] = [new PassThrough({ highWaterMark: 1e8 }), new PassThrough()];
  const terminal = new Terminal(output, messages, Readable.from([Buffer.from(input)]));
  let exit = -1;
  const command = program(terminal, (code) => (exit = code));
  for (const each of withSubcommands(command))
    each.exitOverride().configureOutput({ writeErr: () => undefined });
  const promise = command.parseAsync(line, { from: 'user' }).then(() => exit);
  const read = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';
  return {
    promise,
    text: { terminal, output: () => read(output), messages: () => read(messages) },
  };
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
