import { type VerifyProblem, type VerifyReport, WalReader } from '@holdfast/wal';
import { CliExit, exitCodeOf } from '../exit-code.js';
import { bytesText, countText, durationText } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface WalVerifyOptions {
  readonly json?: boolean;
}

const BAR = 'Verifying {bar} {percentage}%  {read}  {duration_formatted}';

/**
 * Reads every durable byte of a log and reports every damage: exit code 1 when there is any, also when it is so bad that the log cannot
 * be opened. A service may write it meanwhile.
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
  { json }: WalVerifyOptions,
  terminal: Terminal,
): Promise<CliExit> {
  const reader = await WalReader.open(directory);
  const progress = terminal.progress(BAR);
  const startedAt = performance.now();
  try {
    const report = await reader.verify(({ bytesDone, bytesTotal }) =>
      progress.update(bytesDone, bytesTotal, {
        read: `${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`,
      }),
    );
    progress.stop();
    if (json === true) await terminal.json({ sound: report.problems.length === 0, ...report }, 2);
    else await print(report, performance.now() - startedAt, terminal);
    return report.problems.length === 0 ? CliExit.OK : CliExit.PROBLEMS;
  } finally {
    progress.stop();
    await reader.close();
  }
}

async function print(report: VerifyReport, millis: number, terminal: Terminal): Promise<void> {
  for (const problem of report.problems) await terminal.line(problemText(problem));
  const verdict = report.problems.length === 0 ? 'Sound' : `${report.problems.length} problems`;
  const range =
    report.records === 0
      ? 'no records'
      : `${countText(report.records)} records in ${countText(report.frames)} frames, sequences ${report.firstSequence} to ${report.lastSequence}`;
  await terminal.line(
    `${verdict}: ${range}; ${report.segments} segments with ${bytesText(report.bytes)} read in ${durationText(millis)}.`,
  );
}

function problemText({ file, offset, firstSequence, reason }: VerifyProblem): string {
  return `DAMAGE ${reason}\n  file: ${file}\n  offset: ${offset}\n  firstSequence: ${firstSequence}`;
}
