import { ExitCode } from '@holdfast/platform';
import { expect, it, jest } from '@jest/globals';
import { LEDGER_EXIT_CODES } from '../shared/ledger-exit-codes.js';

const MODULE = './postgres/postgres-ledger.js';
const postgres = { url: 'postgres://user@127.0.0.1/books' };

function importFails(message: string): void {
  jest.resetModules();
  jest.unstable_mockModule(MODULE, () => {
    throw Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
  });
}

it('a program without the client of PostgreSQL says what to install, and ends as one that is configured wrongly', async () => {
  importFails(`Cannot find package 'pg' imported from /srv/postgres-session.js`);
  const { assertReadModelPlace, openLedgerStore } = await import('./read-model-place.js');
  const place = { readModelDirectory: 'nowhere', postgres };
  for (const refused of [assertReadModelPlace(place), openLedgerStore(place)])
    await expect(refused).rejects.toMatchObject({
      code: 'POSTGRES_CLIENT_MISSING',
      message: expect.stringContaining('npm install pg') as unknown,
    });
  expect(LEDGER_EXIT_CODES['POSTGRES_CLIENT_MISSING']).toBe(ExitCode.CONFIGURATION);
});

it('is not said of another file that is missing', async () => {
  importFails(`Cannot find module '/srv/postgres-ledger-writer.js'`);
  const { assertReadModelPlace } = await import('./read-model-place.js');
  await expect(assertReadModelPlace({ readModelDirectory: '', postgres })).rejects.toMatchObject({
    code: 'ERR_MODULE_NOT_FOUND',
  });
});

it('is SQLite where there is no URL, and loads nothing else', async () => {
  importFails(`Cannot find package 'pg'`);
  const { assertReadModelPlace, readModelPlace } = await import('./read-model-place.js');
  const place = readModelPlace({ readModelDirectory: 'data' }, { url: '', schema: 'holdfast' });
  expect([place.postgres, await assertReadModelPlace(place)]).toEqual([undefined, 'data']);
});
