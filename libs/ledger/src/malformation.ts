import { changeAccountMalformed } from './commands/change-account.js';
import { changeTransferMetadataMalformed } from './commands/change-transfer-metadata.js';
import { openAccountMalformed } from './commands/open-account.js';
import { postTransferMalformed } from './commands/post-transfer.js';
import { registerAssetMalformed } from './commands/register-asset.js';
import { setAccountStatusMalformed } from './commands/set-account-status.js';
import type { Malformed } from '@holdfast/commands';
import { ledgerRule } from './fields.js';
import type { LedgerCommandType } from './command-type.js';
import { isRecord, malformed, required } from './malformed.js';

type FieldsMalformed = (command: Readonly<Record<string, unknown>>) => Malformed | undefined;

/** The fields of each command that only it has. */
const fieldsMalformed: Readonly<Record<LedgerCommandType, FieldsMalformed>> = {
  OpenLedger: () => undefined,
  RegisterAsset: registerAssetMalformed,
  OpenAccount: openAccountMalformed,
  ChangeAccount: changeAccountMalformed,
  SetAccountStatus: setAccountStatusMalformed,
  PostTransfer: postTransferMalformed,
  ChangeTransferMetadata: changeTransferMetadataMalformed,
};

/**
 * The first field that breaks its grammar, or undefined: then the value is a `LedgerCommand`. Total over anything, so that a
 * bug in front of it is an answer and never a broken ledger. Fields it does not know are ignored, and never reach an event.
 */
export function malformationOf(command: unknown): Malformed | undefined {
  if (!isRecord(command)) return malformed('', 'must be an object');
  const { type } = command;
  if (typeof type !== 'string' || !Object.hasOwn(fieldsMalformed, type))
    return malformed('type', `must be one of ${Object.keys(fieldsMalformed).join(', ')}`);
  return (
    required(ledgerRule, 'ledger', command['ledger']) ??
    fieldsMalformed[type as LedgerCommandType](command)
  );
}
