import { withAdmin } from '../admin/admin-session.js';
import { type JobFlags, runJob } from '../admin/run-job.js';
import { CliExit } from '../exit-code.js';
import { bytesText, countText, counted } from '../terminal/quantities.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

interface Checkpoint {
  readonly position: number;
  readonly at: string;
  readonly entries: number;
  readonly digest: string;
}

interface State {
  readonly checkpoint?: Checkpoint;
  readonly overlayEntries: number;
  readonly eventsToReplay: number;
  readonly verification: { readonly state: string };
}

interface Snapshot extends Checkpoint {
  readonly path: string;
  readonly bytes: number;
}

/** Makes the state durable as it is now. */
export function createCheckpoint(flags: JobFlags, terminal: Terminal): Promise<CliExit> {
  return runJob(
    flags,
    {
      path: '/admin/checkpoints',
      title: 'Checkpointing',
      lines: ({ position, entries, digest }) => [
        `The state of position ${String(position)}, ${counted(Number(entries), 'entry', 'entries')}, is durable: digest ${String(digest)}.`,
      ],
    },
    terminal,
  );
}

/** The last checkpoint: there is one, and it is replaced. Exit code 1 when the state is known to be damaged. */
export async function listCheckpoints(flags: JobFlags, terminal: Terminal): Promise<CliExit> {
  const told = await withAdmin(flags, terminal, async (client) => {
    return (await client.get('/admin/state')).body;
  });
  // The service is of this project and this version.
  const state = told as Readonly<Record<string, unknown>> & State;
  if (flags.json === true) await terminal.json(state, 2);
  else await printState(state, terminal);
  return state.verification.state === 'damaged' ? CliExit.PROBLEMS : CliExit.OK;
}

async function printState(
  { checkpoint, overlayEntries, eventsToReplay, verification }: State,
  terminal: Terminal,
): Promise<void> {
  if (checkpoint === undefined) await terminal.line('There is no checkpoint yet.');
  else await printCheckpoints([checkpoint], terminal);
  await terminal.line();
  await terminal.line(
    `A start would replay ${counted(eventsToReplay, 'event')}; ${counted(overlayEntries, 'entry is', 'entries are')} in memory only; read through: ${verification.state}.`,
  );
}

/** Writes the whole state to one file. */
export function createSnapshot(flags: JobFlags, terminal: Terminal): Promise<CliExit> {
  return runJob(
    flags,
    {
      path: '/admin/snapshots',
      title: 'Writing a snapshot',
      lines: ({ position, path, bytes, entries }) => [
        `The state of position ${String(position)}, ${counted(Number(entries), 'entry', 'entries')}, is in ${String(path)} (${bytesText(Number(bytes))}), read back and whole.`,
      ],
    },
    terminal,
  );
}

export async function listSnapshots(flags: JobFlags, terminal: Terminal): Promise<CliExit> {
  const told = await withAdmin(flags, terminal, async (client) => {
    return (await client.get('/admin/snapshots')).body['items'];
  });
  const snapshots = told as readonly Snapshot[];
  if (flags.json === true) await terminal.json({ items: snapshots }, 2);
  else if (snapshots.length === 0) await terminal.line('There are no snapshots.');
  else await printSnapshots(snapshots, terminal);
  return CliExit.OK;
}

async function printCheckpoints(
  checkpoints: readonly Checkpoint[],
  terminal: Terminal,
): Promise<void> {
  const rows = checkpoints.map(cellsOf);
  for (const line of table(['position', 'made', 'entries', 'digest'], rows))
    await terminal.line(line);
}

async function printSnapshots(snapshots: readonly Snapshot[], terminal: Terminal): Promise<void> {
  const rows = snapshots.map((snapshot) => [
    ...cellsOf(snapshot),
    bytesText(snapshot.bytes),
    snapshot.path,
  ]);
  const head = ['position', 'made', 'entries', 'digest', 'bytes', 'file'];
  for (const line of table(head, rows)) await terminal.line(line);
}

function cellsOf({ position, at, entries, digest }: Checkpoint): string[] {
  return [String(position), at, countText(entries), digest];
}
