import { type AdminFlags, withAdmin } from '../admin/admin-session.js';
import { CliExit } from '../exit-code.js';
import type { Terminal } from '../terminal/terminal.js';

export interface ClockFlags extends Pick<AdminFlags, 'url'> {
  readonly json?: boolean;
}

/** Whether the clock is believed. Exit code 1 when commands are refused because of it. */
export async function showClock(flags: ClockFlags, terminal: Terminal): Promise<CliExit> {
  const { body } = await withAdmin(flags, terminal, (client) => client.get('/admin/clock'));
  return print(body, flags, terminal);
}

/** Has the service take commands again by what its clock says now. */
export async function acceptClock(flags: ClockFlags, terminal: Terminal): Promise<CliExit> {
  const { body } = await withAdmin(flags, terminal, (client) =>
    client.post('/admin/clock/accept', {}),
  );
  return print(body, flags, terminal);
}

async function print(
  clock: Readonly<Record<string, unknown>>,
  { json }: ClockFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const { trusted, fault, clockTime, expectedTime } = clock;
  if (json === true) await terminal.json(clock, 2);
  else if (trusted === true) await terminal.line(`The clock is believed: ${String(clockTime)}.`);
  else
    await terminal.line(
      `The clock is NOT believed (${String(fault)}): it says ${String(clockTime)}, and ${String(expectedTime)} was expected. Commands are refused until it is right, or until \`holdfast clock accept\`.`,
    );
  return trusted === true ? CliExit.OK : CliExit.PROBLEMS;
}
