import { salvage, type SalvageReport } from '@holdfast/wal';
import { CliExit } from '../exit-code.js';
import { countText } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface WalSalvageOptions {
  readonly json?: boolean;
}

const BAR = 'Salvaging {bar} {percentage}%  {read}  {duration_formatted}';

/** Makes a new log of what still verifies in a damaged one, and says what is gone. Exit code 1 when anything is. */
export async function walSalvage(
  from: string,
  to: string,
  { json }: WalSalvageOptions,
  terminal: Terminal,
): Promise<CliExit> {
  const progress = terminal.progress(BAR);
  try {
    const report = await salvage(from, to, {
      onProgress: ({ segmentsDone, segmentsTotal }) =>
        progress.update(segmentsDone, segmentsTotal, {
          read: `${segmentsDone} of ${segmentsTotal} segments`,
        }),
    });
    progress.stop();
    if (json === true) await terminal.json(report, 2);
    else await print(report, to, terminal);
    return report.missing.length + report.losses.length === 0 ? CliExit.OK : CliExit.PROBLEMS;
  } finally {
    progress.stop();
  }
}

async function print(report: SalvageReport, to: string, terminal: Terminal): Promise<void> {
  for (const { firstSequence, lastSequence } of report.missing) {
    await terminal.line(`GONE sequences ${firstSequence} to ${lastSequence}`);
  }
  for (const { file, from, to: end, reason } of report.losses) {
    await terminal.line(`LEFT ${reason}\n  file: ${file}\n  offsets: ${from} to ${end}`);
  }
  await terminal.line(
    `${countText(report.records)} records in ${countText(report.frames)} frames, sequences ${report.firstSequence} to ${report.lastSequence}, are in ${to}.`,
  );
  if (report.missing.length > 0) {
    await terminal.line(
      'It opens as a log, but it is not the log that was promised: judge what is gone before you use it.',
    );
  }
}
