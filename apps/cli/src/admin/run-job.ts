import { CliExit } from '../exit-code.js';
import type { Terminal } from '../terminal/terminal.js';
import { type AdminFlags, withAdmin } from './admin-session.js';
import { followJob } from './follow-job.js';

export interface JobFlags extends AdminFlags {
  readonly json?: boolean;
}

export interface JobCommand {
  readonly path: string;
  readonly body?: object;
  /** Stands before the progress bar. */
  readonly title: string;
  /** Works on the archive of the log, which is made where `--data` has none. */
  readonly makesArchive?: boolean;
  /** The report for people. */
  readonly lines: (report: Readonly<Record<string, unknown>>) => readonly string[];
  /** Whether the report is a "no". */
  readonly finds?: (report: Readonly<Record<string, unknown>>) => boolean;
}

/** Starts a job of the service, or of the data, follows it to its end, and shows its report. */
export async function runJob(
  flags: JobFlags,
  { path, body, title, makesArchive, lines, finds = () => false }: JobCommand,
  terminal: Terminal,
): Promise<CliExit> {
  const report = await withAdmin(
    { ...flags, ...(makesArchive && { makesArchive }) },
    terminal,
    async (client) => followJob(client, await client.post(path, body), title, terminal),
  );
  if (flags.json === true) await terminal.json(report, 2);
  else for (const line of lines(report)) await terminal.line(line);
  return finds(report) ? CliExit.PROBLEMS : CliExit.OK;
}
