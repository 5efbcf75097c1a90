import type { ChangeAccount } from './commands/change-account.js';
import type { ChangeTransferMetadata } from './commands/change-transfer-metadata.js';
import type { OpenAccount } from './commands/open-account.js';
import type { OpenLedger } from './commands/open-ledger.js';
import type { PostTransfer } from './commands/post-transfer.js';
import type { RegisterAsset } from './commands/register-asset.js';
import type { SetAccountStatus } from './commands/set-account-status.js';

/** What can be asked of a ledger. `type` is one of `LEDGER_COMMAND_TYPES`. */
export type LedgerCommand =
  | OpenLedger
  | RegisterAsset
  | OpenAccount
  | ChangeAccount
  | SetAccountStatus
  | PostTransfer
  | ChangeTransferMetadata;
