import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestLedgerService, readModelIn } from './testing/ledger-service.js';
import { describePaging } from './testing/paging.contract.js';

describePaging('a read model in SQLite', () => TestLedgerService.start());

describe('every query of SQLite', () => {
  let service: TestLedgerService;

  beforeAll(async () => {
    service = await TestLedgerService.start();
    service.follow();
    const { headers } = await service.command('PUT', '/v1/ledgers/main');
    const token = headers.get('holdfast-position') ?? '';
    await service.get(`/v1/ledgers?minPosition=${token}`);
  });
  afterAll(() => service.stopAndRemove());

  it('finds its rows through an index, in their order', () => {
    const plans = readModelIn(service.place).read((snapshot) =>
      [
        `SELECT effective_at, position FROM transfers INDEXED BY transfers_by_time
         WHERE ledger_key = 1 AND (effective_at, position) > (5, 5) AND effective_at < 9 ORDER BY effective_at, position`,
        `SELECT effective_at, position FROM transfer_metadata
         WHERE ledger_key = 1 AND key = 'a' AND value = 'b' AND (effective_at, position) < (5, 5) AND effective_at >= 1
         ORDER BY effective_at DESC, position DESC`,
        `SELECT effective_at, position FROM statement_lines INDEXED BY transfers_by_account
         WHERE account_key = 1 AND line = 0 AND (effective_at, position) > (5, 5) AND effective_at < 9
         ORDER BY effective_at, position`,
        `SELECT entry_version, transfer_id FROM statement_lines l CROSS JOIN transfers USING (position)
         WHERE account_key = 1 AND (entry_version, line) > (5, 5) ORDER BY entry_version, line LIMIT 5`,
        `SELECT account_id FROM accounts WHERE ledger_key = 1 AND account_id > 'a' ORDER BY account_id LIMIT 5`,
      ].map((sql) =>
        snapshot
          .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all()
          .map(({ detail }) => detail),
      ),
    );
    for (const steps of plans) {
      expect(steps.every((step) => step.startsWith('SEARCH'))).toBe(true);
      expect(steps.join()).not.toContain('TEMP B-TREE');
    }
    expect(plans.slice(0, 3).every(([step]) => /effective_at[><]/.test(step ?? ''))).toBe(true);
  });
});
