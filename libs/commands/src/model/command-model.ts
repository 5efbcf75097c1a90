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
 * The decisions of a service: a fold of events into named sections of state, and pure decisions on it. `CommandWriter` adds the rest: durable,
 * idempotent, recorded. Write a model by hand, or make one with `decider`, `lookup` and `combined`.
 */
export interface CommandModel<Command extends AnyCommand, Answer, View = AdmittedLog> {
  /** Names the way of folding. Change it whenever `evolve` makes another state of the same events; the state is then rebuilt. */
  readonly stateVersion: string;
  /** States of earlier versions to start from. */
  readonly takesOver?: StatesTakenOver;
  /** Every event type that this program knows, with the version that it writes. */
  readonly schemas: readonly EventSchema[];
  /** Commands that are idempotent by the name of what they create, and need no key. */
  readonly keyless?: readonly Command['type'][];

  /** Applies one event to the state, in log order. Deterministic. Throws for an unknown event: skipping it would lose a fact. */
  evolve(event: RecordedEvent, state: StateStore): void;
  /** What `decide` may read. Made once per log; it changes as events are applied. */
  viewOf(log: AdmittedLog): View;
  /** The first field that breaks its grammar, or undefined if the value is a valid command. Accepts any value, and runs before the key is looked up. */
  malformationOf(command: unknown): Malformed | undefined;
  /** Pure: the same arguments give the same verdict. Refusals are values; it throws only for bugs. */
  decide(command: Command, context: CommandContext, view: View): Verdict;
  /**
   * The answer to the command behind an event: a pure function of the event as it was recorded, even by an earlier program, so that a repeated command
   * always gets the same answer. It receives every version of an event that was ever written, but none whose acceptance came with an `answer`.
   */
  answerOf(event: Answerable): Answer;

  /** The scope of keys besides the actor: a tenant, a ledger. Without `/`. Default: one unnamed scope. */
  scopeOf?(command: Command): string;
  /**
   * Where a refusal is recorded, and the data of `CommandRejected`. Default: the stream `rejections`, and the command's type with problem and
   * parameters.
   */
  rejectionOf?(command: Command, rejection: Rejection): RecordedRejection;
}

export interface AnyCommand {
  readonly type: string;
}

/** The part of the log that a decision may read: the fold of all admitted events, durable or not, and these events. */
export interface AdmittedLog extends Pick<
  EventLog,
  'admittedAt' | 'lastTagged' | 'hasTagBeginning'
> {
  readonly state: StateStore;
}

/** A model's decision on a well-formed command. */
export type Verdict = Acceptance | Refusal | Unchanged;

/** At least one event, all in one commit. The first event carries the key, and the answer is made from it. */
export interface Acceptance {
  readonly kind: 'accepted';
  readonly appends: readonly Append[];
  /** An answer that the first event does not say: recorded with it, and told from there now and to each repetition. Default: `answerOf` the first event. */
  readonly answer?: JsonObject | undefined;
}

/** Uses up the command's key. Otherwise a late duplicate of a declined payment could go through once there is money again. */
export interface Refusal {
  readonly kind: 'refused';
  readonly rejection: Rejection;
  /** False: there is no place to record it, and the key stays free. */
  readonly recorded?: boolean;
}

/** Everything is already as the command asks. With `append` it uses up its key; without a key it is answered as if that had been recorded. */
export interface Unchanged {
  readonly kind: 'unchanged';
  /** One `CommandUnchanged`. */
  readonly append: Append;
  /** The position of the event that made it so. Default: the last one. */
  readonly position?: Position | undefined;
}

/** Facts of one stream. */
export interface Append {
  readonly stream: string;
  /** Default `any`. */
  readonly expectedVersion?: ExpectedVersion;
  readonly facts: readonly Fact[];
  /** Further terms that find each of the facts. */
  readonly tags?: readonly string[];
}

/** An event's type and data, before it has an id, a key and a position. */
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

/** The source of an answer: a recorded event, or the one that a dry run would have recorded, with its time. */
export type Answerable = Pick<
  RecordedEvent,
  'type' | 'schemaVersion' | 'stream' | 'data' | 'recordedAtMillis'
>;

/** The event types of every model, besides its own. */
export const COMMAND_REJECTED = 'CommandRejected';
export const COMMAND_UNCHANGED = 'CommandUnchanged';

export function malformed(field: string, problem: string): Malformed {
  return { kind: 'malformed', field, problem };
}
