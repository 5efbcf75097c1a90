import { configurationOf } from '@holdfast/config';
import { ArchiveDirectory, salvage, type SalvageReport } from '@holdfast/wal/maintenance';
import { CliExit } from '../exit-code.js';
import { counted } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface WalSalvageOptions {
  /** The archive of the damaged log. */
  readonly archive?: string;
  readonly json?: boolean;
}

const BAR = 'Salvaging {bar} {percentage}%  {read}  {duration_formatted}';

/** Makes a new log of what still verifies in a damaged one, and says what is gone. Exit code 1 when anything is that may have been acknowledged. */
export async function walSalvage(
  from: string,
  to: string,
  { json, archive: archiveDirectory }: WalSalvageOptions,
  terminal: Terminal,
): Promise<CliExit> {
  const archive =
    archiveDirectory === undefined
      ? undefined
      : ArchiveDirectory.open(archiveDirectory, { passDamaged: true });
  const progress = terminal.progress(BAR);
  try {
    const report = await salvage(from, to, {
      ...(archive !== undefined && { archive }),
      allowNetworkFileSystem: configurationOf('command-service').wal.allowNetworkFileSystem,
      onProgress: ({ segmentsDone, segmentsTotal }) =>
        progress.update(segmentsDone, segmentsTotal, {
          read: `${segmentsDone} of ${segmentsTotal} segments`,
        }),
    });
    progress.stop();
    if (json === true) await terminal.json(report, 2);
    else await print(report, to, terminal);
    return isWhole(report) ? CliExit.OK : CliExit.PROBLEMS;
  } finally {
    progress.stop();
    await archive?.close();
  }
}

/** A record that nobody was told of may be left out, as recovery would have left it. */
function isWhole({ missing, losses, leftOut, lostTail }: SalvageReport): boolean {
  const isNothingGone = missing.length + losses.length === 0 && lostTail === undefined;
  return isNothingGone && !leftOut.some(({ mayBeAcknowledged }) => mayBeAcknowledged);
}

async function print(report: SalvageReport, to: string, terminal: Terminal): Promise<void> {
  const { missing, lostTail } = report;
  for (const { firstSequence, lastSequence } of [...missing, ...(lostTail ? [lostTail] : [])]) {
    await terminal.line(`GONE sequences ${firstSequence} to ${lastSequence}`);
  }
  for (const { file, firstSequence, lastSequence, mayBeAcknowledged } of report.leftOut) {
    const which = mayBeAcknowledged ? 'perhaps acknowledged' : 'never acknowledged';
    await terminal.line(
      `LEFT sequences ${firstSequence} to ${lastSequence} of another history, ${which}\n  file: ${file}`,
    );
  }
  for (const { file, from, to: end, reason } of report.losses) {
    await terminal.line(`LEFT ${reason}\n  file: ${file}\n  offsets: ${from} to ${end}`);
  }
  await terminal.line(
    `${counted(report.records, 'record')} in ${counted(report.frames, 'frame')}, sequences ${report.firstSequence} to ${report.lastSequence}, are in ${to}.`,
  );
  if (!isWhole(report)) {
    await terminal.line(
      'It opens as a log, but it is not the log that was promised: judge what is gone before you use it.',
    );
  }
}
