import type { CommandContext, Malformed } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import { defined } from '@holdfast/kernel';
import {
  LEGS_MAX,
  LEGS_MIN,
  type Metadata,
  type Side,
  accountIdRule,
  amountRule,
  instantMillis,
  instantRule,
  instantText,
  referenceRule,
  sideRule,
  versionRule,
} from '../fields.js';
import type { LedgerView } from '../ledger-view.js';
import type { TransferPosted } from '../ledger.events.js';
import {
  type Unchecked,
  isRecord,
  malformed,
  metadataMalformed,
  optional,
  required,
} from '../malformed.js';
import { isEmpty } from '../metadata.js';
import { streams, tags } from '../names.js';
import {
  type Posting,
  balanceAfter,
  postingsOf,
  refusePosting,
  refuseUnbalanced,
} from '../posting.js';
import { type Refusal, type Verdict, accept, refuse } from '../verdict.js';

/** `POST /transfers`: 2 to 64 legs, balanced for each asset, all or nothing. Its id is the command's. */
export interface PostTransfer {
  readonly type: 'PostTransfer';
  readonly ledger: string;
  readonly legs: readonly PostTransferLeg[];
  /** The caller's own name for it, used once in a ledger. */
  readonly reference?: string | undefined;
  /** UTC, `2026-11-23T10:00:00.000Z`; the present when left out, never the future. */
  readonly effectiveAt?: string | undefined;
  readonly metadata?: Metadata | undefined;
}

export interface PostTransferLeg {
  readonly accountId: string;
  readonly side: Side;
  /** Minor units of the account's asset, 1–36 digits without a leading zero. */
  readonly amount: string;
  /** The account's `entryVersion` that the caller has seen. */
  readonly expectedVersion?: number | undefined;
}

export const postTransfer: CommandDefinition<PostTransfer> = {
  malformation,
  decide,
};

function malformation(command: Unchecked<PostTransfer>): Malformed | undefined {
  return (
    legsMalformed(command.legs) ??
    optional(referenceRule, 'reference', command.reference) ??
    optional(instantRule, 'effectiveAt', command.effectiveAt) ??
    metadataMalformed(command.metadata)
  );
}

function legsMalformed(legs: unknown): Malformed | undefined {
  if (!Array.isArray(legs) || legs.length < LEGS_MIN || legs.length > LEGS_MAX)
    return malformed('legs', `must be ${LEGS_MIN} to ${LEGS_MAX} legs`);
  for (let index = 0; index < legs.length; index++) {
    const leg: unknown = legs[index];
    if (!isRecord(leg)) return malformed(`legs[${index}]`, 'must be an object');
    const fault = legMalformed(leg);
    if (fault !== undefined) return malformed(`legs[${index}].${fault.field}`, fault.problem);
  }
  return undefined;
}

function legMalformed(leg: Unchecked<PostTransferLeg>): Malformed | undefined {
  return (
    required(accountIdRule, 'accountId', leg.accountId) ??
    required(sideRule, 'side', leg.side) ??
    required(amountRule, 'amount', leg.amount) ??
    optional(versionRule, 'expectedVersion', leg.expectedVersion)
  );
}

function decide(command: PostTransfer, context: CommandContext, view: LedgerView): Verdict {
  const { ledger, legs } = command;
  const postings = postingsOf(ledger, legs, view);
  if (!Array.isArray(postings)) return postings;
  const effectiveAt = effectiveAtOf(command, context);
  const refusal =
    refuseUnbalanced(postings) ??
    refuseFuture(effectiveAt, context) ??
    refuseReference(command, view) ??
    firstRefusal(postings);
  if (refusal !== undefined) return refusal;
  return accept({
    stream: streams.ofTransfer(ledger, context.commandId),
    expectedVersion: 'no-stream',
    fact: { type: 'TransferPosted', data: transferPosted(command, context, effectiveAt, postings) },
    tags: postings.map(({ accountId }) => tags.ofAccount(ledger, accountId)),
  });
}

function effectiveAtOf({ effectiveAt }: PostTransfer, context: CommandContext): number {
  if (effectiveAt === undefined) return presentOf(context);
  return defined(instantMillis(effectiveAt), 'the time that a checked text stands for');
}

/** The log's time may be ahead of the wall clock; then what it has not come to yet is still the future. */
function presentOf({ nowMillis, wallMillis = nowMillis }: CommandContext): number {
  return Math.min(nowMillis, wallMillis);
}

function refuseFuture(effectiveAt: number, context: CommandContext): Refusal | undefined {
  const present = presentOf(context);
  if (effectiveAt <= present) return undefined;
  return refuse('effective-in-future', {
    effectiveAt: instantText(effectiveAt),
    now: instantText(present),
  });
}

function refuseReference(
  { ledger, reference }: PostTransfer,
  view: LedgerView,
): Refusal | undefined {
  if (reference === undefined) return undefined;
  const transferId = view.reference(ledger, reference);
  return transferId === undefined
    ? undefined
    : refuse('reference-exists', { reference, transferId });
}

function firstRefusal(postings: readonly Posting[]): Refusal | undefined {
  for (const posting of postings) {
    const refusal = refusePosting(posting);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function transferPosted(
  { ledger, legs, reference, metadata }: PostTransfer,
  { commandId }: CommandContext,
  effectiveAt: number,
  postings: readonly Posting[],
): TransferPosted {
  const posted = {
    ledger,
    transferId: commandId,
    effectiveAt: instantText(effectiveAt),
    legs: legs.map(({ accountId, side, amount }) => ({ accountId, side, amount })),
    balances: postings.map(balanceAfter),
  };
  const named = reference === undefined ? posted : { ...posted, reference };
  const described = metadata !== undefined && !isEmpty(metadata);
  return described ? { ...named, metadata: { ...metadata } } : named;
}
