import type { DtoShape, QuarantineDto, QuarantinedCommitDto } from '@holdfast/administration';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient } from '../admin/admin-client.js';
import { withAdmin } from '../admin/admin-session.js';
import { CliExit } from '../exit-code.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';
import type { ProjectionsFlags } from './projections.js';

type Quarantine = DtoShape<QuarantineDto>;

/** A worker does what it is asked for within a second, if there is one. */
const TRIED_MILLIS_MAX = 5_000;
const POLL_MILLIS = 200;

/** Exit code 1 while anything waits. */
export async function listQuarantine(
  name: string,
  flags: ProjectionsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const found = await withAdmin(flags, terminal, (client) => quarantineOf(client, name));
  if (flags.json === true) await terminal.json(found, 2);
  else await print(found, terminal);
  return found.items.length === 0 ? CliExit.OK : CliExit.PROBLEMS;
}

/** One commit with its events, as JSON. */
export async function showQuarantined(
  name: string,
  position: number,
  flags: ProjectionsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const shown = await withAdmin(flags, terminal, async (client) => {
    return (await client.get(`${pathOf(name)}/${position}`))
      .body as DtoShape<QuarantinedCommitDto> & object;
  });
  await terminal.json(shown, 2);
  return CliExit.OK;
}

/** Exit code 1 when something still waits. */
export async function releaseQuarantined(
  name: string,
  position: number | undefined,
  flags: ProjectionsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const left = await withAdmin(flags, terminal, async (client) => {
    await client.post(`${pathOf(name)}/release`, position === undefined ? {} : { position });
    // Of data that is not served nobody is the worker.
    return await triedBy(client, name, flags.data === undefined ? TRIED_MILLIS_MAX : 0);
  });
  if (flags.json === true) await terminal.json(left, 2);
  else if (left.releasesPending > 0)
    await terminal.line(
      `Asked for. No worker has tried it yet: one does as soon as it keeps ${name} up.`,
    );
  else if (left.items.length === 0) await terminal.line(`Nothing waits in ${name} any more.`);
  else await print(left, terminal);
  return left.items.length === 0 ? CliExit.OK : CliExit.PROBLEMS;
}

export interface SkipFlags extends ProjectionsFlags {
  readonly reason: string;
  readonly by?: string;
}

export async function skipQuarantined(
  name: string,
  position: number,
  flags: SkipFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const { reason, by = userInfo().username } = flags;
  const left = await withAdmin(flags, terminal, async (client) => {
    return (await client.post(`${pathOf(name)}/${position}/skip`, { by, reason })).body;
  });
  if (flags.json === true) await terminal.json(left, 2);
  else
    await terminal.line(
      `The commit at position ${position} is left out of ${name}, by ${by}. The decision is kept.`,
    );
  return CliExit.OK;
}

async function triedBy(client: AdminClient, name: string, millisMax: number): Promise<Quarantine> {
  const deadline = performance.now() + millisMax;
  for (;;) {
    const found = await quarantineOf(client, name);
    if (found.releasesPending === 0 || performance.now() >= deadline) return found;
    await sleep(POLL_MILLIS);
  }
}

async function quarantineOf(client: AdminClient, name: string): Promise<Quarantine> {
  return (await client.get(pathOf(name))).body as Quarantine & object;
}

function pathOf(name: string): string {
  return `/admin/projections/${encodeURIComponent(name)}/quarantine`;
}

const HEAD = ['position', 'events', 'generation', 'attempts', 'since', ''];

async function print(
  { projection, items, skipped, releasesPending }: Quarantine,
  terminal: Terminal,
): Promise<void> {
  if (items.length === 0) await terminal.line(`Nothing waits in the quarantine of ${projection}.`);
  else for (const line of table(HEAD, items.map(rowOf))) await terminal.line(line);
  if (releasesPending > 0) await terminal.line('A release is asked for and not tried yet.');
  for (const { position, by, at, reason } of skipped)
    await terminal.line(`${position} was skipped by ${by} at ${at}: ${reason}`);
}

function rowOf(one: Quarantine['items'][number]): string[] {
  return [
    String(one.position),
    String(one.events),
    `${one.generation} (${one.state})`,
    String(one.attempts),
    one.since,
    one.behind === undefined ? (one.error ?? '') : `waits behind ${one.behind}`,
  ];
}
