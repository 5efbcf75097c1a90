import type { JsonObject, NewEvent, StreamAppend, TaggedEvent } from '@holdfast/event-store';
import { assert, defined } from '@holdfast/kernel';
import { actorRule, bodyHashRule, keyRule } from '../keys/attempt-fields.js';
import type { CommandContext } from '../model/command-context.js';
import {
  type Acceptance,
  type AdmittedLog,
  type AnyCommand,
  type Append,
  type Answerable,
  COMMAND_REJECTED,
  COMMAND_UNCHANGED,
  type CommandModel,
  type Fact,
  type Malformed,
  type Rejection,
  type Unchanged,
  malformed,
} from '../model/command-model.js';
import type { Accepted, Decision, Refused } from '../model/decision.js';
import { metadataOf } from './event-metadata.js';
import { type CommandKey, keyTag } from '../keys/command-key.js';
import type { FieldRule } from '../keys/field-rule.js';
import { type Recognition, recognised } from './recognition.js';

const NO_TAGS: readonly string[] = [];
const COMMAND_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NODE_AT = '01234567-89ab-7def-8123-'.length;
const NODE_DIGITS = 12;
const NODES = 16 ** NODE_DIGITS;

/**
 * Decides the commands of one model on one log. Pure: the same command and context on the same log give the same decision, and nothing is changed; the caller
 * appends what it says. Refusals are values and bugs are failed assertions, so whatever a client sends, this returns.
 *
 * In this order: grammar, key, rules. So a repeated key is answered as it was the first time, even when the rules would say something else today.
 */
export class CommandDecisions<Command extends AnyCommand, Answer, View> {
  readonly view: View;
  private readonly keyless: ReadonlySet<string>;
  /** By type, the version that this program writes. */
  private readonly schemaVersions: ReadonlyMap<string, number>;

  constructor(
    private readonly model: CommandModel<Command, Answer, View>,
    private readonly log: AdmittedLog,
  ) {
    this.view = model.viewOf(log);
    this.keyless = new Set(model.keyless);
    this.schemaVersions = new Map([
      [COMMAND_REJECTED, 1],
      [COMMAND_UNCHANGED, 1],
      ...model.schemas.map(({ type, schemaVersion }) => [type, schemaVersion] as const),
    ]);
  }

  decide(command: Command, context: CommandContext): Decision {
    assertContext(context);
    const fault = this.model.malformationOf(command) ?? this.attemptMalformed(command, context);
    if (fault !== undefined) return fault;
    const tag = this.tagOf(command, context);
    const earlier = this.decidedEarlier(tag, context);
    if (earlier !== undefined) return earlier;
    const verdict = this.model.decide(command, context, this.view);
    switch (verdict.kind) {
      case 'accepted':
        return this.accepted(verdict, tag, context);
      case 'refused':
        return verdict.recorded !== false && hasKey(context)
          ? this.refused(command, verdict.rejection, tag, context)
          : unrecorded(verdict.rejection);
      case 'unchanged':
        return hasKey(context)
          ? this.accepted({ appends: [verdict.append] }, tag, context)
          : this.found(verdict, context);
    }
  }

  /** The event that used the key. A key is known for as long as that is in the log, whatever any clock says. */
  keyUse({ scope, actor, key }: CommandKey): TaggedEvent | undefined {
    return this.log.lastTagged(keyTag(scope, actor, key));
  }

  /** What a request with this key and hash would be: only a new one would be decided. */
  recognise(key: CommandKey, bodyHash: string): Recognition {
    return recognised(this.keyUse(key), bodyHash);
  }

  /** The answer as it was recorded, or else as the model makes it from the event. */
  answerOf(event: Recorded): Answer {
    return (event.metadata?.['answer'] as Answer | undefined) ?? this.model.answerOf(event);
  }

  /** What a dry run is answered from: the first event of what would have been appended. */
  firstOf(appends: readonly StreamAppend[], recordedAtMillis: number): Recorded {
    // Those before it only guard the version of their stream.
    const append = appends.find(({ events }) => events.length > 0);
    const { stream, events } = defined(append, 'an append of a command');
    const event = defined(events[0], 'an event of a command');
    return { ...event, stream, recordedAtMillis };
  }

  private attemptMalformed(
    { type }: Command,
    { actor, idempotency, dryRun }: CommandContext,
  ): Malformed | undefined {
    if (idempotency === undefined) {
      return dryRun === true || this.keyless.has(type)
        ? breaks(actorRule, 'actor', actor)
        : malformed('idempotencyKey', 'must be given');
    }
    return (
      breaks(actorRule, 'actor', actor) ??
      breaks(keyRule, 'idempotencyKey', idempotency.key) ??
      breaks(bodyHashRule, 'bodyHash', idempotency.bodyHash)
    );
  }

  /** Undefined without a key. */
  private tagOf(command: Command, { actor, idempotency }: CommandContext): string | undefined {
    if (idempotency === undefined) return undefined;
    return keyTag(this.model.scopeOf?.(command) ?? '', actor, idempotency.key);
  }

