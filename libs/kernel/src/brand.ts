declare const brand: unique symbol;

/**
 * A value that must not be mixed with another of the same shape: a `Sequence` is a number, but not every number
 * is a `Sequence`. Costs nothing at run time; the one place that makes such a value casts it after checking.
 */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };
