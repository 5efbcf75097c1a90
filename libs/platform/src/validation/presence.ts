import { ValidateIf } from './class-validator.js';

/**
 * The property may be left out, but null is a value and must pass the other constraints. Use it instead of `IsOptional`, which
 * lets null pass every constraint.
 */
export function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_object, value: unknown) => value !== undefined);
}

/** The property may be null. It must still be present, unless `MayBeAbsent` stands beside it. */
export function MayBeNull(): PropertyDecorator {
  return ValidateIf((_object, value: unknown) => value !== null);
}
