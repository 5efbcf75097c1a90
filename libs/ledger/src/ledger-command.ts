import type { CommandDefinition } from './command-definition.js';
import type { LedgerCommandType } from './command-type.js';
import { type ChangeAccount, changeAccount } from './commands/change-account.js';
import {
  type ChangeTransferMetadata,
  changeTransferMetadata,
} from './commands/change-transfer-metadata.js';
import { type OpenAccount, openAccount } from './commands/open-account.js';
import { type OpenLedger, openLedger } from './commands/open-ledger.js';
import { type PostTransfer, postTransfer } from './commands/post-transfer.js';
import { type RegisterAsset, registerAsset } from './commands/register-asset.js';
import { type SetAccountStatus, setAccountStatus } from './commands/set-account-status.js';

/** What can be asked of a ledger. `type` is one of `LEDGER_COMMAND_TYPES`. */
export type LedgerCommand =
  | OpenLedger
  | RegisterAsset
  | OpenAccount
  | ChangeAccount
  | SetAccountStatus
  | PostTransfer
  | ChangeTransferMetadata;

const definitions: {
  readonly [Type in LedgerCommandType]: CommandDefinition<Extract<LedgerCommand, { type: Type }>>;
} = {
  OpenLedger: openLedger,
  RegisterAsset: registerAsset,
  OpenAccount: openAccount,
  ChangeAccount: changeAccount,
  SetAccountStatus: setAccountStatus,
  PostTransfer: postTransfer,
  ChangeTransferMetadata: changeTransferMetadata,
};

/** The definition of the commands of one type, which the compiler cannot tell from the others. */
export function definitionOf(type: LedgerCommandType): CommandDefinition<LedgerCommand> {
  return definitions[type] as CommandDefinition<LedgerCommand>;
}
