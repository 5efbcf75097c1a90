/** For a thread that only follows a log into a read model. Loads what that needs, and nothing else. */
export { ACCOUNT_ROW_EVENTS, accountRowOf } from '../projections/account-row.js';
export { ASSET_ROW_EVENTS, assetRowOf } from '../projections/asset-row.js';
export { BALANCE_ROW_EVENTS, balanceRowsOf } from '../projections/balance-row.js';
export { LEDGER_ROW_EVENTS, ledgerRowOf } from '../projections/ledger-row.js';
export { STATEMENT_LINE_EVENTS, statementLinesOf } from '../projections/statement-line.js';
export {
  TRANSFER_ROW_EVENTS,
  transferMetadataRowOf,
  transferRowOf,
} from '../projections/transfer-row.js';
export {
  TRIAL_BALANCE_EVENTS,
  addTrialBalance,
  trialBalanceChangesOf,
} from '../projections/trial-balance-row.js';
export { ledgerEventOf, ledgerEventSchemas } from '../recorded-event.js';
