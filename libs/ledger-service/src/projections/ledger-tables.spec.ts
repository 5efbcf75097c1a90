import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { ledgerProjection } from './ledger.projection.js';
import { LedgerTablesInMemory } from './testing/ledger-tables-in-memory.js';

it('makes the tables that this version has always had, byte for byte', () => {
  const recorded = new URL(
    `testing/ledger-tables-${ledgerProjection.version}.json`,
    import.meta.url,
  );
  const tables = new LedgerTablesInMemory();
  const definitions = tables
    .prepare<[], { sql: string }>('SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY rowid')
    .all();
  tables.close();
  expect(definitions.map(({ sql }) => sql)).toEqual(JSON.parse(readFileSync(recorded, 'utf8')));
});
