import type { CommandContext, Malformed } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import {
  type Metadata,
  type Side,
  accountIdRule,
  assetRule,
  instantText,
  limitRule,
  sideRule,
} from '../fields.js';
import type { LedgerView } from '../ledger-view.js';
import {
  type Unchecked,
  malformed,
  metadataMalformed,
  optional,
  optionalOrNull,
  required,
} from '../malformed.js';
import { streams, tags } from '../names.js';
import { type Verdict, accept, refuse } from '../verdict.js';

/** `POST /accounts`. */
export interface OpenAccount {
  readonly type: 'OpenAccount';
  readonly ledger: string;
  /** The command's id when left out. */
  readonly accountId?: string | undefined;
  readonly asset: string;
  readonly normalSide: Side;
  /** The lowest `available` a lowering may leave. "0" when left out; null = no floor. */
  readonly floor?: string | null | undefined;
  /** The highest posted balance a raising may leave. None (null) when left out. */
  readonly ceiling?: string | null | undefined;
  readonly metadata?: Metadata | undefined;
}

export const DEFAULT_FLOOR = '0';

export const openAccount: CommandDefinition<OpenAccount> = {
  malformation,
  decide,
};

function malformation(command: Unchecked<OpenAccount>): Malformed | undefined {
  return (
    optional(accountIdRule, 'accountId', command.accountId) ??
    required(assetRule, 'asset', command.asset) ??
    required(sideRule, 'normalSide', command.normalSide) ??
    optionalOrNull(limitRule, 'floor', command.floor) ??
    optionalOrNull(limitRule, 'ceiling', command.ceiling) ??
    limitsMalformed(command.floor, command.ceiling) ??
    metadataMalformed(command.metadata)
  );
}

/**
 * A floor above the ceiling, given in one breath, is a mistake. Set one after the other they are let be: such an
 * account may then only move towards both.
 */
export function limitsMalformed(floor: unknown, ceiling: unknown): Malformed | undefined {
  if (typeof floor !== 'string' || typeof ceiling !== 'string') return undefined;
  return BigInt(floor) > BigInt(ceiling)
    ? malformed('ceiling', 'must not be below floor')
    : undefined;
}

function decide(command: OpenAccount, context: CommandContext, view: LedgerView): Verdict {
  const { ledger, asset, normalSide, accountId = context.commandId } = command;
  if (view.asset(ledger, asset) === undefined) return refuse('asset-not-found', { asset });
  const there = view.account(ledger, accountId);
  if (there !== undefined)
    return refuse('account-exists', {
      accountId,
      asset: there.asset,
      normalSide: there.normalSide,
    });
  return accept({
    stream: streams.ofAccount(ledger, accountId),
    expectedVersion: 'no-stream',
    fact: {
      type: 'AccountOpened',
      data: {
        ledger,
        account: {
          accountId,
          asset,
          normalSide,
          floor: command.floor === undefined ? DEFAULT_FLOOR : command.floor,
          ceiling: command.ceiling ?? null,
          status: 'active',
          metadata: { ...command.metadata },
          version: 1,
          openedAt: instantText(context.nowMillis),
        },
      },
    },
    tags: [tags.ofAccount(ledger, accountId)],
  });
}
