import type { EventSource, Position } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeedCursor } from './event-feed.js';
import { feedDiverged } from './feed.errors.js';
import type { SqlProjection } from './projection.js';
import { notReady } from './read-model.errors.js';
import type { ReadModelDigest, ReadModelStore } from './read-model-store.js';
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

export interface CompareReadModelOptions {
  /** The log, archive included: it must still have its beginning. */
  readonly source: EventSource;
  /** What is verified. Only read. */
  readonly store: ReadModelStore<unknown>;
  /** An empty one in a database of the same kind, which is filled. */
  readonly scratch: () => Promise<ReadModelStore<unknown>>;
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly signal: AbortSignal;
}

/** As `verifyReadModel`, wherever the read model is. Whoever calls closes both, and removes what was made. */
export async function compareReadModel({
  source,
  store,
  scratch,
  ...told
}: CompareReadModelOptions): Promise<ReadModelVerification | undefined> {
  const { found, leftOut } = await digestIn(store);
  const { cursor } = found;
  if (cursor === undefined) return { position: 0 as Position, equal: true, tables: {} };
  assertOfThisLog(cursor, source);
  const made = await make(await scratch(), cursor.position, leftOut, { source, ...told });
  if (made === undefined) return undefined;
  const verification = compare(cursor.position, found, made);
  return leftOut.size === 0 ? verification : { ...verification, leftOut: leftOut.size };
}

/**
 * Makes the read model a second time, from the log alone and up to the very position of the one that queries see, and compares the two row by row. The
 * log and the read model may move on meanwhile. What the quarantine keeps from the one is kept from the other. Undefined when the signal fired first. Throws `READ_MODEL_NOT_READY`, `FEED_DIVERGED`,
 * `FEED_COMPACTED`, and what reading the log throws.
 */
export async function verifyReadModel(
  options: VerifyReadModelOptions,
): Promise<ReadModelVerification | undefined> {
  const { directory, projection, scratchDirectory, ...told } = options;
  // To open a catalog that is not there would be to make it.
  if (!existsSync(catalogPath(directory, projection.name))) throw notReady(projection);
  const store = SqliteReadModelStore.open({ directory, projection });
  let made: { readonly store: SqliteReadModelStore; readonly directory: string } | undefined;
  try {
    const scratch = async () => {
      const within = await mkdtemp(join(scratchDirectory, 'holdfast-verify-'));
      made = {
        directory: within,
        store: SqliteReadModelStore.open({ directory: within, projection }),
      };
      return made.store;
    };
    return await compareReadModel({ ...told, store, scratch });
  } finally {
    await store.close();
    await made?.store.close();
    if (made !== undefined) await rm(made.directory, { recursive: true, force: true });
  }
}

function assertOfThisLog(cursor: FeedCursor, source: EventSource): void {
  if (cursor.logId !== source.logId) throw feedDiverged(cursor, { foundLogId: source.logId });
  const foundTimeline = source.timelineAt(cursor.position);
  if (cursor.position > 0 && foundTimeline !== cursor.timeline)
    throw feedDiverged(cursor, { foundTimeline });
}

async function make(
  store: ReadModelStore<unknown>,
  position: Position,
  leftOut: ReadonlySet<Position>,
  { source, onProgress, signal }: Pick<VerifyReadModelOptions, 'source' | 'onProgress' | 'signal'>,
): Promise<ReadModelDigest | undefined> {
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
  }
}

async function digestIn(
  store: ReadModelStore<unknown>,
): Promise<{ readonly found: ReadModelDigest; readonly leftOut: ReadonlySet<Position> }> {
  for (;;) {
    const before = await leftOutOf(store);
    const found = await store.digest();
    const leftOut = await leftOutOf(store);
    // What a worker releases meanwhile is in the rows, or is not.
    if ([...before].join() === [...leftOut].join()) return { found, leftOut };
  }
}

async function leftOutOf({
  projection,
  quarantine,
}: ReadModelStore<unknown>): Promise<ReadonlySet<Position>> {
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
