import { resolve } from 'node:path';
import { snapshotPosition } from '@holdfast/operations';
import { verifyBackup } from '@holdfast/wal/maintenance';
import { type JobFlags, runJob } from '../admin/run-job.js';
import { workHere } from '../admin/work-here.js';
import { CliExit, exitCodeOf } from '../exit-code.js';
import { bytesText, countText, counted } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';
import { exitOfVerification, unverifiedText, verdictOf } from '../verdict.js';

/** Brings a backup in a directory up to date; made there when it is new. */
export function backup(
  directory: string,
  flags: JobFlags & { readonly replace?: boolean },
  terminal: Terminal,
): Promise<CliExit> {
  return runJob(
    flags,
    {
      path: '/admin/backups',
      body: { directory: resolve(directory), replace: flags.replace === true },
      title: 'Backing up',
      lines: ({ firstSequence, lastSequence, copiedSegments, copiedBytes, segments, ...files }) => [
        `${resolve(directory)} holds positions ${String(firstSequence)} to ${String(lastSequence)}.`,
        ...(firstSequence === 1
          ? []
          : [
              `A restore is possible to position ${String(files['restorableFrom'])} and later ones.`,
            ]),
        `${countText(Number(copiedSegments))} of ${counted(Number(segments), 'segment')} ${Number(segments) === 1 ? 'was' : 'were'} copied now, ${bytesText(Number(copiedBytes))}.`,
        ...namesIn(files['keptFiles']).map(
          (name) => `${name} stays in the backup; where it comes from it is gone, or damaged.`,
        ),
        ...namesIn(files['leftOut']).map(
          (name) => `${name} is damaged or gone where it comes from, and is not in the backup.`,
        ),
      ],
    },
    terminal,
  );
}

function namesIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

/** Reads every byte of a backup. Exit code 1 when not everything can be restored from it, 2 when something could not be verified. */
export async function verifyBackupIn(
  directory: string,
  { json }: { readonly json?: boolean },
  terminal: Terminal,
): Promise<CliExit> {
  try {
    const report = await workHere('Verifying', terminal, ({ progress, signal }) =>
      verifyBackup(directory, {
        signal,
        standsAt: snapshotPosition,
        onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
      }),
    );
    const { problems, unverified, firstSequence, lastSequence, segments, bytes } = report;
    const sound = problems.length === 0;
    if (json === true)
      await terminal.json({ sound, complete: unverified.length === 0, ...report }, 2);
    else {
      for (const { reason, file, offset } of problems)
        await terminal.line(`DAMAGE ${reason}\n  file: ${file}\n  offset: ${offset}`);
      for (const sentence of unverified) await terminal.line(unverifiedText(sentence));
      await terminal.line(
        `${sound ? verdictOf(sound, unverified) : counted(problems.length, 'problem')}: positions ${firstSequence} to ${lastSequence}, ${counted(segments, 'segment')}, ${bytesText(bytes)} read.`,
      );
    }
    return exitOfVerification(sound, unverified);
  } catch (error) {
    // So damaged that it cannot be said what belongs to it: that is an answer too.
    if (exitCodeOf(error) !== CliExit.BAD_INPUT) throw error;
    terminal.failure(error);
    return CliExit.PROBLEMS;
  }
}
