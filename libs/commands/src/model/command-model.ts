import type {
  EventLog,
  EventSchema,
  ExpectedVersion,
  JsonObject,
  Position,
  RecordedEvent,
  StateStore,
  StatesTakenOver,
} from '@holdfast/event-store';
import type { CommandContext } from './command-context.js';

/**
 * What a service decides: a fold of events into named sections of state, and pure decisions on it. `CommandWriter` makes the rest of it: durable, idempotent,
 * recorded. Write one by hand, or make one with `decider`, `lookup` and `combined`.
 */
export interface CommandModel<Command extends AnyCommand, Answer, View = AdmittedLog> {
  /** Names what `evolve` makes of the events: raised with every change of it that makes another state, which is then rebuilt. */
  readonly stateVersion: string;
  /** States of earlier versions that are good to begin with. */
  readonly takesOver?: StatesTakenOver;
  /** Every type of event that this program knows, with the version that it writes. */
  readonly schemas: readonly EventSchema[];
  /** Commands that are idempotent by the name of what they make, and so need no key. */
  readonly keyless?: readonly Command['type'][];

  /** Applies one event to the state, in log order. Deterministic. Throws for an event that it does not know: to skip it would be to forget. */
  evolve(event: RecordedEvent, state: StateStore): void;
  /** What `decide` may look at. Made once for each log, it changes as events are applied. */
  viewOf(log: AdmittedLog): View;
  /** The first field that breaks its grammar, or undefined: then the value is a command. Total over anything, and before the key is looked at. */
  malformationOf(command: unknown): Malformed | undefined;
  /** Pure: the same three arguments give the same verdict. Refusals are values, and it throws only for bugs. */
  decide(command: Command, context: CommandContext, view: View): Verdict;
  /**
   * The answer to the command that made the event, whatever has happened since: a pure function of the event as it was recorded, also by an earlier program, so
   * that a repeated command is answered the same for ever. It is given every version of an event that was ever written.
   */
  answerOf(event: Answerable): Answer;

  /** Whose keys these are beside the actor's: a tenant, a ledger. Without `/`. One scope for all, without a name, when left out. */
  scopeOf?(command: Command): string;
  /** Where a refusal is recorded, and what the `CommandRejected` there says. The stream `rejections`, and the command's type with problem and parameters, when left out. */
  rejectionOf?(command: Command, rejection: Rejection): RecordedRejection;
}

export interface AnyCommand {
  readonly type: string;
}

/** Of the log, what a decision may look at: the fold of all events that were admitted, durable or not, and these events. */
export interface AdmittedLog extends Pick<
  EventLog,
  'admittedAt' | 'lastTagged' | 'hasTagBeginning'
> {
  readonly state: StateStore;
}

/** What a model says of a well-formed command. */
export type Verdict = Acceptance | Refusal | Unchanged;

/** At least one event, all in one commit. The first is what the command is answered from, and is found by its key. */
export interface Acceptance {
  readonly kind: 'accepted';
  readonly appends: readonly Append[];
}

/** Uses the command's key up, or a late duplicate of a declined payment could go through once there is money again. */
export interface Refusal {
  readonly kind: 'refused';
  readonly rejection: Rejection;
  /** False: there is nowhere to record it, and the key stays free. */
  readonly recorded?: boolean;
}

/** All is as the command asks already. Uses its key up too, with `append`; without a key it is answered as if that had been recorded. */
export interface Unchanged {
  readonly kind: 'unchanged';
  /** One `CommandUnchanged`. */
  readonly append: Append;
  /** Of the event that made it so. The last one, when left out. */
  readonly position?: Position | undefined;
}

/** Facts of one stream. */
export interface Append {
  readonly stream: string;
  /** `any` when left out. */
  readonly expectedVersion?: ExpectedVersion;
  readonly facts: readonly Fact[];
  /** Further terms that each of the facts is found by. */
  readonly tags?: readonly string[];
}

/** An event's type with its data, before it has an id, a key and a place. */
export interface Fact<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  /** Plain JSON. */
  readonly data: Data;
}

/** An expected refusal: a value, never an exception. Recorded, and a public contract. */
export interface Rejection {
  readonly problem: string;
  /** What a program needs to act on it. */
  readonly parameters: JsonObject;
}

export interface RecordedRejection {
  readonly stream: string;
  readonly data: object;
}

/** The command breaks the grammar of a field: never recorded. */
export interface Malformed {
  readonly kind: 'malformed';
  /** As in the request: `legs[1].amount`. */
  readonly field: string;
  /** What the field must be, as a sentence's end: "must be 1 to 36 digits without a leading zero". */
  readonly problem: string;
}

/** What an answer is made of: a recorded event, or the one that a dry run would have recorded, with the time it would have got. */
export type Answerable = Pick<
  RecordedEvent,
  'type' | 'schemaVersion' | 'stream' | 'data' | 'recordedAtMillis'
>;

/** The types of event that every model has beside its own. */
export const COMMAND_REJECTED = 'CommandRejected';
export const COMMAND_UNCHANGED = 'CommandUnchanged';

export function malformed(field: string, problem: string): Malformed {
  return { kind: 'malformed', field, problem };
}
