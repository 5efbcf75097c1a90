import type { StreamVersion } from '@holdfast/event-store';
import type { Metadata } from './fields.js';
import type { AccountData } from './ledger.events.js';
import type { AccountEntry } from './ledger-state.js';
import { streams, tags } from './names.js';
import { type Acceptance, type Fact, type Refusal, accept, refuse } from './verdict.js';

type AccountChangeType = 'AccountPolicyChanged' | 'AccountStatusChanged' | 'MetadataChanged';

/** What may differ after a change. */
export type AccountChange = Partial<Pick<AccountData, 'floor' | 'ceiling' | 'status' | 'metadata'>>;

/** Refuses a change of an account that its caller has not seen as it is, or that is closed for good. */
export function refuseChange(
  accountId: string,
  account: AccountEntry,
  expectedVersion: number | undefined,
): Refusal | undefined {
  if (expectedVersion !== undefined && expectedVersion !== account.version) {
    return refuse('version-mismatch', {
      resource: 'account',
      id: accountId,
      expectedVersion,
      actualVersion: account.version,
    });
  }
  return account.status === 'closed' ? refuse('account-closed', { accountId }) : undefined;
}

/** The event carries the account whole, because it is the answer to the command for ever. */
export function acceptChange(
  type: AccountChangeType,
  target: { readonly ledger: string; readonly accountId: string },
  account: AccountEntry,
  metadata: Metadata,
  change: AccountChange,
): Acceptance {
  const { ledger, accountId } = target;
  const changed: AccountData = {
    accountId,
    asset: account.asset,
    normalSide: account.normalSide,
    floor: account.floor,
    ceiling: account.ceiling,
    status: account.status,
    metadata,
    openedAt: account.openedAt,
    ...change,
    version: account.version + 1,
  };
  return accept({
    stream: streams.ofAccount(ledger, accountId),
    // The account's version counts exactly the events of its stream, so the log checks our state here.
    expectedVersion: account.version as StreamVersion,
    fact: factOf(type, ledger, changed),
    tags: [tags.ofAccount(ledger, accountId)],
  });
}

function factOf(type: AccountChangeType, ledger: string, account: AccountData): Fact {
  return type === 'MetadataChanged'
    ? { type, data: { ledger, subject: 'account', account } }
    : { type, data: { ledger, account } };
}