  private decidedEarlier(
    tag: string | undefined,
    { idempotency, dryRun }: CommandContext,
  ): Decision | undefined {
    if (idempotency === undefined || tag === undefined || dryRun === true) return undefined;
    const recognition = recognised(this.log.lastTagged(tag), idempotency.bodyHash);
    switch (recognition.kind) {
      case 'new':
        return undefined;
      case 'replay':
        return { kind: 'replayed', event: recognition.event };
      case 'reused':
        return unrecorded({
          problem: 'idempotency-key-reused',
          parameters: { key: idempotency.key },
        });
      case 'removed':
        return recognition;
    }
  }

  private accepted(
    { appends, answer }: Pick<Acceptance, 'appends' | 'answer'>,
    tag: string | undefined,
    context: CommandContext,
  ): Accepted {
    return { kind: 'accepted', appends: this.streamAppends(appends, { tag, answer }, context) };
  }

  private refused(
    command: Command,
    rejection: Rejection,
    tag: string | undefined,
    context: CommandContext,
  ): Refused {
    const { stream, data } = this.model.rejectionOf?.(command, rejection) ?? {
      stream: 'rejections',
      data: { command: command.type, ...rejection },
    };
    const append = { stream, facts: [{ type: COMMAND_REJECTED, data }] };
    return { kind: 'refused', rejection, appends: this.streamAppends([append], { tag }, context) };
  }

  private found(
    { append, position }: Unchanged,
    { nowMillis: recordedAtMillis }: CommandContext,
  ): Decision {
    const { type, data } = defined(append.facts[0], 'what was found');
    const { stream } = append;
    const schemaVersion = this.schemaVersionOf(type);
    const event = { type, schemaVersion, stream, data: data as JsonObject, recordedAtMillis };
    return { kind: 'unchanged', position, event };
  }

  private streamAppends(
    appends: readonly Append[],
    ofFirst: OfFirst,
    context: CommandContext,
  ): StreamAppend[] {
    let count = 0;
    const made: StreamAppend[] = [];
    for (const { stream, expectedVersion = 'any', facts, tags = NO_TAGS } of appends) {
      const events: NewEvent[] = [];
      for (const fact of facts) events.push(this.eventOf(fact, tags, count++, ofFirst, context));
      made.push({ stream, expectedVersion, events });
    }
    assert(count > 0, 'a command that is accepted makes an event');
    return made;
  }

  /** The first event of a command is the one that is found by its key. */
  private eventOf(
    { type, data }: Fact,
    tags: readonly string[],
    index: number,
    { tag, answer }: OfFirst,
    context: CommandContext,
  ): NewEvent {
    const { commandId } = context;
    const isFirst = index === 0;
    return {
      id: isFirst ? commandId : laterId(commandId, index),
      type,
      schemaVersion: this.schemaVersionOf(type),
      data: data as JsonObject,
      tags: isFirst && tag !== undefined ? [...tags, tag] : tags,
      metadata:
        isFirst && answer !== undefined
          ? { ...metadataOf(context, isFirst), answer }
          : metadataOf(context, isFirst),
    };
  }

  private schemaVersionOf(type: string): number {
    return defined(this.schemaVersions.get(type), 'the schema of an event that a command makes');
  }
}

/** What only the first event of a command has. */
interface OfFirst {
  readonly tag: string | undefined;
  readonly answer?: JsonObject | undefined;
}

/** What is answered from; a command without a record has no metadata. */
type Recorded = Answerable & { readonly metadata?: JsonObject | undefined };

/** The caller makes these, not the client: a wrong one is a bug. */
function assertContext({ commandId, nowMillis, keyRetentionMillis }: CommandContext): void {
  assert(COMMAND_ID.test(commandId), 'a command id is a UUID in canonical form');
  assert(Number.isSafeInteger(nowMillis), 'the present is whole milliseconds');
  assert(
    keyRetentionMillis === undefined ||
      (Number.isSafeInteger(keyRetentionMillis) && keyRetentionMillis > 0),
    'keys are kept for whole milliseconds',
  );
}

function hasKey({ idempotency, dryRun }: CommandContext): boolean {
  return idempotency !== undefined && dryRun !== true;
}

function unrecorded(rejection: Rejection): Refused {
  return { kind: 'refused', rejection, appends: undefined };
}

function breaks(rule: FieldRule, field: string, value: unknown): Malformed | undefined {
  return rule.accepts(value) ? undefined : malformed(field, rule.problem);
}

/** The id of a command's event behind its first: as random as the first one's, and the same each time that it is decided. */
function laterId(commandId: string, index: number): string {
  const node = (parseInt(commandId.slice(NODE_AT), 16) + index) % NODES;
  return commandId.slice(0, NODE_AT) + node.toString(16).padStart(NODE_DIGITS, '0');
}
