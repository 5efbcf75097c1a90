/**
 * What a checkpoint and the log give back as it was: plain JSON. A `Map`, a `Date` or a function becomes `never`, for after a restart it would be `{}` or a text,
 * and only then. So does `undefined` in a list, which would be `null`, and a member that is there and `undefined`, which would be gone; an optional member is
 * plain.
 */
export type Plain<Value> = Value extends string | number | boolean | null | undefined
  ? Value
  : Value extends NotPlain
    ? never
    : Value extends readonly (infer Item)[]
      ? readonly Plain<Exclude<Item, undefined>>[]
      : { readonly [Key in keyof Value]: Plain<MemberOf<Value, Key>> };

/** Without the `undefined` of a member that may not be left out. */
type MemberOf<Value, Key extends keyof Value> =
  object extends Pick<Value, Key> ? Value[Key] : Exclude<Value[Key], undefined>;

type NotPlain =
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | Date
  | bigint
  | symbol
  | ArrayBufferView
  | ((...parameters: never[]) => unknown);

type Rule =
  'must be plain JSON: no Map, Set, Date, bigint, bytes, function or member that is undefined';

/** Beside a definition with this, a state that is not plain does not compile. */
export type WithPlain<State> = [State] extends [Plain<State>]
  ? unknown
  : { readonly initial: `the state ${Rule}` };

/** Beside a definition with this, neither does an event whose data is not plain. */
export type WithPlainEvents<Event extends { readonly type: string; readonly data: object }> =
  NotPlainOf<Event> extends infer Types extends string
    ? [Types] extends [never]
      ? unknown
      : { readonly evolve: `the data of ${Types} ${Rule}` }
    : never;

/** The types of the events whose data is not plain. */
type NotPlainOf<Event extends { readonly type: string; readonly data: object }> =
  Event extends unknown
    ? [Event['data']] extends [Plain<Event['data']>]
      ? never
      : Event['type']
    : never;
