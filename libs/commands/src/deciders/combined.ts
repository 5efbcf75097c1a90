import {
  type EventSchema,
  type JsonObject,
  type RecordedEvent,
  type StateStore,
  type StatesTakenOver,
  plainCopy,
} from '@holdfast/event-store';
import { CodedError, assert, defined, errorCode, errorMessage } from '@holdfast/kernel';
import type { CommandContext } from '../model/command-context.js';
import {
  type Acceptance,
  type AnyCommand,
  type Answerable,
  type Append,
  COMMAND_REJECTED,
  COMMAND_UNCHANGED,
  type CommandModel,
  type Fact,
  type Malformed,
  type Verdict,
  malformed,
} from '../model/command-model.js';
import type {
  Answerables,
  AnyDecider,
  Asking,
  Elsewhere,
  Keyed,
  Outcome,
  Read,
} from './decider.js';
import { assertPlain, deepFrozen } from './deep-frozen.js';
import type { EntityEvent, Lookup, LookupEntry } from './lookup.js';
import { type Entry, type Sections, rehearse } from './rehearsal.js';

export interface CombinedParts {
  readonly deciders: readonly AnyDecider[];
  readonly lookups?: readonly Lookup<unknown>[];
  /** Event types in the log whose decider was removed. They are skipped. */
  readonly retired?: readonly string[];
  /**
   * States of earlier programs to start from, by the `stateVersion` that `combined` made for them. A state qualifies if only deciders, or events that
   * are not in the log yet, were added since; not if a lookup was added. Needed if the beginning of the log was removed, because any other state is
   * rebuilt from the whole log.
   */
  readonly takesOver?: StatesTakenOver;
}

/** What the log takes as the name of a stream. */
const STREAM_BYTES_MAX = 512;

/** The state of any entity or lookup under an id. */
export interface CombinedView extends Read {
  readonly state: StateStore;
}

/**
 * Combines deciders and lookups into one model.
 *
 * Each decision is folded on top of the state before it is appended, from the data as the log will have it. If `evolve`, a lookup or `answer` throws, the command
 * throws `COMMANDS_DECIDER_BROKEN` and nothing has happened, also where they make a state that a checkpoint would not give back as it is, such as one with NaN; after admission it would end this program, and every later one that opens the log. States and events
 * are frozen to the last level: whoever changes one in place throws, now and in each replay.
 *
 * The model's `evolve` throws `COMMANDS_EVENT_UNKNOWN` for an event that no decider evolves.
 */
export function combined(parts: CombinedParts): CommandModel<AnyCommand, object, CombinedView> {
  const { deciders, lookups = [], retired = [] } = parts;
  const byName = new Map(deciders.map((one) => [one.name, one]));
  const byCommand = byTypes(deciders, 'decide');
  const byEvent = byTypes(deciders, 'evolve');
  assertParts(parts, byEvent);
  const schemas = deciders.flatMap(schemasOf);
  const passedOver = new Set([COMMAND_REJECTED, COMMAND_UNCHANGED, ...retired]);
  const evolve = (event: RecordedEvent, state: Sections): void => {
    if (passedOver.has(event.type)) return;
    const [name, id] = partsOf(event.stream);
    const one = byEvent.get(event.type);
    if (one?.name !== name) throw unknownEvent(event);
    // What was appended is frozen; what a replay reads is not.
    deepFrozen(event.data);
    let folding: Keyed<unknown> = one;
    try {
      evolveOne(one, id, event, state);
      for (const index of lookups) {
        folding = index;
        lookUp(index, id, event, state);
      }
    } catch (cause) {
      throw broken(folding, 'fold', event, cause);
    }
  };
  const answerOf = (event: Answerable): object => {
    if (event.type === COMMAND_REJECTED || event.type === COMMAND_UNCHANGED) return event.data;
    const [name, id] = partsOf(event.stream);
    // Where none is recorded: it was the default, or a program of before made it from the first event alone.
    return byName.get(name)?.answer?.([event]) ?? { id, ...event.data };
  };
  return {
    stateVersion: stateVersionOf(parts, schemas),
    schemas,
    ...(parts.takesOver && { takesOver: parts.takesOver }),
    keyless: deciders.flatMap(({ keyless = [] }) => keyless),
    viewOf: ({ state }) => Object.assign(knownOf(readOf(state), parts), { state }),
    evolve,
    malformationOf: (command) => malformationOf(command, byCommand),
    decide(command, context, view) {
      const one = defined(byCommand.get(command.type), 'the decider of a command');
      const verdict = verdictOf(one, command, context, view);
      if (verdict.kind !== 'accepted') return verdict;
      rehearse(verdict.appends, context, view.state, evolve);
      const { stream } = defined(verdict.appends[0], 'an append of a command');
      const by = one.answer ? one : byName.get(partsOf(stream)[0]);
      if (!by?.answer) return verdict;
      return { ...verdict, answer: told(by, by.answer, answerables(verdict, context, schemas)) };
    },
    answerOf,
  };
}

