import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { addressArgument } from './address-argument.js';
import { addAdministration } from './admin-program.js';
import { CliExit } from './exit-code.js';
import {
  ATTEMPT_DEFAULT,
  BATCH_DEFAULT,
  BATCH_MAX,
  BATCH_MIN,
  type ImportOptions,
  PATIENCE_SECONDS_DEFAULT,
} from './import/import-options.js';
import type { HealthFlags } from './health/health.js';
import type { Terminal } from './terminal/terminal.js';
import { addOutlets } from './outlets-program.js';
import { version } from './version.js';
import type { WalDumpOptions } from './wal-dump/wal-dump.js';
import type { WalSalvageOptions } from './wal-salvage/wal-salvage.js';
import type { WalStatsOptions } from './wal-stats/wal-stats.js';
import type { WalVerifyOptions } from './wal-verify/wal-verify.js';

const EXIT_CODES =
  'Exit codes: 0 done; 1 done, and there are problems (damage, rows not taken, not healthy, refused); 2 sound, and not all verified; 64 command line; ' +
  '65 damaged log, or unusable CSV or mapping; 66 no such log or file; 69 service unreachable; 70 failure; 75 the data belongs to a running ' +
  'service, or the ledger is being restored; 76 the service refuses an import; 77 the admin API wants a token; 78 environment; 130 interrupted.';

/** As wide as the rest of the help. */
function exitCodesText(command: Command): string {
  const width = command.configureOutput().getOutHelpWidth?.() ?? 80;
  return `\n${command.createHelp().boxWrap(EXIT_CODES, width)}`;
}

/**
 * The command line. Each command is loaded when it is called, and with it what it needs: some need all of the service, and most need
 * next to nothing. `done` is told the exit code of the command that ran.
 */
export function program(terminal: Terminal, done: (exit: CliExit) => void): Command {
  const holdfast = new Command('holdfast')
    .description('The command line of Holdfast.')
    .version(version(), '--version', 'print the version')
    .exitOverride()
    .showHelpAfterError()
    .addHelpText('after', ({ command }) => exitCodesText(command));
  addWal(holdfast, terminal, done);
  addAdministration(holdfast, terminal, done);
  addOutlets(holdfast, terminal, done);
  addImport(holdfast, terminal, done);
  holdfast
    .command('health')
    .description('ask whether a service is ready')
    .argument('[url]', 'its address (HOLDFAST_URL by default)', addressArgument)
    .option('--json', 'as JSON')
    .action(async (url: string | undefined, flags: HealthFlags) => {
      const { health } = await import('./health/health.js');
      done(await health(url ?? (await defaults()).defaultUrl(), flags, terminal));
    });
  return holdfast;
}

