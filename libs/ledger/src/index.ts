export type { CommandContext, Idempotency } from './command-context.js';
export type { ChangeAccount } from './commands/change-account.js';
export type { ChangeTransferMetadata } from './commands/change-transfer-metadata.js';
export type { OpenAccount } from './commands/open-account.js';
export type { OpenLedger } from './commands/open-ledger.js';
export type { PostTransfer, PostTransferLeg } from './commands/post-transfer.js';
export type { RegisterAsset } from './commands/register-asset.js';
export type { SetAccountStatus } from './commands/set-account-status.js';
export type {
  Accepted,
  Decision,
  LedgerAppend,
  Malformed,
  Refused,
  Replayed,
  Unchanged,
} from './decision.js';
export type { AccountStatus, Metadata, MetadataPatch, Side } from './fields.js';
export type { LedgerCommand, LedgerCommandType } from './ledger-command.js';
export {
  LedgerView,
  type AccountEntry,
  type AssetEntry,
  type CommandKeyEntry,
  type LedgerEntry,
  type TransferEntry,
} from './ledger-view.js';
export {
  LEDGER_SCHEMA_VERSION,
  type AccountData,
  type AccountOpened,
  type AccountPolicyChanged,
  type AccountStatusChanged,
  type AssetRegistered,
  type CommandRejected,
  type LedgerEvent,
  type LedgerEventData,
  type LedgerEventMetadata,
  type LedgerEventType,
  type LedgerOpened,
  type MetadataChanged,
  type PostedBalance,
  type RecordedLedgerEvent,
  type TransferLeg,
  type TransferPosted,
} from './ledger.events.js';
export { streams, tags } from './names.js';
export type { ProblemType, Rejection, RejectionParameters } from './rejections.js';
