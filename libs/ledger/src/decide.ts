import type { CommandContext } from '@holdfast/commands';
import { changeAccount } from './commands/change-account.js';
import { changeTransferMetadata } from './commands/change-transfer-metadata.js';
import { openAccount } from './commands/open-account.js';
import { openLedger } from './commands/open-ledger.js';
import { postTransfer } from './commands/post-transfer.js';
import { registerAsset } from './commands/register-asset.js';
import { setAccountStatus } from './commands/set-account-status.js';
import type { LedgerCommand } from './ledger-command.js';
import type { LedgerView } from './ledger-view.js';
import { type Verdict, refuse } from './verdict.js';

/** The rules: what they say of a well-formed command whose key is new. Pure. */
export function decide(command: LedgerCommand, context: CommandContext, view: LedgerView): Verdict {
  const { ledger } = command;
  if (command.type !== 'OpenLedger' && view.ledger(ledger) === undefined)
    // Its refusals have no stream, and whoever names many ledgers fills nothing.
    return { ...refuse('ledger-not-found', { ledger }), recorded: false };
  switch (command.type) {
    case 'OpenLedger':
      return openLedger(command, context, view);
    case 'RegisterAsset':
      return registerAsset(command, context, view);
    case 'OpenAccount':
      return openAccount(command, context, view);
    case 'ChangeAccount':
      return changeAccount(command, view);
    case 'SetAccountStatus':
      return setAccountStatus(command, view);
    case 'PostTransfer':
      return postTransfer(command, context, view);
    case 'ChangeTransferMetadata':
      return changeTransferMetadata(command, view);
  }
}
