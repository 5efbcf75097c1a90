import { resolve } from 'node:path';
import { configurationOf } from '@holdfast/config';
import { LedgerWriter } from '@holdfast/ledger-service';
import { type DataRestoreReport, restoreData } from '@holdfast/operations';
import { workHere } from '../admin/work-here.js';
import { CliExit } from '../exit-code.js';
import { bytesText, counted } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface RestoreFlags {
  readonly toPosition?: number;
  /** An instant, as `parseInstant` has read it. */
  readonly toTime?: Date;
  readonly json?: boolean;
}

/** Makes a new data directory of a backup. Needs no service, and changes none. */
export async function restore(
  backup: string,
  target: string,
  { toPosition, toTime, json }: RestoreFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const directory = resolve(target);
  // As the service that is to start there.
  const { allowNetworkFileSystem } = configurationOf('cli').wal;
  const report = await workHere('Restoring', terminal, (context) =>
    restoreData(
      {
        ...{ backup, target: directory, allowNetworkFileSystem },
        open: (...log) => LedgerWriter.open(...log),
        ...(toPosition !== undefined && { upTo: toPosition }),
        ...(toTime !== undefined && { atMillis: toTime.getTime() }),
      },
      context,
    ),
  );
  if (json === true) await terminal.json(report, 2);
  else for (const line of linesOf(report, directory)) await terminal.line(line);
  return CliExit.OK;
}

function linesOf(report: DataRestoreReport, directory: string): readonly string[] {
  const { firstSequence, lastSequence, segments, bytes, snapshots, state } = report;
  return [
    `${directory} holds positions ${firstSequence} to ${lastSequence}: ${counted(segments, 'segment')} with ${bytesText(bytes)}, ${counted(snapshots, 'snapshot')}.`,
    `It was opened, and its state of position ${state.position} was built: ${counted(state.entries, 'entry', 'entries')}, digest ${state.digest}.`,
    `Start a service on it with HOLDFAST_DATA_DIRECTORY=${directory}. It is another history from here on: read models and other followers of the old one are refused, and rebuilt.`,
  ];
}
