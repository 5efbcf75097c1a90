import Database from 'better-sqlite3';
import { deepStrictEqual } from 'node:assert';
import type { Elsewhere } from '@holdfast/commands';
import type { JsonObject, Position, RecordedEvent, StreamVersion } from '@holdfast/event-store';
import { SqliteStatements } from '@holdfast/projections';
import { canonicalJson } from '../http/canonical-json.js';
import type { Feature } from '../feature/feature.js';
import type { SqliteProjection } from '../feature/projection.js';
import { type Fold, comparePinned, stateFolds } from './folds.js';

/** What a projection has made. */
export interface ProjectedTables {
  readonly rows: (sql: string) => object[];
  /** Throws the `AssertionError` of Node. */
  readonly expectRows: (sql: string, expected: readonly object[]) => void;
}

/** Events through folds, without log, host or wait. */
export interface GivenEvents {
  /** Into tables in memory. */
  readonly project: (projection: SqliteProjection) => Promise<ProjectedTables>;
  /**
   * Fails when a decider, lookup or projection of the feature makes something else of these events than before, under the same version: a service would go on with
   * the state and the rows that it has. What each version makes stands in the file as a hash. A new version adds an entry; commit the file, and let the entries of
   * versions that were in use be.
   *
   * Throws the `AssertionError` of Node, also where a type of event is not among the events.
   */
  readonly expectFolds: (feature: Feature, file: string | URL) => Promise<void>;
}

/** `givenEvents(room.on('blue', …)).project(calendar)`, or `.expectFolds(bookings, new URL('folds.json', import.meta.url))`. */
export function givenEvents(...events: readonly Elsewhere[]): GivenEvents {
  const recorded = recordedAs(events);
  return {
    async project(projection) {
      const database = await projected(projection, recorded);
      // Copies: what a native module makes may have prototypes of another realm, where a test runner has several.
      const rows = (sql: string) =>
        Array.from(database.prepare<[], object>(sql).all(), (row) => ({ ...row }));
      return { rows, expectRows: (sql, expected) => deepStrictEqual(rows(sql), expected) };
    },
    async expectFolds(feature, file) {
      const folds: Fold[] = stateFolds(feature, recorded);
      for (const projection of feature.projections ?? []) {
        const { name, version, handles } = projection;
        const made = rowsOf(await projected(projection, recorded));
        folds.push({ name, version, eventVersions: '', types: handles, made });
      }
      comparePinned(folds, recorded, file);
    },
  };
}

async function projected(
  projection: SqliteProjection,
  events: readonly RecordedEvent[],
): Promise<Database.Database> {
  const database = new Database(':memory:');
  for (const statement of projection.tables) database.exec(statement);
  const handled = events.filter(({ type }) => projection.handles.includes(type));
  const statements = new SqliteStatements(database);
  await projection.apply(handled, statements);
  statements.closeIterators();
  return database;
}

/** Of each table, in any order. */
function rowsOf(database: Database.Database): object {
  const names = database
    .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all();
  const rows = names.map(({ name }) => {
    const statement = database.prepare(`SELECT * FROM "${name}"`).safeIntegers();
    const texts = statement.all().map((row) => canonicalJson(valuesOf(row as object)));
    return [name, texts.sort()] as const;
  });
  return Object.fromEntries(rows);
}

function valuesOf(row: object): object {
  const values = Object.entries(row).map(([column, value]: [string, unknown]) => {
    if (Buffer.isBuffer(value)) return [column, value.toString('hex')];
    return [column, typeof value === 'bigint' ? String(value) : value];
  });
  return Object.fromEntries(values) as object;
}

function recordedAs(events: readonly Elsewhere[]): RecordedEvent[] {
  const versions = new Map<string, number>();
  return events.map(({ elsewhere, id, fact }, at) => {
    const stream = `${elsewhere.name}/${id}`;
    const version = (versions.get(stream) ?? 0) + 1;
    versions.set(stream, version);
    return {
      position: (at + 1) as Position,
      ...{ stream, version: version as StreamVersion },
      id: `00000000-0000-7000-8000-${String(at + 1).padStart(12, '0')}`,
      type: fact.type,
      schemaVersion: elsewhere.schemas?.[fact.type]?.version ?? 1,
      recordedAtMillis: at,
      ...{ tags: [], metadata: {}, endsCommit: true },
      // As it would be read: what is no JSON is lost.
      data: JSON.parse(JSON.stringify(fact.data)) as JsonObject,
    };
  });
}
