import { describeFreshness } from './testing/freshness.contract.js';
import { TestLedgerService } from './testing/ledger-service.js';

describeFreshness('a read model in SQLite', (waitMillisMax) =>
  TestLedgerService.start(waitMillisMax),
);
