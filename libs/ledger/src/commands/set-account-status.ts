import type { CommandContext, Malformed } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import { acceptChange, refuseChange } from '../account-change.js';
import { balanceOf, countersOf } from '../balance.js';
import { type AccountStatus, accountIdRule, accountStatusRule, versionRule } from '../fields.js';
import type { AccountEntry } from '../ledger-state.js';
import type { LedgerView } from '../ledger-view.js';
import { type Unchecked, required } from '../malformed.js';
import { type Refusal, type Verdict, refuse } from '../verdict.js';

/** `PUT /accounts/{id}/status`. Setting the status that it has is accepted, so that its key is used up. */
export interface SetAccountStatus {
  readonly type: 'SetAccountStatus';
  readonly ledger: string;
  readonly accountId: string;
  /** The account's `version`, from If-Match; required, because freezing what one has not seen is a mistake. */
  readonly expectedVersion: number;
  readonly status: AccountStatus;
}

export const setAccountStatus: CommandDefinition<SetAccountStatus> = {
  malformation,
  decide,
};

function malformation(command: Unchecked<SetAccountStatus>): Malformed | undefined {
  return (
    required(accountIdRule, 'accountId', command.accountId) ??
    required(versionRule, 'expectedVersion', command.expectedVersion) ??
    required(accountStatusRule, 'status', command.status)
  );
}

function decide(command: SetAccountStatus, _: CommandContext, view: LedgerView): Verdict {
  const { ledger, accountId, status } = command;
  const account = view.account(ledger, accountId);
  if (account === undefined) return refuse('account-not-found', { accountId });
  const refusal =
    refuseChange(accountId, account, command.expectedVersion) ??
    (status === 'closed' ? refuseClosing(accountId, account) : undefined);
  if (refusal !== undefined) return refusal;
  const metadata = view.accountMetadata(ledger, accountId);
  return acceptChange('AccountStatusChanged', command, account, metadata, { status });
}

function refuseClosing(accountId: string, account: AccountEntry): Refusal | undefined {
  const { debitsPending, creditsPending } = account;
  const balance = balanceOf(account.normalSide, countersOf(account));
  if (balance === 0n && debitsPending === '0' && creditsPending === '0') return undefined;
  return refuse('account-not-empty', {
    accountId,
    balance: String(balance),
    debitsPending,
    creditsPending,
  });
}
