import type { DtoShape, ProjectionDto, ProjectionListDto } from '@holdfast/administration';
import { type AdminFlags, withAdmin } from '../admin/admin-session.js';
import { type JobFlags, runJob } from '../admin/run-job.js';
import { CliExit } from '../exit-code.js';
import { countText } from '../terminal/quantities.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

export interface ProjectionsFlags extends AdminFlags {
  readonly json?: boolean;
}

type Projection = DtoShape<ProjectionDto>;

/**
 * Every projection with the tables of each of its versions. Exit code 1 when one is refused or cannot be looked at, when events wait in the quarantine of the live one, or when nobody keeps that one,
 * unless it is paused; of the data of a service that does not run nobody does.
 */
export async function listProjections(
  flags: ProjectionsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const { items } = await withAdmin(flags, terminal, async (client) => {
    // The service is of this project and this version.
    return (await client.get('/admin/projections')).body as DtoShape<ProjectionListDto> & object;
  });
  if (flags.json === true) await terminal.json({ items }, 2);
  else await print(items, terminal);
  const isTrouble = (one: Projection): boolean =>
    isRefused(one) || hasWaiting(one) || (flags.data === undefined && !one.paused && !isKept(one));
  return items.some(isTrouble) ? CliExit.PROBLEMS : CliExit.OK;
}

function isRefused({ fault, generations }: Projection): boolean {
  return fault !== undefined || generations.some(({ refusal }) => refusal !== undefined);
}

function hasWaiting({ version, generations }: Projection): boolean {
  return generations.some(
    (one) => one.version === version && one.state === 'live' && one.quarantinedEvents !== undefined,
  );
}

function isKept({ version, generations }: Projection): boolean {
  return generations.some(
    (one) => one.version === version && one.state === 'live' && one.owner !== undefined,
  );
}

async function print(items: readonly Projection[], terminal: Terminal): Promise<void> {
  if (items.length === 0) await terminal.line('The service has no projections.');
  else for (const line of table(HEAD, items.flatMap(rowsOf))) await terminal.line(line);
  for (const { name, fault } of items)
    if (fault !== undefined) await terminal.line(`${name} cannot be looked at: ${fault}`);
}

const HEAD = ['projection', 'generation', 'version', 'state', 'position', 'events behind', ''];

function rowsOf({ name, version, paused, generations }: Projection): string[][] {
  const mark = paused ? 'PAUSED' : '';
  if (generations.length === 0) return [[name, '-', String(version), 'none', '', '', mark]];
  return generations.map((one) => [
    name,
    String(one.generation),
    `${one.version}${one.version === version ? '' : ' (not of this program)'}`,
    one.state,
    String(one.position),
    countText(one.eventsBehind),
    [
      mark,
      one.refusal === undefined ? '' : `REFUSED: ${one.refusal}`,
      one.quarantinedEvents === undefined ? '' : `QUARANTINED: ${one.quarantinedEvents} events`,
      keeperOf(one.owner),
    ]
      .filter((text) => text !== '')
      .join('; '),
  ]);
}

function keeperOf(owner: string | undefined): string {
  return owner === undefined ? 'nobody keeps it' : `kept by ${owner}`;
}

/** Fills fresh tables beside the live ones, and switches. */
export function rebuildProjection(
  name: string,
  flags: JobFlags,
  terminal: Terminal,
): Promise<CliExit> {
  return runJob(
    flags,
    {
      path: `/admin/projections/${encodeURIComponent(name)}/rebuild`,
      title: 'Rebuilding',
      lines: ({ projection, version, generation, position }) => [
        `Queries of ${String(projection)}, version ${String(version)}, see generation ${String(generation)} now, which stands at position ${String(position)}.`,
      ],
    },
    terminal,
  );
}

export interface DropGenerationFlags extends ProjectionsFlags {
  readonly confirm: string;
}

/** Gives tables up, of a projection whose name must be given twice. */
export async function dropGeneration(
  name: string,
  generation: number,
  flags: DropGenerationFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const dropped = await withAdmin(flags, terminal, async (client) => {
    const path = `/admin/projections/${encodeURIComponent(name)}/generations/${generation}/drop`;
    return (await client.post(path, { confirm: flags.confirm })).body;
  });
  if (flags.json === true) await terminal.json(dropped, 2);
  else
    await terminal.line(
      `Dropped generation ${generation} of ${name}, which was ${String(dropped['state'])} at position ${String(dropped['position'])}.`,
    );
  return CliExit.OK;
}

/** Keeps its workers from applying anything, or lets them go on. */
export async function pauseOrResume(
  name: string,
  verb: 'pause' | 'resume',
  flags: ProjectionsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const projection = await withAdmin(flags, terminal, async (client) => {
    return (await client.post(`/admin/projections/${encodeURIComponent(name)}/${verb}`)).body;
  });
  if (flags.json === true) await terminal.json(projection, 2);
  else
    await terminal.line(
      verb === 'pause'
        ? `Paused ${name}: nothing is applied until "holdfast projections resume ${name}".`
        : `Resumed ${name}.`,
    );
  return CliExit.OK;
}
