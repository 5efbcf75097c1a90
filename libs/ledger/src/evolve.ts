import type { RecordedEvent, StateStore } from '@holdfast/event-store';
import { assert, defined } from '@holdfast/kernel';
import { type AccountEntry, ledgerSections, stateKeys } from './ledger-state.js';
import type {
  AccountData,
  MetadataChanged,
  PostedBalance,
  TransferPosted,
} from './ledger.events.js';
import { isEmpty } from './metadata.js';
import { ledgerEventOf } from './recorded-event.js';

type PositionedTransfer = Pick<RecordedEvent, 'position'> & { readonly data: TransferPosted };

/**
 * Applies one event to the state, in log order. Deterministic: the state is a function of the events up to it, and replaying
 * them gives the same again. It copies what the event says and computes nothing, so a later program that decides
 * otherwise still replays the past as it was. Throws `LEDGER_EVENT_UNKNOWN`; a failed assertion means that the
 * state and the log are not of one history.
 */
export function evolve(recorded: RecordedEvent, state: StateStore): void {
  const event = ledgerEventOf(recorded);
  const { position } = event;
  switch (event.type) {
    case 'LedgerOpened':
      ledgerSections.ledgers(state).set(event.data.ledger, { position });
      return;
    case 'AssetRegistered': {
      const { ledger, asset, scale } = event.data;
      ledgerSections.assets(state).set(stateKeys.ofAsset(ledger, asset), { scale, position });
      return;
    }
    case 'AccountOpened':
    case 'AccountPolicyChanged':
    case 'AccountStatusChanged':
      setAccount(event.data.ledger, event.data.account, state);
      return;
    case 'TransferPosted':
      postTransfer(event, state);
      return;
    case 'MetadataChanged':
      changeMetadata(event.data, state);
      return;
    case 'CommandRejected':
    case 'CommandUnchanged':
      return;
  }
}

function setAccount(ledger: string, data: AccountData, state: StateStore): void {
  const accounts = ledgerSections.accounts(state);
  const key = stateKeys.ofAccount(ledger, data.accountId);
  const before = accounts.get(key);
  // Each version is one of the account's stream, where the index finds gaps that compaction has not made.
  assert(data.version > (before?.version ?? 0), `account versions of ${key} go up`);
  accounts.set(key, {
    asset: data.asset,
    normalSide: data.normalSide,
    floor: data.floor,
    ceiling: data.ceiling,
    status: data.status,
    version: data.version,
    entryVersion: before?.entryVersion ?? 0,
    debitsPosted: before?.debitsPosted ?? '0',
    creditsPosted: before?.creditsPosted ?? '0',
    debitsPending: before?.debitsPending ?? '0',
    creditsPending: before?.creditsPending ?? '0',
    openedAt: data.openedAt,
  });
  const metadata = ledgerSections.accountMetadata(state);
  if (isEmpty(data.metadata)) metadata.delete(key);
  else metadata.set(key, data.metadata);
}

function postTransfer({ position, data }: PositionedTransfer, state: StateStore): void {
  const { ledger, transferId, reference, balances, metadata } = data;
  const accounts = ledgerSections.accounts(state);
  for (const balance of balances) {
    const key = stateKeys.ofAccount(ledger, balance.accountId);
    const before = defined(accounts.get(key), `account ${key}`);
    // Also what makes a lost or doubled event loud on replay instead of a wrong balance.
    assert(
      balance.entryVersion === before.entryVersion + 1,
      `entry versions of ${key} have no gap`,
    );
    accounts.set(key, withBalance(before, balance));
  }
  if (reference !== undefined)
    ledgerSections.references(state).set(stateKeys.ofReference(ledger, reference), transferId);
  ledgerSections
    .transfers(state)
    .set(
      stateKeys.ofTransfer(ledger, transferId),
      metadata === undefined ? { position, version: 1 } : { position, version: 1, metadata },
    );
}

/** Written out, because a spread of twelve members costs more than all else here. */
function withBalance(account: AccountEntry, balance: PostedBalance): AccountEntry {
  return {
    asset: account.asset,
    normalSide: account.normalSide,
    floor: account.floor,
    ceiling: account.ceiling,
    status: account.status,
    version: account.version,
    entryVersion: balance.entryVersion,
    debitsPosted: balance.debitsPosted,
    creditsPosted: balance.creditsPosted,
    debitsPending: balance.debitsPending ?? '0',
    creditsPending: balance.creditsPending ?? '0',
    openedAt: account.openedAt,
  };
}

function changeMetadata(data: MetadataChanged, state: StateStore): void {
  if (data.subject === 'account') {
    setAccount(data.ledger, data.account, state);
    return;
  }
  const transfers = ledgerSections.transfers(state);
  const key = stateKeys.ofTransfer(data.ledger, data.transferId);
  const { position, version } = defined(transfers.get(key), `transfer ${key}`);
  assert(data.version > version, `versions of transfer ${key} go up`);
  const { metadata } = data;
  transfers.set(
    key,
    isEmpty(metadata)
      ? { position, version: data.version }
      : { position, version: data.version, metadata },
  );
}
