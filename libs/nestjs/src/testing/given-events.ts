import Database from 'better-sqlite3';
import { deepStrictEqual } from 'node:assert';
import type { Elsewhere } from '@holdfast/commands';
import type { JsonObject, Position, RecordedEvent, StreamVersion } from '@holdfast/event-store';
import type { SqliteTransaction } from '@holdfast/projections';
import type { SqliteProjection } from '../feature/projection.js';

/** What a projection has made. */
export interface ProjectedTables {
  readonly rows: (sql: string) => object[];
  /** Throws the `AssertionError` of Node. */
  readonly expectRows: (sql: string, expected: readonly object[]) => void;
}

/** Events through a projection into tables in memory, without log, host or wait: `givenEvents(room.on('blue', …)).project(calendar)`. */
export function givenEvents(...events: readonly Elsewhere[]) {
  return {
    async project(projection: SqliteProjection): Promise<ProjectedTables> {
      const database = new Database(':memory:');
      for (const statement of projection.tables) database.exec(statement);
      const transaction: SqliteTransaction = { prepare: (sql) => database.prepare(sql) as never };
      const recorded = recordedAs(events).filter(({ type }) => projection.handles.includes(type));
      await projection.apply(recorded, transaction);
      // Copies: what a native module makes may have prototypes of another realm, where a test runner has several.
      const rows = (sql: string) =>
        Array.from(database.prepare<[], object>(sql).all(), (row) => ({ ...row }));
      return { rows, expectRows: (sql, expected) => deepStrictEqual(rows(sql), expected) };
    },
  };
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
