import { describeQueries } from './testing/queries.contract.js';
import { TestLedgerService } from './testing/ledger-service.js';

describeQueries('a read model in SQLite', () => TestLedgerService.start());