function addWal(holdfast: Command, terminal: Terminal, done: (exit: CliExit) => void): void {
  const wal = holdfast
    .command('wal')
    .description(
      'inspect a log; takes no lock and changes nothing in it, even while a service writes it',
    );
  const directory = '[directory]';
  const meaning =
    'the directory of the log, or the data directory around it (HOLDFAST_DATA_DIRECTORY by default)';
  wal
    .command('stats')
    .description('the contents of the log, by segment')
    .argument(directory, meaning)
    .option('--json', 'as JSON')
    .action(async (path: string | undefined, options: WalStatsOptions) => {
      const { walStats } = await import('./wal-stats/wal-stats.js');
      done(
        await walStats(
          path === undefined ? (await defaults()).defaultLog() : logIn(path),
          options,
          terminal,
        ),
      );
    });
  wal
    .command('verify')
    .description('read every byte of the log; report every damage and what could not be verified')
    .argument(directory, meaning)
    .option('--archive <directory>', 'the archive of the log (archive/ beside it by default)')
    .option('--json', 'as JSON')
    .action(async (path: string | undefined, options: WalVerifyOptions) => {
      const { walVerify } = await import('./wal-verify/wal-verify.js');
      const { defaultArchive, defaultLog } = await defaults();
      const archive = options.archive ?? (path === undefined ? defaultArchive() : undefined);
      const given = { ...options, ...(archive !== undefined && { archive }) };
      done(await walVerify(path === undefined ? defaultLog() : logIn(path), given, terminal));
    });
  wal
    .command('dump')
    .description('the frames of the log and the events in them')
    .argument(directory, meaning)
    .option('--from <sequence>', 'the first sequence', wholeNumber(1))
    .option('--to <sequence>', 'the last sequence', wholeNumber(1))
    .option('--limit <records>', 'most records', wholeNumber(1))
    .option('--json', 'one JSON object per line: frames, events, and records that are not events')
    .action(async (path: string | undefined, options: WalDumpOptions) => {
      const { walDump } = await import('./wal-dump/wal-dump.js');
      done(
        await walDump(
          path === undefined ? (await defaults()).defaultLog() : logIn(path),
          options,
          terminal,
        ),
      );
    });
  wal
    .command('salvage')
    .description(
      'copy what still verifies in a damaged log into a new one; the damaged log is only read',
    )
    .argument('<from>', 'the directory of the damaged log')
    .argument('<to>', 'a directory that does not exist yet')
    .option('--archive <directory>', 'the archive of the log, for missing and damaged segments')
    .option('--json', 'the report as JSON')
    .action(async (from: string, to: string, options: WalSalvageOptions) => {
      const { walSalvage } = await import('./wal-salvage/wal-salvage.js');
      done(await walSalvage(logIn(from), to, options, terminal));
    });
  wal
    .command('explain')
    .description('what an error code means, and what to do')
    .argument('<code>', 'such as WAL_CORRUPT')
    .action(async (code: string) => {
      const { walExplain } = await import('./wal-explain/wal-explain.js');
      done(await walExplain(code, terminal));
    });
}

type ImportFlags = Omit<ImportOptions, 'csv' | 'url' | 'patienceSeconds'> & {
  readonly url?: string;
  readonly patience: number;
};

function addImport(holdfast: Command, terminal: Terminal, done: (exit: CliExit) => void): void {
  holdfast
    .command('import')
    .description(
      'post each row of a CSV file as a transfer, exactly once, however often you start it',
    )
    .argument('<csv>', 'the file; - for standard input')
    .requiredOption('--ledger <name>', 'the ledger; opened if it does not exist')
    .requiredOption('--mapping <file>', 'how rows become transfers: docs/guides/import.md')
    .option('--url <url>', 'the service (HOLDFAST_URL by default)', addressArgument)
    .option(
      '--batch <commands>',
      'commands per request',
      wholeNumber(BATCH_MIN, BATCH_MAX),
      BATCH_DEFAULT,
    )
    .option('--asset <code>', "instead of the mapping's asset")
    .option('--name <name>', "instead of the mapping's name: part of each row's key and reference")
    .option(
      '--attempt <text>',
      "part of each row's key; use another one for a corrected rejects file",
      ATTEMPT_DEFAULT,
    )
    .option('--rejects <file>', 'where rejected rows go (beside the CSV by default)')
    .option('--progress <file>', 'the note of the progress (beside the CSV by default)')
    .option(
      '--patience <seconds>',
      'how long to retry while the service does not answer',
      wholeNumber(0, 86_400),
      PATIENCE_SECONDS_DEFAULT,
    )
    .option('--check', 'read and map every row, and post nothing')
    .option('--json', 'the summary as JSON')
    .action(async (csv: string, options: ImportFlags) => {
      const { patience: patienceSeconds, url = (await defaults()).defaultUrl(), ...rest } = options;
      const { importCsv } = await import('./import/import-csv.js');
      done(await importCsv({ ...rest, csv, url, patienceSeconds }, terminal));
    });
}

/** The log that a directory is, or that the data directory holds. */
function logIn(directory: string): string {
  const within = join(directory, 'wal');
  return existsSync(within) && !existsSync(join(directory, 'MANIFEST')) ? within : directory;
}

/** The configuration is loaded when it is asked for. */
function defaults() {
  return import('./defaults.js');
}

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]{1,16}$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}
