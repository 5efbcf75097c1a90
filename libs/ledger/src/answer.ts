import type {
  CommandRejected,
  CommandUnchanged,
  LedgerEventData,
  LedgerEventType,
  MetadataChanged,
} from './ledger.events.js';
import type { Rejection } from './rejections.js';
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
} from './resources.js';

/** The answer to a command before it is HTTP. `created` tells 201 with a Location from 200; `version` is the ETag's. */
export type Answer =
  | { readonly kind: 'ledger'; readonly created: boolean; readonly body: LedgerResource }
  | { readonly kind: 'asset'; readonly created: boolean; readonly body: AssetResource }
  | { readonly kind: 'account'; readonly created: boolean; readonly body: AccountResource }
  | { readonly kind: 'transfer'; readonly created: true; readonly body: TransferResource }
  | {
      readonly kind: 'transfer-metadata';
      readonly created: false;
      readonly body: TransferMetadataResource;
    }
  | { readonly kind: 'rejection'; readonly rejection: Rejection };

/** What an answer is made of: a recorded event, or the event of a dry run with the time it would have got. */
export type Answerable = {
  readonly [Type in LedgerEventType]: {
    readonly type: Type;
    readonly data: LedgerEventData[Type];
    readonly recordedAtMillis: number;
  };
}[LedgerEventType];

/**
 * The answer to the command that made the event: a pure function of it, so that a repeated command gets it again byte for byte,
 * whatever has happened since. The members of each body stand in a fixed order for the same reason.
 */
export function answerOf(event: Answerable): Answer {
  switch (event.type) {
    case 'LedgerOpened':
      return { kind: 'ledger', created: true, body: ledgerResource(event.data) };
    case 'AssetRegistered':
      return { kind: 'asset', created: true, body: assetResource(event.data) };
    case 'AccountOpened':
      return {
        kind: 'account',
        created: true,
        body: accountResource(event.data.ledger, event.data.account),
      };
    case 'AccountPolicyChanged':
    case 'AccountStatusChanged':
      return {
        kind: 'account',
        created: false,
        body: accountResource(event.data.ledger, event.data.account),
      };
    case 'TransferPosted':
      return {
        kind: 'transfer',
        created: true,
        body: transferResource(event.data, event.recordedAtMillis),
      };
    case 'MetadataChanged':
      return metadataAnswer(event.data);
    case 'CommandUnchanged':
      return unchangedAnswer(event.data);
    case 'CommandRejected':
      return { kind: 'rejection', rejection: rejectionOf(event.data) };
  }
}

function metadataAnswer(data: MetadataChanged): Answer {
  if (data.subject === 'account')
    return { kind: 'account', created: false, body: accountResource(data.ledger, data.account) };
  const { ledger, transferId, metadata, version } = data;
  return {
    kind: 'transfer-metadata',
    created: false,
    body: { ledger, transferId, metadata, version },
  };
}

/** What found the thing there did not make it. */
function unchangedAnswer(data: CommandUnchanged): Answer {
  return data.command === 'OpenLedger'
    ? { kind: 'ledger', created: false, body: ledgerResource(data) }
    : { kind: 'asset', created: false, body: assetResource(data) };
}

function rejectionOf({ problem, parameters }: CommandRejected): Rejection {
  // Destructuring loses what the intersection knew: that these parameters are those of this problem.
  return { problem, parameters } as Rejection;
}
