import { type AdminFlags, withAdmin } from '../admin/admin-session.js';
import { followJob } from '../admin/follow-job.js';
import { CliExit } from '../exit-code.js';
import { bytesText, counted } from '../terminal/quantities.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

export interface RetentionFlags extends AdminFlags {
  readonly apply?: boolean;
  readonly json?: boolean;
}

interface Retention {
  readonly policy: string;
  readonly limits: readonly { readonly reason: string; readonly below: number }[];
  readonly damagedSnapshots?: readonly { readonly position: number; readonly reason: string }[];
  readonly removal: {
    readonly segments: readonly {
      readonly file: string;
      readonly firstSequence: number;
      readonly lastSequence: number;
      readonly bytes: number;
    }[];
    readonly bytes: number;
    readonly firstSequence: number;
    readonly pinnedBy: readonly {
      readonly name: string;
      readonly sequence: number;
      readonly segments: number;
      readonly bytes: number;
    }[];
  };
}

/** What the retention policy would remove; with `apply`, what it has removed. */
export async function retention(flags: RetentionFlags, terminal: Terminal): Promise<CliExit> {
  const { apply = false } = flags;
  const told = await withAdmin(flags, terminal, async (client) => {
    if (!apply) return (await client.get('/admin/retention')).body;
    const started = await client.post('/admin/retention/apply');
    return followJob(client, started, 'Applying retention', terminal);
  });
  if (flags.json === true) await terminal.json(told, 2);
  // The service is of this project and this version.
  else await print(told as Readonly<Record<string, unknown>> & Retention, apply, terminal);
  return CliExit.OK;
}

/** In words for people, by the reason that the service gives. */
const REASONS: Readonly<Record<string, string>> = {
  policy: 'the policy keeps everything',
  archive: 'what is not in the archive stays',
  snapshots: 'what the older of two verified snapshots does not cover stays',
  positions: 'the newest events stay (HOLDFAST_RETENTION_LIVE_EVENTS_MIN)',
  age: 'young events stay (HOLDFAST_RETENTION_LIVE_MINUTES_MIN)',
};

async function print(
  { policy, limits, damagedSnapshots = [], removal }: Retention,
  applied: boolean,
  terminal: Terminal,
): Promise<void> {
  const { segments, bytes, firstSequence, pinnedBy } = removal;
  await terminal.line(`policy     ${policy}`);
  for (const { reason, below } of limits)
    await terminal.line(`stays from ${below}: ${REASONS[reason] ?? reason}`);
  for (const { position, reason } of damagedSnapshots)
    await terminal.line(
      `The snapshot of position ${position} does not count (${reason}): make new ones with \`holdfast snapshot create\`.`,
    );
  const files = segments.map((segment) => [
    segment.file,
    String(segment.firstSequence),
    String(segment.lastSequence),
    bytesText(segment.bytes),
  ]);
  if (files.length > 0) await terminal.line();
  if (files.length > 0)
    for (const line of table(['segment', 'first', 'last', 'bytes'], files))
      await terminal.line(line);
  await terminal.line();
  const verb = applied ? 'Removed' : 'Would remove';
  await terminal.line(
    `${verb} ${counted(segments.length, 'segment')}, ${bytesText(bytes)}; the live log begins at ${firstSequence}.`,
  );
  for (const pin of pinnedBy)
    await terminal.line(
      `${pin.name} stands at ${pin.sequence} and keeps ${counted(pin.segments, 'segment')}, ${bytesText(pin.bytes)}.`,
    );
  if (!applied && segments.length > 0) await terminal.line('Nothing was changed: --apply does it.');
}
