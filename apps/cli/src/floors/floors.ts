import { type AdminFlags, withAdmin } from '../admin/admin-session.js';
import { CliExit } from '../exit-code.js';
import { bytesText, countText } from '../terminal/quantities.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

export interface FloorsFlags extends AdminFlags {
  readonly json?: boolean;
}

interface Floor {
  readonly name: string;
  readonly position: number;
  readonly eventsBehind: number;
  readonly bytesPinned: number;
  readonly connected: boolean;
  readonly farBehind: boolean;
}

/** What keeps the log from being removed, by name. Exit code 1 when a consumer is far behind. */
export async function listFloors(flags: FloorsFlags, terminal: Terminal): Promise<CliExit> {
  const floors = await withAdmin(flags, terminal, async (client) => {
    const { body } = await client.get('/admin/floors');
    return body['items'] as readonly Floor[];
  });
  if (flags.json === true) await terminal.json({ items: floors }, 2);
  else if (floors.length === 0) await terminal.line('Nobody holds the log.');
  else await print(floors, terminal);
  return floors.some(({ farBehind }) => farBehind) ? CliExit.PROBLEMS : CliExit.OK;
}

async function print(floors: readonly Floor[], terminal: Terminal): Promise<void> {
  const rows = floors.map((floor) => [
    floor.name,
    String(floor.position),
    countText(floor.eventsBehind),
    bytesText(floor.bytesPinned),
    floor.connected ? 'reading' : '',
    floor.farBehind ? 'FAR BEHIND' : '',
  ]);
  const head = ['floor', 'position', 'events behind', 'keeps', '', ''];
  for (const line of table(head, rows)) await terminal.line(line);
}

export interface DropFloorFlags extends FloorsFlags {
  readonly confirm: string;
}

/** Gives a consumer up, whose name must be given twice. */
export async function dropFloor(
  name: string,
  flags: DropFloorFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const floor = await withAdmin(flags, terminal, async (client) => {
    const path = `/admin/floors/${encodeURIComponent(name)}/drop`;
    return (await client.post(path, { confirm: flags.confirm })).body;
  });
  if (flags.json === true) await terminal.json(floor, 2);
  else
    await terminal.line(
      `Dropped ${name}, which stood at ${String(floor['position'])}: what it kept may go.`,
    );
  return CliExit.OK;
}
