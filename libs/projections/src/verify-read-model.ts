import type { EventSource, Position } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeedCursor } from './event-feed.js';
import { feedDiverged } from './feed.errors.js';
import type { SqlProjection } from './projection.js';
import { notReady } from './read-model.errors.js';
import type { ReadModelDigest } from './read-model-store.js';
import { type RebuildProgress, rebuildProjection } from './runner/rebuild-projection.js';
import { SourceFeed } from './feed/source-feed.js';
import { SourceUpTo } from './feed/source-up-to.js';
import { catalogPath } from './store/sqlite/sqlite-catalog.js';
import { SqliteReadModelStore } from './store/sqlite/sqlite-read-model-store.js';
import type { SqliteTransaction } from './store/sqlite/sqlite-transaction.js';

export interface VerifyReadModelOptions {
  /** The log, archive included: it must still have its beginning. */
  readonly source: EventSource;
  /** As `SqliteReadModelStore` takes it. Only read. */
  readonly directory: string;
  readonly projection: SqlProjection<SqliteTransaction>;
  /** Where a second read model is made, and removed again: it needs as much room as the one that is verified. */
  readonly scratchDirectory: string;
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly signal: AbortSignal;
}

export interface ReadModelVerification {
  /** Where the read model stood when it was looked at. */
  readonly position: Position;
  readonly equal: boolean;
  /** Events that wait in the quarantine or were skipped, and so were left out of what it was compared with. Absent when there are none. */
  readonly leftOut?: number;
  /** By table: whether every row is what the log makes of it. */
  readonly tables: Readonly<Record<string, TableVerification>>;
}

export interface TableVerification {
  readonly equal: boolean;
  readonly rows: number;
  readonly rowsExpected: number;
}

/** The names of the read models in a directory, which may be missing: of whatever projections, and of any version. */
export function readModelsIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => existsSync(catalogPath(directory, name)))
    .sort();
}

/**
 * Makes the read model a second time, from the log alone and up to the very position of the one that queries see, and compares the two row by row. The
 * log and the read model may move on meanwhile. What the quarantine keeps from the one is kept from the other. Undefined when the signal fired first. Throws `READ_MODEL_NOT_READY`, `FEED_DIVERGED`,
 * `FEED_COMPACTED`, and what reading the log throws.
 */
export async function verifyReadModel(
  options: VerifyReadModelOptions,
): Promise<ReadModelVerification | undefined> {
  const { found, leftOut } = await digestIn(options.directory, options.projection);
  const cursor = found.cursor;
  if (cursor === undefined) return { position: 0 as Position, equal: true, tables: {} };
  assertOfThisLog(cursor, options.source);
  const scratch = await mkdtemp(join(options.scratchDirectory, 'holdfast-verify-'));
  try {
    const made = await make(scratch, cursor.position, leftOut, options);
    if (made === undefined) return undefined;
    const verification = compare(cursor.position, found, made);
    return leftOut.size === 0 ? verification : { ...verification, leftOut: leftOut.size };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function assertOfThisLog(cursor: FeedCursor, source: EventSource): void {
  if (cursor.logId !== source.logId) throw feedDiverged(cursor, { foundLogId: source.logId });
  const foundTimeline = source.timelineAt(cursor.position);
  if (cursor.position > 0 && foundTimeline !== cursor.timeline)
    throw feedDiverged(cursor, { foundTimeline });
}

async function make(
  directory: string,
  position: Position,
  leftOut: ReadonlySet<Position>,
  { source, projection, onProgress, signal }: VerifyReadModelOptions,
): Promise<ReadModelDigest | undefined> {
  const store = SqliteReadModelStore.open({ directory, projection });
  const feed = new SourceFeed(new SourceUpTo(source, position, leftOut));
  try {
    const whole = await rebuildProjection({
      ...{ feed, store, signal },
      ...(onProgress && { onProgress }),
    });
    if (!whole) return undefined;
    const made = await store.digest();
    assert(made.cursor?.position === position, 'what was made ends where it was to be compared');
    return made;
  } finally {
    await feed.close();
    await store.close();
  }
}

async function digestIn(
  directory: string,
  projection: SqlProjection<SqliteTransaction>,
): Promise<{ readonly found: ReadModelDigest; readonly leftOut: ReadonlySet<Position> }> {
  // To open a catalog that is not there would be to make it.
  if (!existsSync(catalogPath(directory, projection.name))) throw notReady(projection);
  const store = SqliteReadModelStore.open({ directory, projection });
  try {
    for (;;) {
      const before = await leftOutOf(store);
      const found = await store.digest();
      const leftOut = await leftOutOf(store);
      // What a worker releases meanwhile is in the rows, or is not.
      if ([...before].join() === [...leftOut].join()) return { found, leftOut };
    }
  } finally {
    await store.close();
  }
}

async function leftOutOf({
  projection,
  quarantine,
}: SqliteReadModelStore): Promise<ReadonlySet<Position>> {
  const { version } = projection;
  const all = await quarantine.list();
  const live = all.find((one) => one.state === 'live' && one.version === version);
  const leftOut = new Set<Position>();
  for (const { position } of live?.commits ?? [])
    for (const event of (await quarantine.contentOf(live?.generation ?? 0, position)) ?? [])
      leftOut.add(event.position);
  return leftOut;
}

function compare(
  position: Position,
  found: ReadModelDigest,
  made: ReadModelDigest,
): ReadModelVerification {
  const names = [...new Set([...Object.keys(found.tables), ...Object.keys(made.tables)])].sort();
  const tables = Object.fromEntries(
    names.map((name): [string, TableVerification] => {
      const [ours, theirs] = [found.tables[name], made.tables[name]];
      const equal = ours !== undefined && ours.sha256 === theirs?.sha256;
      return [name, { equal, rows: ours?.rows ?? 0, rowsExpected: theirs?.rows ?? 0 }];
    }),
  );
  const equal = Object.values(tables).every((table) => table.equal);
  return { position, equal, tables };
}
