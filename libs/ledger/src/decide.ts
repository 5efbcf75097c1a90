import { assert } from '@holdfast/kernel';
import type { CommandContext } from '@holdfast/commands';
import { changeAccount } from './commands/change-account.js';
import { changeTransferMetadata } from './commands/change-transfer-metadata.js';
import { openAccount } from './commands/open-account.js';
import { openLedger } from './commands/open-ledger.js';
import { postTransfer } from './commands/post-transfer.js';
import { registerAsset } from './commands/register-asset.js';
import { setAccountStatus } from './commands/set-account-status.js';
import type { Accepted, Decision, LedgerAppend, Refused, Unchanged } from './decision.js';
import { uuidRule } from './fields.js';
import { KEY_RETENTION_MILLIS_DEFAULT } from '@holdfast/commands/reading';
import type { LedgerCommand } from './ledger-command.js';
import type { LedgerView } from './ledger-view.js';
import {
  LEDGER_SCHEMA_VERSION,
  type LedgerEvent,
  type LedgerEventMetadata,
} from './ledger.events.js';
import { contextMalformation, malformationOf } from './malformation.js';
import { streams, tags } from './names.js';
import { recognise } from './recognise.js';
import type { Rejection } from './rejections.js';
import { type Fact, type Verdict, refuse } from './verdict.js';

/**
 * Decides one command against the state. Pure: the same three arguments give the same decision, and nothing is changed;
 * the caller appends the decision's event and gives it to `evolve`. Refusals are values and bugs are failed assertions,
 * so whatever a client sends, this returns.
 *
 * In this order: grammar, key, ledger, rules. So a repeated key is answered as it was the first time, even when the rules
 * would say something else today.
 */
export function decide(
  command: LedgerCommand,
  context: CommandContext,
  view: LedgerView,
): Decision {
  assertContext(context);
  const fault = malformationOf(command) ?? contextMalformation(command.type, context);
  if (fault !== undefined) return fault;
  const earlier = decidedEarlier(command, context, view);
  if (earlier !== undefined) return earlier;
  if (command.type !== 'OpenLedger' && view.ledger(command.ledger) === undefined)
    return unrecorded(refuse('ledger-not-found', { ledger: command.ledger }).rejection);

  const verdict = verdictOn(command, context, view);
  switch (verdict.kind) {
    case 'acceptance':
      return { kind: 'accepted', append: appendOf(verdict, command.ledger, context) };
    case 'refusal':
      return refused(verdict.rejection, command, context);
    case 'unchanged':
      return hasKey(context) ? recordedUnchanged(verdict, context) : verdict;
  }
}

/** The caller makes these, not the client: a wrong one is a bug. */
function assertContext({ commandId, nowMillis, keyRetentionMillis }: CommandContext): void {
  assert(uuidRule.accepts(commandId), 'a command id is a UUID in canonical form');
  assert(Number.isSafeInteger(nowMillis), 'the present is whole milliseconds');
  assert(
    keyRetentionMillis === undefined ||
      (Number.isSafeInteger(keyRetentionMillis) && keyRetentionMillis > 0),
    'keys are kept for whole milliseconds',
  );
}

function decidedEarlier(
  { ledger }: LedgerCommand,
  { actor, idempotency, dryRun }: CommandContext,
  view: LedgerView,
): Decision | undefined {
  if (idempotency === undefined || dryRun === true) return undefined;
  const { key, bodyHash } = idempotency;
  const recognition = recognise({ ledger, actor, key }, bodyHash, view);
  switch (recognition.kind) {
    case 'new':
      return undefined;
    case 'replay':
      return { kind: 'replayed', position: recognition.position };
    case 'reused':
      return unrecorded(refuse('idempotency-key-reused', { key }).rejection);
    case 'removed':
      return recognition;
  }
}

export function verdictOn(
  command: LedgerCommand,
  context: CommandContext,
  view: LedgerView,
): Verdict {
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

/**
 * A refusal uses its key up, or a late duplicate of a declined payment could go through once there is money again. Without a
 * key there is nothing to use up: what has none is refused alike for ever, or is a dry run.
 */
function refused(rejection: Rejection, command: LedgerCommand, context: CommandContext): Refused {
  if (!hasKey(context)) return unrecorded(rejection);
  const { ledger, type } = command;
  const append = appendOf(
    {
      stream: streams.ofRejections(ledger),
      expectedVersion: 'any',
      fact: { type: 'CommandRejected', data: { ledger, command: type, ...rejection } },
      tags: [],
    },
    ledger,
    context,
  );
  return { kind: 'refused', rejection, append };
}

/** Uses its key up too, or the key would be free for another request, and this one would then be refused. */
function recordedUnchanged({ data }: Unchanged, context: CommandContext): Accepted {
  const append = appendOf(
    {
      stream: streams.ofUnchanged(data.ledger),
      expectedVersion: 'any',
      fact: { type: 'CommandUnchanged', data },
      tags: [],
    },
    data.ledger,
    context,
  );
  return { kind: 'accepted', append };
}

function hasKey({ idempotency, dryRun }: CommandContext): boolean {
  return idempotency !== undefined && dryRun !== true;
}

function unrecorded(rejection: Rejection): Refused {
  return { kind: 'refused', rejection, append: undefined };
}

function appendOf(
  made: Pick<LedgerAppend, 'stream' | 'expectedVersion'> & {
    readonly fact: Fact;
    readonly tags: readonly string[];
  },
  ledger: string,
  context: CommandContext,
): LedgerAppend {
  const { actor, idempotency } = context;
  const { fact, tags: found } = made;
  const event = {
    id: context.commandId,
    type: fact.type,
    schemaVersion: LEDGER_SCHEMA_VERSION,
    data: fact.data,
    tags:
      idempotency === undefined
        ? found
        : [...found, tags.ofCommandKey(ledger, actor, idempotency.key)],
    metadata: metadataOf(context),
    // Taken apart and put together member by member, because spreading is slow; type and data are of one fact.
  } as LedgerEvent;
  return { stream: made.stream, expectedVersion: made.expectedVersion, events: [event] };
}

function metadataOf(context: CommandContext): LedgerEventMetadata {
  const { actor, idempotency, correlationId, causationId } = context;
  const attempt =
    idempotency === undefined
      ? { actor }
      : { actor, key: idempotency.key, bodyHash: idempotency.bodyHash, ...keptFor(context) };
  if (correlationId === undefined && causationId === undefined) return attempt;
  return {
    ...attempt,
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
  };
}

/** Recorded where it is not the usual: so how long a key is kept follows from the log alone, and a new configuration holds for new keys. */
function keptFor({
  keyRetentionMillis,
}: CommandContext): Pick<LedgerEventMetadata, 'keyRetentionMillis'> | undefined {
  const isUsual =
    keyRetentionMillis === undefined || keyRetentionMillis === KEY_RETENTION_MILLIS_DEFAULT;
  return isUsual ? undefined : { keyRetentionMillis };
}
