export { type Answer, type Answerable, answerOf } from './answer.js';
export { COUNTER_LIMIT } from './balance.js';
export { LEDGER_COMMAND_TYPES, type LedgerCommandType } from './command-type.js';
export { DEFAULT_FLOOR, type OpenAccount } from './commands/open-account.js';
export type { PostTransfer, PostTransferLeg } from './commands/post-transfer.js';
export {
  type CompactableEvent,
  type CompactionPresent,
  type DispensableReason,
  dispensableAs,
} from './compaction.js';
export { decide } from './decide.js';
export { evolve } from './evolve.js';
export {
  ACCOUNT_ID_CHARACTERS_MAX,
  ACCOUNT_STATUSES,
  AMOUNT_DIGITS_MAX,
  ASSET_SCALE_MAX,
  type AccountStatus,
  LEDGER_NAME_CHARACTERS_MAX,
  LEGS_MAX,
  LEGS_MIN,
  METADATA_KEYS_MAX,
  METADATA_KEY_CHARACTERS_MAX,
  METADATA_VALUE_CHARACTERS_MAX,
  type Metadata,
  type MetadataPatch,
  REFERENCE_CHARACTERS_MAX,
  SIDES,
  type Side,
  accountIdRule,
  accountStatusRule,
  amountRule,
  assetRule,
  instantMillis,
  instantRule,
  instantText,
  ledgerRule,
  limitRule,
  metadataKeyRule,
  metadataValueRule,
  referenceRule,
  scaleRule,
  sideRule,
  uuidRule,
  versionRule,
} from './fields.js';
export type { LedgerCommand } from './ledger-command.js';
export { ledgerModel } from './ledger-model.js';
export { LEDGER_STATE } from './ledger-state-version.js';
export {
  type AccountEntry,
  type AssetEntry,
  type LedgerEntry,
  type TransferEntry,
  ledgerSections,
  stateKeys,
} from './ledger-state.js';
export { type AdmittedEvents, LedgerView } from './ledger-view.js';
export {
  type AccountData,
  type AccountOpened,
  type AccountPolicyChanged,
  type AccountStatusChanged,
  type AssetRegistered,
  type CommandRejected,
  type CommandUnchanged,
  LEDGER_SCHEMA_VERSION,
  type LedgerEvent,
  type LedgerEventData,
  type LedgerEventType,
  type LedgerOpened,
  type MetadataChanged,
  type PostedBalance,
  type RecordedLedgerEvent,
  type TransferLeg,
  type TransferPosted,
} from './ledger.events.js';
export { malformationOf } from './malformation.js';
export { streams, tags } from './names.js';
export { ACCOUNT_ROW_EVENTS, type AccountRow, accountRowOf } from './projections/account-row.js';
export { ASSET_ROW_EVENTS, type AssetRow, assetRowOf } from './projections/asset-row.js';
export { BALANCE_ROW_EVENTS, type BalanceRow, balanceRowsOf } from './projections/balance-row.js';
export { LEDGER_ROW_EVENTS, type LedgerRow, ledgerRowOf } from './projections/ledger-row.js';
export {
  PUBLIC_EVENT_TYPES,
  PUBLIC_FACTS,
  type PublicBalance,
  type PublicEvent,
  type PublicEventData,
  publicEventOf,
} from './projections/public-event.js';
export {
  STATEMENT_LINE_EVENTS,
  type StatementLineRow,
  statementLinesOf,
} from './projections/statement-line.js';
export {
  TRANSFER_ROW_EVENTS,
  type TransferMetadataRow,
  type TransferRow,
  transferMetadataRowOf,
  transferRowOf,
} from './projections/transfer-row.js';
export {
  TRIAL_BALANCE_EVENTS,
  type TrialBalanceRow,
  addTrialBalance,
  trialBalanceChangesOf,
} from './projections/trial-balance-row.js';
export { ledgerEventOf, ledgerEventSchemas } from './recorded-event.js';
export type { ProblemType, Rejection, RejectionParameters } from './rejections.js';
export {
  type AccountResource,
  type AssetResource,
  type LedgerResource,
  type TransferLegResource,
  type TransferMetadataResource,
  type TransferResource,
  accountResource,
  legResources,
  transferResource,
} from './resources.js';
