import type { JsonObject, RecordedEvent, Upcast } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { CommandContext } from '../model/command-context.js';
import type { AnyCommand, Answerable, Fact, Refusal } from '../model/command-model.js';
import type { WithPlain, WithPlainEvents } from './plain.js';

/** The member of a union that has this type. */
export type Of<Union extends { readonly type: string }, Type extends Union['type']> = Extract<
  Union,
  { readonly type: Type }
>;

/**
 * The outcome of a decision: an event of the entity, events of it and of others in one commit, or a refusal. An empty list means that everything is as
 * asked.
 */
export type Outcome<Event> = Event | Refusal | readonly (Event | Elsewhere)[];

/** An event of another entity, in the same commit. */
export interface Elsewhere {
  readonly elsewhere: AnyDecider;
  readonly id: string;
  readonly fact: Fact;
}

/** Everything that a decision may know besides command and state, all of one moment. */
export interface Asking extends CommandContext {
  /** The id of the entity that the command is for. */
  readonly id: string;
  /** Reads the state of any entity or lookup under an id. */
  readonly read: Read;
}

export type Read = <State>(of: Keyed<State>, id: string) => State;

/** Something that has a state under each id. */
export interface Keyed<State> {
  /** Part of stream names, so it never changes. 1 to 64 lower-case letters, digits and hyphens; the first is a letter. */
  readonly name: string;
  /** The state of an id without events. */
  readonly initial: State;
  /** Raise it with every change of what `evolve` or `on` makes of the events; this rebuilds the state. Default 1. */
  readonly version?: number;
}

export interface DeciderDefinition<
  State,
  Command extends AnyCommand,
  Event extends Fact,
> extends Keyed<State> {
  /** The id of the entity that a command is for. */
  readonly idOf: (command: Command) => string;
  /** Pure: no clock but `asking.nowMillis`, no random, no I/O. */
  readonly decide: {
    readonly [Type in Command['type']]: (
      command: Of<Command, Type>,
      state: State,
      asking: Asking,
    ) => Outcome<Event>;
  };
  /** Returns the state after an event as a new value. The event's data has its present version. */
  readonly evolve: {
    readonly [Type in Event['type']]: (
      state: State,
      data: Of<Event, Type>['data'],
      event: RecordedEvent,
    ) => State;
  };
  /** Only for events whose data has changed its shape: `{ RoomBooked: { version: 2, upcast: { 1: (data) => ({ ...data, people: 1 }) } } }`. */
  readonly schemas?: { readonly [Type in Event['type']]?: EventVersions };
  /** Commands that are idempotent by their id and need no key. */
  readonly keyless?: readonly Command['type'][];
  /**
   * The answer to an accepted command, made from all its events when they are decided, and recorded with the first: a repetition gets the same bytes, whatever
   * this has become. Of what a program before this rule recorded, it is made from the first event alone. Default: the id with the data of the first event.
   */
  readonly answer?: (events: Answerables) => object;
}

/** The events of a command, in their order, also those of other entities. */
export type Answerables = readonly [Answerable, ...Answerable[]];

export interface EventVersions {
  /** The version that is written now. */
  readonly version: number;
  /** Steps from each older version to the next. */
  readonly upcast: Readonly<Record<number, Upcast>>;
}

/** One kind of entity. Its events are the streams `name/id`; its state is one entry per id. */
export interface Decider<
  State,
  Command extends AnyCommand,
  Event extends Fact,
> extends DeciderDefinition<State, Command, Event> {
  /** An event of this entity, for a decision of another. */
  readonly on: (id: string, event: Event) => Elsewhere;
  /** Makes a command; the compiler checks its fields, and an editor completes them. */
  readonly command: <Type extends Command['type']>(
    type: Type,
    fields: Omit<Of<Command, Type>, 'type'>,
  ) => Of<Command, Type>;
}

/** A decider of any state, commands and events. */
export interface AnyDecider extends Keyed<unknown> {
  readonly idOf: (command: never) => string;
  readonly decide: Readonly<
    Record<string, (command: never, state: never, asking: Asking) => Outcome<Fact>>
  >;
  readonly evolve: Readonly<
    Record<string, (state: never, data: never, event: RecordedEvent) => unknown>
  >;
  readonly schemas?: Readonly<Partial<Record<string, EventVersions>>>;
  readonly keyless?: readonly string[];
  readonly answer?: (events: Answerables) => object;
}

/**
 * Two deciders that name each other (`read(guest, …)`, `guest.on(…)`) are a circle for the compiler, which then says that one "implicitly has type 'any'": write
 * the type of one of them, `const room: Decider<Room, RoomCommand, RoomEvent> = decider<Room, RoomCommand, RoomEvent>({ … })`.
 */
export function decider<State, Command extends AnyCommand, Event extends Fact>(
  definition: DeciderDefinition<State, Command, Event> & WithPlain<State> & WithPlainEvents<Event>,
): Decider<State, Command, Event> {
  assertName(definition);
  const made: Decider<State, Command, Event> = {
    ...(definition as DeciderDefinition<State, Command, Event>),
    on: (id, fact) => ({ elsewhere: made, id, fact }),
    command: (type, fields) => ({ ...fields, type }) as never,
  };
  return made;
}

export function refuse(problem: string, parameters: JsonObject = {}): Refusal {
  return { kind: 'refused', rejection: { problem, parameters } };
}

/**
 * `refuse` for the problems of one table, by their names: another name does not compile. The table may be the one that a feature has:
 * `const refuse = refusing(problems)`.
 */
export function refusing<Problem extends string>(
  problems: Readonly<Record<Problem, unknown>>,
): (problem: Problem, parameters?: JsonObject) => Refusal {
  return (problem, parameters) => {
    assert(Object.hasOwn(problems, problem), `${problem} is one of the problems of the table`);
    return refuse(problem, parameters);
  };
}

export function assertName({ name }: Keyed<unknown>): void {
  assert(
    /^[a-z][a-z0-9-]{0,63}$/.test(name),
    `the name of a decider or lookup is 1 to 64 lower-case letters, digits and hyphens, the first a letter: ${JSON.stringify(name)} is not`,
  );
}
