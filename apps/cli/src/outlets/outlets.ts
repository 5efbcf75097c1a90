import { configurationOf } from '@holdfast/config';
import { EventLogReader, type Position } from '@holdfast/event-store';
import { type OutletPositions, type OutletRecord, SqliteOutletPositions } from '@holdfast/outlets';
import { type FeedCursor, SourceFeed } from '@holdfast/projections';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliExit } from '../exit-code.js';
import { countText } from '../terminal/quantities.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

export interface OutletsFlags {
  /** The data directory; the configured one when left out. */
  readonly data?: string;
  readonly json?: boolean;
}

/** Every outlet that ever delivered. Exit code 1 when one fails, gave up, or waits for a decision. */
export async function listOutlets(flags: OutletsFlags, terminal: Terminal): Promise<CliExit> {
  const records = await withPositions(flags, [], (positions) => positions.list());
  const head = records.length === 0 ? 0 : await withLog(flags, headOf);
  if (flags.json === true) await terminal.json({ items: records.map(jsonOf) }, 2);
  else if (records.length === 0) await terminal.line('No outlet has delivered anything.');
  else
    for (const line of table(
      HEAD,
      records.map((one) => rowOf(one, head)),
    ))
      await terminal.line(line);
  const isTrouble = ({ hold, attempts }: OutletRecord): boolean =>
    attempts > 0 || hold === 'diverged' || hold === 'disabled';
  return records.some(isTrouble) ? CliExit.PROBLEMS : CliExit.OK;
}

const HEAD = ['outlet', 'position', 'events behind', 'attempts', ''];

function rowOf(
  { name, cursor, hold, reason, attempts, error, owner }: OutletRecord,
  head: number,
): string[] {
  const position = cursor?.position ?? 0;
  const marks = [
    hold?.toUpperCase(),
    reason ?? (attempts > 0 ? error : undefined),
    owner === undefined ? 'nobody delivers' : `delivered by ${owner}`,
  ];
  return [
    ...[name, String(position), countText(Math.max(0, head - position)), String(attempts)],
    marks.filter((mark) => mark !== undefined).join('; '),
  ];
}

function jsonOf({ cursor, ...record }: OutletRecord): object {
  return { ...record, position: cursor?.position ?? 0, cursor };
}

/** Delivers nothing more until it is resumed, or goes on; what gave up is tried again. */
export async function pauseOrResumeOutlet(
  name: string,
  verb: 'pause' | 'resume',
  flags: OutletsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  await withPositions(flags, undefined, (positions) => positions[verb](name));
  await terminal.line(
    verb === 'pause'
      ? `Paused ${name}: nothing is delivered until "holdfast outlets resume ${name}". The log keeps what is not delivered.`
      : `Resumed ${name}.`,
  );
  return CliExit.OK;
}

/** Delivers again what follows a position, or leaves out what comes before it. Or accepts, of a log that was restored, up to where both histories are the same. */
export async function moveOutlet(
  name: string,
  verb: 'move' | 'accept',
  position: number,
  flags: OutletsFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const cursor = await withLog(flags, (log) => boundaryCursor(log, position));
  const stands = await withPositions(flags, undefined, async (positions) => {
    await positions[verb](name, cursor);
    return await positions.load(name);
  });
  const from = stands?.cursor?.position ?? 0;
  const rounded =
    from === position ? '' : ', where a commit ends and nothing undelivered is left out';
  await terminal.line(`${name} goes on after position ${from}${rounded}.`);
  return CliExit.OK;
}

/** At the position, or where the commit before it ends: a commit is never split. */
async function boundaryCursor(log: EventLogReader, asked: number): Promise<FeedCursor> {
  let position = Math.min(asked, log.durablePosition);
  while (position > 0 && !(await endsCommit(log, position))) position -= 1;
  return new SourceFeed(log).cursorAt(position as Position);
}

async function endsCommit(log: EventLogReader, position: number): Promise<boolean> {
  for await (const { events } of log.readAll({
    after: (position - 1) as Position,
    batchEvents: 1,
  })) {
    const [event] = events;
    return event?.position !== position || event.endsCommit;
  }
  return true;
}

function headOf({ durablePosition }: EventLogReader): number {
  return durablePosition;
}

/** A file that is not there is not made. */
async function withPositions<Result>(
  { data }: OutletsFlags,
  ifNone: Result,
  use: (positions: OutletPositions) => Promise<Result>,
): Promise<Result> {
  const file =
    data === undefined ? configurationOf('cli').storage.outletsFile : join(data, 'outlets.db');
  if (!existsSync(file) && ifNone !== undefined) return ifNone;
  const positions = new SqliteOutletPositions(file);
  try {
    return await use(positions);
  } finally {
    await positions.close();
  }
}

async function withLog<Result>(
  { data }: OutletsFlags,
  use: (log: EventLogReader) => Result | Promise<Result>,
): Promise<Result> {
  const { storage } = configurationOf('cli');
  const [directory, archiveDirectory] =
    data === undefined
      ? [storage.walDirectory, storage.archiveDirectory]
      : [join(data, 'wal'), storage.archive === '' ? join(data, 'archive') : storage.archive];
  const log = await EventLogReader.open(directory, { archiveDirectory });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}
