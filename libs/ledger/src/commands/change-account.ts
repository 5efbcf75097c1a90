import type { CommandContext, Malformed } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import { type AccountChange, acceptChange, refuseChange } from '../account-change.js';
import { type MetadataPatch, accountIdRule, limitRule, versionRule } from '../fields.js';
import type { LedgerView } from '../ledger-view.js';
import {
  type Unchecked,
  malformed,
  metadataPatchMalformed,
  optional,
  optionalOrNull,
  required,
} from '../malformed.js';
import { patched, refuseMetadataKeys } from '../metadata.js';
import { type Verdict, refuse } from '../verdict.js';
import { limitsMalformed } from './open-account.js';

/** `PATCH /accounts/{id}`: what is left out stays. At least one of floor, ceiling and metadata is given. */
export interface ChangeAccount {
  readonly type: 'ChangeAccount';
  readonly ledger: string;
  readonly accountId: string;
  /** The account's `version`, from If-Match. */
  readonly expectedVersion?: number | undefined;
  readonly floor?: string | null | undefined;
  readonly ceiling?: string | null | undefined;
  readonly metadata?: MetadataPatch | undefined;
}

export const changeAccount: CommandDefinition<ChangeAccount> = {
  malformation,
  decide,
};

function malformation(command: Unchecked<ChangeAccount>): Malformed | undefined {
  const { floor, ceiling, metadata } = command;
  if (floor === undefined && ceiling === undefined && metadata === undefined)
    return malformed('floor', 'or ceiling or metadata must be given');
  return (
    required(accountIdRule, 'accountId', command.accountId) ??
    optional(versionRule, 'expectedVersion', command.expectedVersion) ??
    optionalOrNull(limitRule, 'floor', floor) ??
    optionalOrNull(limitRule, 'ceiling', ceiling) ??
    limitsMalformed(floor, ceiling) ??
    (metadata === undefined ? undefined : metadataPatchMalformed(metadata))
  );
}

function decide(command: ChangeAccount, _: CommandContext, view: LedgerView): Verdict {
  const { ledger, accountId, floor, ceiling } = command;
  const account = view.account(ledger, accountId);
  if (account === undefined) return refuse('account-not-found', { accountId });
  const refusal = refuseChange(accountId, account, command.expectedVersion);
  if (refusal !== undefined) return refusal;

  const metadata = patched(view.accountMetadata(ledger, accountId), command.metadata ?? {});
  const tooMany = refuseMetadataKeys(metadata);
  if (tooMany !== undefined) return tooMany;
  const policyGiven = floor !== undefined || ceiling !== undefined;
  const change: AccountChange = {
    floor: floor === undefined ? account.floor : floor,
    ceiling: ceiling === undefined ? account.ceiling : ceiling,
  };
  const type = policyGiven ? 'AccountPolicyChanged' : 'MetadataChanged';
  return acceptChange(type, command, account, metadata, change);
}
