import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { FieldRule } from '@holdfast/commands';
import { assetRule, ledgerRule } from '@holdfast/ledger';
import { CliExit } from '../exit-code.js';
import { ServiceClient } from '../service/service-client.js';
import { countText, durationText, remainingMillis } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';
import { ImportJob, type JobProgress } from './import-job.js';
import { ImportError } from './import.errors.js';
import type { ImportOptions } from './import-options.js';
import type { ImportResult } from './import-run.js';
import { mappingText } from './mapping-file.js';
import { type Mapping, parseMapping } from './mapping.js';
import { nameRule } from './row-identity.js';
import { spoolInput } from './spooled-input.js';

const BAR = 'Importing {bar} {percentage}%  {rows} rows  {rate} rows/s  {left} left';
const SECOND = 1_000;
const STANDARD_INPUT = '-';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Posts every row of a CSV file as a transfer, once, however often it is started: killed half-way and started again, it goes on. Exit code 1
 * when rows were not taken; they are in the rejects file. With `check` it reads and maps everything and posts nothing.
 */
export async function importCsv(options: ImportOptions, terminal: Terminal): Promise<CliExit> {
  refuseOptions(options);
  const mapping = mappingOf(options);
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  for (const signal of SIGNALS) process.once(signal, onSignal);
  const importing = (given: ImportOptions): Promise<CliExit> =>
    importFile(given, mapping, { signal: interrupt.signal, terminal });
  try {
    const input = onceReadable(options.csv, terminal);
    if (input === undefined) return await importing(options);
    const spooled = await spoolInput(input, interrupt.signal);
    try {
      return await importing({ ...options, csv: spooled.path, named: 'stdin' });
    } finally {
      spooled.remove();
    }
  } catch (error) {
    if (interrupt.signal.aborted) return CliExit.INTERRUPTED;
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/** Undefined for a file, which can be read again for a second pass, and for what is none at all. */
function onceReadable(csv: string, terminal: Terminal): Readable | undefined {
  if (csv === STANDARD_INPUT) return terminal.input;
  const found = statSync(csv, { throwIfNoEntry: false });
  const isReadAgain =
    found === undefined || (found.isFile() && !isDescriptor(csv)) || found.isDirectory();
  return isReadAgain ? undefined : createReadStream(csv);
}

/** A name for what is open, also for a file: nothing can stand beside it. */
function isDescriptor(path: string): boolean {
  return /^\/(?:dev\/(?:stdin|fd\/[0-9]+)|proc\/[^/]+\/fd\/[0-9]+)$/.test(resolve(path));
}

async function importFile(
  options: ImportOptions,
  mapping: Mapping,
  { signal, terminal }: { readonly signal: AbortSignal; readonly terminal: Terminal },
): Promise<CliExit> {
  const client = clientOf(options, signal, terminal);
  const bar = progressBar(terminal);
  try {
    const startedAt = performance.now();
    const listener = {
      onProgress: bar.update,
      onNote: (text: string) => terminal.note(text),
      signal,
    };
    const job = new ImportJob(options, mapping, client, listener);
    const result = await job.run();
    bar.stop();
    await summarise(result, performance.now() - startedAt, { job, options, terminal });
    if (!result.finished) return CliExit.INTERRUPTED;
    return result.tally.rejected + result.tally.unknown > 0 ? CliExit.PROBLEMS : CliExit.OK;
  } finally {
    bar.stop();
    await client.close();
  }
}

/** Throws `IMPORT_OPTION_INVALID`. */
function refuseOptions({ ledger, name, asset, attempt }: ImportOptions): void {
  const problem =
    problemOf('--ledger', ledger, ledgerRule) ??
    problemOf('--asset', asset, assetRule) ??
    problemOf('--name', name, nameRule) ??
    problemOf('--attempt', attempt, nameRule);
  if (problem !== undefined) throw new ImportError('IMPORT_OPTION_INVALID', problem);
}

function problemOf(option: string, value: string | undefined, rule: FieldRule): string | undefined {
  return value === undefined || rule.accepts(value) ? undefined : `${option} ${rule.problem}`;
}

function mappingOf(options: ImportOptions): Mapping {
  const mapping = parseMapping(options.mapping, mappingText(options.mapping));
  return {
    ...mapping,
    name: options.name ?? mapping.name,
    asset: { ...mapping.asset, code: options.asset ?? mapping.asset.code },
  };
}

function clientOf(options: ImportOptions, signal: AbortSignal, terminal: Terminal): ServiceClient {
  const { url, patienceSeconds } = options;
  return new ServiceClient({
    url,
    patienceMillis: patienceSeconds * SECOND,
    signal,
    onOutage: (reason) =>
      terminal.note(
        reason === undefined
          ? `${url} answers again`
          : `${url} cannot take it now (${reason}); trying again for ${patienceSeconds} s`,
      ),
  });
}

/** The rate and what is left are of this run: rows that an earlier one was done with pass in no time. */
function progressBar(terminal: Terminal) {
  const bar = terminal.progress(BAR);
  const startedAt = performance.now();
  return {
    update: ({ rows, bytes, bytesTotal }: JobProgress): void => {
      const millis = performance.now() - startedAt;
      const left = remainingMillis(bytes, bytesTotal, millis);
      bar.update(bytes, bytesTotal, {
        rows: countText(rows),
        rate: countText(Math.round((rows / millis) * SECOND)),
        left: left === undefined ? '?' : durationText(left),
      });
    },
    stop: () => bar.stop(),
  };
}

async function summarise(
  result: ImportResult,
  millis: number,
  { job, options, terminal }: { job: ImportJob; options: ImportOptions; terminal: Terminal },
): Promise<void> {
  const { tally, rows, resumedAfter, finished } = result;
  const rejects = tally.rejected > 0 ? job.rejectsPath : undefined;
  if (options.json === true) {
    await terminal.json({
      finished,
      rows,
      resumedAfter,
      ...tally,
      rejects,
      millis: Math.round(millis),
    });
    return;
  }
  const rate = Math.round(((rows - resumedAfter) / millis) * SECOND);
  const posted = options.check === true ? 'would be posted' : 'posted';
  await terminal.line(
    [
      `${finished ? 'Done' : 'Stopped'}: ${countText(rows)} rows in ${durationText(millis)}, ${countText(rate)} rows/s.`,
      ...(resumedAfter > 0 ? [`  resumed after row ${countText(resumedAfter)}`] : []),
      `  ${countText(tally.posted)} ${posted}${tally.repeated > 0 ? `, of which ${countText(tally.repeated)} were there already` : ''}`,
      `  ${countText(tally.skipped)} skipped by the mapping, ${countText(tally.rejected)} not taken`,
      ...(tally.unknown > 0
        ? [`  ${countText(tally.unknown)} were answered by an earlier run: posted or not taken`]
        : []),
      `  ${countText(tally.accountsOpened)} accounts opened`,
      ...(rejects === undefined ? [] : [`Rows that were not taken, and why: ${rejects}`]),
      ...(rejects === undefined || options.check === true ? [] : [attemptText(options)]),
      ...(tally.unknown > 0 ? unknownText(options.ledger) : []),
      ...(finished ? [] : ['Start it again to go on.']),
    ].join('\n'),
  );
}

function attemptText({ attempt }: ImportOptions): string {
  const next = /^[0-9]{1,9}$/.test(attempt) ? String(Number(attempt) + 1) : `${attempt}-2`;
  const advised = nameRule.accepts(next) ? `--attempt ${next}` : 'another --attempt';
  return `Mend them there, and import that file with ${advised}.`;
}

/** How somebody finds out what the ledger does not answer any more. */
function unknownText(ledger: string): readonly string[] {
  return [
    'Retention has removed the answers of that run, and nothing was done for its rows now. Its rejects file has those that it did not take.',
    `Without it: GET /v1/ledgers/${ledger}/transfers?reference=… finds a row by its reference, and the statement of its account shows every row.`,
  ];
}
