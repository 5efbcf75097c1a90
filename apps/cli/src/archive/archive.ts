import { type JobFlags, runJob } from '../admin/run-job.js';
import type { CliExit } from '../exit-code.js';
import { bytesText, counted } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

/** Copies sealed segments to the archive; removes nothing. */
export function archive(flags: JobFlags, terminal: Terminal): Promise<CliExit> {
  return runJob(
    flags,
    {
      path: '/admin/archive',
      title: 'Archiving',
      makesArchive: true,
      lines: ({ segments, bytes, storedBytes, archivedSequence }) => [
        `${counted(Number(segments), 'segment')} with ${bytesText(Number(bytes))} ${Number(segments) === 1 ? 'takes' : 'take'} ${bytesText(Number(storedBytes))} in the archive; everything up to ${String(archivedSequence)} is there.`,
      ],
    },
    terminal,
  );
}
