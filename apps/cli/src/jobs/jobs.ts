import type { JobDto, DtoShape } from '@holdfast/administration';
import { type AdminFlags, withAdmin } from '../admin/admin-session.js';
import { CliExit } from '../exit-code.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

export interface JobsFlags extends Pick<AdminFlags, 'url'> {
  readonly json?: boolean;
  /** The id of a job that is to stop. */
  readonly cancel?: string;
}

/** The jobs of a running service, or one of them asked to stop. */
export async function jobs(flags: JobsFlags, terminal: Terminal): Promise<CliExit> {
  const items = await withAdmin(flags, terminal, async (client) => {
    if (flags.cancel === undefined) return (await client.get('/admin/jobs')).body['items'];
    const path = `/admin/jobs/${encodeURIComponent(flags.cancel)}/cancel`;
    return [(await client.post(path)).body];
  });
  // The service is of this project and this version.
  const listed = items as readonly DtoShape<JobDto>[];
  if (flags.json === true) await terminal.json({ items: listed }, 2);
  else if (listed.length === 0) await terminal.line('No jobs since the service was started.');
  else for (const line of table(HEAD, listed.map(rowOf))) await terminal.line(line);
  return CliExit.OK;
}

const HEAD = ['id', 'kind', 'state', 'created', 'progress', 'problem'];

function rowOf({ id, kind, state, createdAt, progress, problem }: DtoShape<JobDto>): string[] {
  const share =
    progress === undefined || progress.total === 0
      ? ''
      : `${Math.floor((100 * progress.done) / progress.total)}%`;
  return [id, kind, state, createdAt, share, problem?.code ?? ''];
}
