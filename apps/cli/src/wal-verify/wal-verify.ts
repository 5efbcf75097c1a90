import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type VerifyProblem, type VerifyReport, WalReader } from '@holdfast/wal';
import { ArchiveDirectory } from '@holdfast/wal/maintenance';
import { CliExit, exitCodeOf } from '../exit-code.js';
import { bytesText, counted, durationText } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';
import { exitOfVerification, unverifiedText, verdictOf } from '../verdict.js';

export interface WalVerifyOptions {
  readonly json?: boolean;
  /** Of the log; `archive` beside it when left out, if one is there. */
  readonly archive?: string;
}

const BAR = 'Verifying {bar} {percentage}%  {read}  {duration_formatted}';

/**
 * Reads every byte of a log up to its last whole frame, with its archive, and reports every damage: exit code 1 when there is any, also when it is so bad that the log cannot
 * be opened, and 2 when something could not be verified. A service may write it meanwhile.
 */
export async function walVerify(
  directory: string,
  options: WalVerifyOptions,
  terminal: Terminal,
): Promise<CliExit> {
  try {
    return await verify(directory, options, terminal);
  } catch (error) {
    if (exitCodeOf(error) !== CliExit.BAD_INPUT) throw error;
    terminal.failure(error);
    return CliExit.PROBLEMS;
  }
}

async function verify(
  directory: string,
  { json, archive: named }: WalVerifyOptions,
  terminal: Terminal,
): Promise<CliExit> {
  const archive = archiveOf(directory, named);
  const reader = await WalReader.open(directory, { ...(archive && { archive }) });
  const progress = terminal.progress(BAR);
  const startedAt = performance.now();
  try {
    const report = await reader.verify(({ bytesDone, bytesTotal }) =>
      progress.update(bytesDone, bytesTotal, {
        read: `${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`,
      }),
    );
    progress.stop();
    const { problems, unverified } = report;
    const sound = problems.length === 0;
    if (json === true)
      await terminal.json({ sound, complete: unverified.length === 0, ...report }, 2);
    else await print(report, performance.now() - startedAt, terminal);
    return exitOfVerification(sound, unverified);
  } finally {
    progress.stop();
    await reader.close();
    await archive?.close();
  }
}

/** Throws `WAL_ARCHIVE_NOT_FOUND` for one that is named and is not there. */
function archiveOf(log: string, named: string | undefined): ArchiveDirectory | undefined {
  const beside = join(dirname(resolve(log)), 'archive');
  if (named === undefined && !existsSync(join(beside, 'ARCHIVE'))) return undefined;
  return ArchiveDirectory.open(named ?? beside);
}

async function print(report: VerifyReport, millis: number, terminal: Terminal): Promise<void> {
  for (const problem of report.problems) await terminal.line(problemText(problem));
  for (const sentence of report.unverified) await terminal.line(unverifiedText(sentence));
  const sound = report.problems.length === 0;
  const verdict = sound
    ? verdictOf(sound, report.unverified)
    : counted(report.problems.length, 'problem');
  const range =
    report.records === 0
      ? 'no records'
      : `${counted(report.records, 'record')} in ${counted(report.frames, 'frame')}, sequences ${report.firstSequence} to ${report.lastSequence}`;
  await terminal.line(
    `${verdict}: ${range}; ${counted(report.segments, 'segment')} with ${bytesText(report.bytes)} read in ${durationText(millis)}.`,
  );
}

function problemText({ file, offset, firstSequence, reason }: VerifyProblem): string {
  return `DAMAGE ${reason}\n  file: ${file}\n  offset: ${offset}\n  firstSequence: ${firstSequence}`;
}
