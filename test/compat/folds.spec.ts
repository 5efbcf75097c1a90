import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '@holdfast/event-store';
import { LEDGER_STATE, evolve, ledgerEventSchemas } from '@holdfast/ledger';
import { FrozenStateStore } from '@holdfast/ledger/testing';
import { ledgerProjection } from '@holdfast/ledger-service';
import Database from 'better-sqlite3';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/*
 * What the ledger makes of events that are once and for all in a file, by the version that it gives to it. A fold that makes something else of them under the
 * same version would go on with what an earlier program left behind: raise `stateVersion` or the projection's `version`, and add what is made now to
 * folds.json. An entry of a released version never changes.
 */
const FOLDER = 'test/compat/folds';
const events = readFileSync(`${FOLDER}/events.ndjson`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as RecordedEvent);
const folds = JSON.parse(readFileSync(`${FOLDER}/folds.json`, 'utf8')) as Readonly<
  Record<'state' | 'tables' | 'rows', Readonly<Record<string, string>>>
>;

const digestOf = (made: unknown) => hash('sha256', JSON.stringify(made));
const sorted = (made: Readonly<Record<string, unknown>>) =>
  Object.entries(made).sort(([one], [other]) => (one < other ? -1 : 1));

it('has every event that the ledger writes, as it is written now', () => {
  const written = new Set(events.map(({ type, schemaVersion }) => `${type}@${schemaVersion}`));
  for (const { type, schemaVersion } of ledgerEventSchemas)
    expect(written).toContain(`${type}@${schemaVersion}`);
});

it('folds them into the state that its version stands for', () => {
  const store = new FrozenStateStore();
  for (const event of events) evolve(event, store);
  expect(folds.state).toMatchObject({
    [LEDGER_STATE.stateVersion]: digestOf(sorted(store.image())),
  });
});

describe.each([ledgerProjection])('projection $name, version $version', (projection) => {
  const version = `${projection.name}-${projection.version}`;
  let database: Database.Database;

  beforeAll(() => {
    database = new Database(':memory:');
    for (const statement of projection.tables) database.exec(statement);
  });
  afterAll(() => void database.close());

  it('has the tables that its version stands for', () => {
    expect(folds.tables).toMatchObject({ [version]: digestOf(projection.tables) });
  });

  it('fills them as its version says', async () => {
    await projection.apply(
      events.filter(({ type }) => projection.handles.includes(type)),
      database,
    );
    const names = database
      .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all();
    const rows = names.map(({ name }): [string, unknown] => [
      name,
      database
        .prepare(`SELECT * FROM ${name}`)
        .raw()
        .safeIntegers()
        .all()
        .map((row) =>
          (row as unknown[])
            .map((value) => (Buffer.isBuffer(value) ? value.toString('hex') : String(value)))
            .join(' '),
        )
        .sort(),
    ]);
    expect(folds.rows).toMatchObject({ [version]: digestOf(sorted(Object.fromEntries(rows))) });
  });
});
