export {
  type Attempt,
  TEST_LEDGER,
  amounts,
  attempts,
  histories,
  ledgerCommands,
  postTransfers,
  worldSetUp,
} from './arbitraries.js';
export { FrozenStateStore } from './frozen-state-store.js';
export { type Circumstances, TEST_START_MILLIS, TestBooks, commandId } from './test-books.js';
