import type { RecordedEvent } from '@holdfast/event-store';
import { availableOf, balanceOf, countersOf } from '../balance.js';
import type { LedgerCommandType } from '../command-type.js';
import { type Side, instantText } from '../fields.js';
import type { LedgerEventType, PostedBalance, RecordedLedgerEvent } from '../ledger.events.js';
import { ledgerEventOf } from '../recorded-event.js';
import {
  type AccountResource,
  type AssetResource,
  type LedgerResource,
  type TransferMetadataResource,
  type TransferResource,
  accountResource,
  assetResource,
  ledgerResource,
  transferResource,
} from '../resources.js';

/**
 * A ledger's event as clients see it, wherever it leaves the service: docs/guides/follow-events.md. A public format: names and meanings stay, members are added
 * at the end. Resources are those of the REST answers; amounts are texts.
 */
export type PublicEvent = {
  readonly [Type in LedgerEventType]: {
    readonly type: Type;
    readonly ledger: string;
    readonly recordedAt: string;
    readonly data: PublicEventData[Type];
  };
}[LedgerEventType];

export type PublicEventData = {
  readonly LedgerOpened: LedgerResource;
  readonly AssetRegistered: AssetResource;
  readonly AccountOpened: AccountResource;
  readonly AccountPolicyChanged: AccountResource;
  readonly AccountStatusChanged: AccountResource;
  readonly TransferPosted: TransferResource & { readonly balances: readonly PublicBalance[] };
  readonly MetadataChanged:
    | { readonly subject: 'account'; readonly account: AccountResource }
    | { readonly subject: 'transfer'; readonly transfer: TransferMetadataResource };
  readonly CommandRejected: {
    readonly command: LedgerCommandType;
    readonly problem: string;
    readonly parameters: object;
  };
  readonly CommandUnchanged:
    | { readonly command: 'OpenLedger'; readonly resource: LedgerResource }
    | { readonly command: 'RegisterAsset'; readonly resource: AssetResource };
};

/** What an account holds once the whole transfer is posted. */
export type PublicBalance = {
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
  readonly balance: string;
  readonly available: string;
  readonly posted: { readonly debits: string; readonly credits: string };
  readonly pending: { readonly debits: string; readonly credits: string };
  readonly entryVersion: number;
};

/** What happened to the books. */
export const PUBLIC_FACTS = [
  'LedgerOpened',
  'AssetRegistered',
  'AccountOpened',
  'AccountPolicyChanged',
  'AccountStatusChanged',
  'TransferPosted',
  'MetadataChanged',
] as const satisfies readonly LedgerEventType[];

/** Those, and what commands came to that changed nothing: of use to who watches commands, and gone once compaction has removed it. */
export const PUBLIC_EVENT_TYPES = [
  ...PUBLIC_FACTS,
  'CommandRejected',
  'CommandUnchanged',
] as const satisfies readonly LedgerEventType[];

/** A pure function: an event looks the same whenever it is read. Throws `LEDGER_EVENT_UNKNOWN`. */
export function publicEventOf(recorded: RecordedEvent): PublicEvent {
  const event = ledgerEventOf(recorded);
  const recordedAt = instantText(event.recordedAtMillis);
  const shown = { type: event.type, ledger: event.data.ledger, recordedAt, data: dataOf(event) };
  return shown as PublicEvent;
}

function dataOf(event: RecordedLedgerEvent): PublicEventData[LedgerEventType] {
  switch (event.type) {
    case 'LedgerOpened':
      return ledgerResource(event.data);
    case 'AssetRegistered':
      return assetResource(event.data);
    case 'AccountOpened':
    case 'AccountPolicyChanged':
    case 'AccountStatusChanged':
      return accountResource(event.data.ledger, event.data.account);
    case 'TransferPosted': {
      const balances = event.data.balances.map(publicBalance);
      return { ...transferResource(event.data, event.recordedAtMillis), balances };
    }
    case 'MetadataChanged':
      return metadataData(event.data);
    case 'CommandRejected': {
      const { command, problem, parameters } = event.data;
      return { command, problem, parameters };
    }
    case 'CommandUnchanged':
      return event.data.command === 'OpenLedger'
        ? { command: event.data.command, resource: ledgerResource(event.data) }
        : { command: event.data.command, resource: assetResource(event.data) };
  }
}

function metadataData(
  data: Extract<RecordedLedgerEvent, { readonly type: 'MetadataChanged' }>['data'],
): PublicEventData['MetadataChanged'] {
  if (data.subject === 'account')
    return { subject: 'account', account: accountResource(data.ledger, data.account) };
  const { ledger, transferId, metadata, version } = data;
  return { subject: 'transfer', transfer: { ledger, transferId, metadata, version } };
}

function publicBalance(posted: PostedBalance): PublicBalance {
  const { accountId, asset, normalSide, debitsPosted, creditsPosted, entryVersion } = posted;
  const { debitsPending = '0', creditsPending = '0' } = posted;
  const counters = countersOf(posted);
  return {
    ...{ accountId, asset, normalSide },
    balance: String(balanceOf(normalSide, counters)),
    available: String(availableOf(normalSide, counters)),
    posted: { debits: debitsPosted, credits: creditsPosted },
    pending: { debits: debitsPending, credits: creditsPending },
    entryVersion,
  };
}
