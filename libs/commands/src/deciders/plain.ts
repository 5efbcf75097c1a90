/**
 * What a checkpoint gives back as it was: plain JSON. A `Map`, a `Date` or a function becomes `never`, for after a restart it would be `{}` or a text, and only
 * then. So does `undefined` in a list, which would be `null`.
 */
export type Plain<Value> = Value extends string | number | boolean | null | undefined
  ? Value
  : Value extends NotPlain
    ? never
    : Value extends readonly (infer Item)[]
      ? readonly Plain<Exclude<Item, undefined>>[]
      : { readonly [Key in keyof Value]: Plain<Value[Key]> };

type NotPlain =
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | Date
  | bigint
  | symbol
  | ArrayBufferView
  | ((...parameters: never[]) => unknown);

/** Beside a definition with this, a state that is not plain does not compile. */
export type WithPlain<State> = [State] extends [Plain<State>]
  ? unknown
  : {
      readonly initial: 'the state must be plain JSON: no Map, Set, Date, bigint, bytes or function';
    };
