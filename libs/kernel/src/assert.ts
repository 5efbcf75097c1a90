/** A bug in this program, never a condition of the outside world. Nothing catches it but the process's edge. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

/** States an invariant. Throws `AssertionFailed` when it does not hold. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new AssertionFailed(invariant);
}

/** The value, which the surrounding code has already made sure exists. Throws `AssertionFailed` if it does not. */
export function defined<Value>(value: Value | undefined | null, what: string): Value {
  if (value === undefined || value === null) throw new AssertionFailed(`${what} must exist here`);
  return value;
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unreachable: ${JSON.stringify(value)}`);
}