/** The one decider that has each type of command, or of event. */
function byTypes(deciders: readonly AnyDecider[], of: 'decide' | 'evolve') {
  const found = new Map<string, AnyDecider>();
  for (const one of deciders)
    for (const type of Object.keys(one[of])) {
      assert(!found.has(type), `one decider has ${type}`);
      found.set(type, one);
    }
  return found;
}

function assertParts(
  { deciders, lookups = [], retired = [] }: CombinedParts,
  byEvent: ReadonlyMap<string, AnyDecider>,
): void {
  const names = [...deciders, ...lookups].map(({ name }) => name);
  assert(new Set(names).size === names.length, 'each decider and lookup has a name of its own');
  for (const { name, initial } of [...deciders, ...lookups])
    // It is no part of a checkpoint; but all ids share what can be changed in it.
    if (typeof initial === 'object') assertPlain(initial, `the initial state of ${name}`);
  for (const type of lookups.flatMap(({ on }) => Object.keys(on)))
    assert(byEvent.has(type), `a decider has ${type}, which a lookup folds`);
  // Skipped in each fold, so that a state would never hear of them.
  for (const type of [COMMAND_REJECTED, COMMAND_UNCHANGED])
    assert(!byEvent.has(type), `${type} is an event of every model, and a decider has it`);
  for (const type of retired)
    assert(!byEvent.has(type), `${type} is retired, and a decider has it`);
}

function schemasOf({ evolve, schemas }: AnyDecider): EventSchema[] {
  return Object.keys(evolve).map((type) => {
    const { version = 1, upcast = {} } = schemas?.[type] ?? {};
    return { type, schemaVersion: version, steps: upcast };
  });
}

/** The versions of events are part of it: an older program begins anew, and then meets the events that it does not know. */
function stateVersionOf(
  { deciders, lookups = [] }: CombinedParts,
  schemas: readonly EventSchema[],
): string {
  return [
    ...[...deciders, ...lookups].map(({ name, version = 1 }) => `${name}-${version}`),
    ...schemas.map(({ type, schemaVersion }) => `${type}@${schemaVersion}`),
  ]
    .sort()
    .join(' ');
}

/** What cannot be told now could not be told to any repetition either. */
function told(
  by: AnyDecider,
  answer: (events: Answerables) => object,
  events: Answerables,
): JsonObject {
  try {
    return JSON.parse(JSON.stringify(answer(events))) as JsonObject;
  } catch (cause) {
    throw broken(by, 'answer with', events[0], cause);
  }
}

/** What the command will be answered from. */
function answerables(
  { appends }: Acceptance,
  { nowMillis: recordedAtMillis }: CommandContext,
  schemas: readonly EventSchema[],
): Answerables {
  const [first, ...others] = appends.flatMap(({ stream, facts }) =>
    facts.map(({ type, data }): Answerable => {
      const { schemaVersion } = defined(
        schemas.find((schema) => schema.type === type),
        'the schema of a fact of a command',
      );
      return { stream, type, schemaVersion, data: data as JsonObject, recordedAtMillis };
    }),
  );
  return [defined(first, 'a fact of a command'), ...others];
}

function sectionOf(state: Sections, name: string) {
  return state.section<Entry>(`of/${name}`);
}

function readOf(state: Sections): Read {
  return <State>(
    { name, initial }: { readonly name: string; readonly initial: State },
    id: string,
  ) =>
    // The section of a name holds what its `evolve` made. Whoever reads it first freezes it: once a command, and not where it is written, which is twice.
    deepFrozen((sectionOf(state, name).get(id) ?? { of: initial }).of) as State;
}

/** What a decision reads is kept up to date, or the decision would go by a state that never changes. */
function knownOf(read: Read, { deciders, lookups = [] }: CombinedParts): Read {
  const names = new Set([...deciders, ...lookups].map(({ name }) => name));
  return (of, id) => {
    assert(names.has(of.name), `${of.name} is read, so it is one of the deciders or lookups`);
    assertKey(id, `${of.name} is read`);
    return read(of, id);
  };
}

/** Without a compiler, or after an `as`, it may be anything: a field that the command lacks. */
function assertKey(key: unknown, what: string): void {
  assert(typeof key === 'string', `${what} under a text, and not under ${String(key)}`);
}

function evolveOne(one: AnyDecider, id: string, event: RecordedEvent, state: Sections): void {
  const evolve = one.evolve[event.type] as (
    before: unknown,
    data: unknown,
    event: RecordedEvent,
  ) => unknown;
  sectionOf(state, one.name).set(id, { of: evolve(readOf(state)(one, id), event.data, event) });
}

function lookUp(index: Lookup<unknown>, id: string, event: RecordedEvent, state: Sections): void {
  const step = index.on[event.type] as
    ((event: EntityEvent<Fact>) => readonly LookupEntry<unknown>[]) | undefined;
  if (step === undefined) return;
  const [read, section] = [readOf(state), sectionOf(state, index.name)];
  for (const [key, made] of step({ ...event, id })) {
    assertKey(key, `${index.name} has an entry`);
    const fold = typeof made === 'function' ? (made as (before: unknown) => unknown) : undefined;
    const after = fold === undefined ? made : fold(read(index, key));
    if (after === undefined) section.delete(key);
    else section.set(key, { of: after });
  }
}

function malformationOf(
  command: unknown,
  byCommand: ReadonlyMap<string, AnyDecider>,
): Malformed | undefined {
  const type = (command as AnyCommand | null | undefined)?.type;
  const one = type === undefined ? undefined : byCommand.get(type);
  if (one === undefined) return malformed('type', 'must be the type of a command');
  const id = idOf(one, command);
  const isId =
    typeof id === 'string' &&
    id !== '' &&
    id.isWellFormed() &&
    Buffer.byteLength(`${one.name}/${id}`) <= STREAM_BYTES_MAX;
  return isId ? undefined : malformed('id', 'must be text of 1 to some 450 bytes');
}

/** Undefined where it throws: the command has not the fields that it needs. */
function idOf(one: AnyDecider, command: unknown): unknown {
  try {
    return one.idOf(command as never);
  } catch {
    return undefined;
  }
}

function verdictOf(
  one: AnyDecider,
  command: AnyCommand,
  context: CommandContext,
  read: Read,
): Verdict {
  const id = one.idOf(command as never);
  const decide = one.decide[command.type] as (
    command: AnyCommand,
    state: unknown,
    asking: Asking,
  ) => Outcome<Fact>;
  const outcome = decide(command, read(one, id), { ...context, id, read });
  if ('kind' in outcome) return outcome;
  const facts = 'type' in outcome ? [outcome] : outcome;
  if (facts.length === 0)
    return {
      kind: 'unchanged',
      append: {
        stream: 'unchanged',
        facts: [{ type: COMMAND_UNCHANGED, data: { command: command.type, id } }],
      },
    };
  return { kind: 'accepted', appends: facts.map((fact) => appendOf(fact, one, id)) };
}

function appendOf(fact: Fact | Elsewhere, one: AnyDecider, id: string): Append {
  return 'elsewhere' in fact
    ? { stream: `${fact.elsewhere.name}/${fact.id}`, facts: [recordable(fact.fact)] }
    : { stream: `${one.name}/${id}`, facts: [recordable(fact)] };
}

/** With the data that a replay will have: what folds it now must not see more, nor be able to change it. */
function recordable({ type, data }: Fact): Fact {
  return { type, data: plainCopy(data as JsonObject, 'data') };
}

function partsOf(stream: string): [name: string, id: string] {
  const slash = stream.indexOf('/');
  return [stream.slice(0, slash), stream.slice(slash + 1)];
}

/** With its sentence, unless the error has a code and so one of its own. */
function broken(
  { name }: Keyed<unknown>,
  failed: 'fold' | 'answer with',
  { type, stream }: Answerable,
  cause: unknown,
): unknown {
  if (errorCode(cause) !== undefined) return cause;
  return new CodedError(
    'COMMANDS_DECIDER_BROKEN',
    `${name} cannot ${failed} the ${type} of ${stream} (it must be a pure function that changes neither the state nor the event): ${errorMessage(cause)}`,
    { name, type, stream },
    { cause },
  );
}

function unknownEvent({ type, stream, position }: RecordedEvent): CodedError {
  return new CodedError(
    'COMMANDS_EVENT_UNKNOWN',
    `no decider evolves the ${type} of ${stream} at position ${position}, and it is not retired: a program that does not know an event must not decide`,
    { type, position },
  );
}
