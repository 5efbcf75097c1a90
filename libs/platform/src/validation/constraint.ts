import { assert } from '@holdfast/kernel';
import { type ValidationOptions, registerDecorator } from 'class-validator';

export type Accepts = (value: unknown) => boolean;

/** Makes the test of one use of a constraint from the arguments of its decorator. Pure and synchronous. */
type BuildTest<Arguments extends readonly unknown[]> = (...constraint: Arguments) => Accepts;

const ownConstraints = new Map<string, BuildTest<readonly unknown[]>>();

/**
 * Defines a class-validator decorator that the validation compiler knows too. `message` says what `$property` must be. Names are
 * global: defining one twice throws `AssertionFailed`.
 *
 *     const IsAmount = defineConstraint('isAmount', () => (value) => typeof value === 'string' && AMOUNT.test(value),
 *       () => '$property must be …');
 */
export function defineConstraint<Arguments extends readonly unknown[]>(
  name: string,
  build: BuildTest<Arguments>,
  message: (...constraint: Arguments) => string,
): (...parameters: [...Arguments, options?: ValidationOptions]) => PropertyDecorator {
  assert(!ownConstraints.has(name), `the constraint ${name} is defined once`);
  ownConstraints.set(name, build as BuildTest<readonly unknown[]>);
  const arity = build.length;
  return (...parameters) => {
    const constraint = parameters.slice(0, arity) as unknown as Arguments;
    const accepts = build(...constraint);
    return (target, propertyName) => {
      assert(typeof propertyName === 'string', 'a validated property has a name');
      registerDecorator({
        name,
        target: target.constructor,
        propertyName,
        constraints: [...constraint],
        options: parameters[arity] as ValidationOptions,
        validator: { validate: accepts, defaultMessage: () => message(...constraint) },
      });
    };
  };
}

export function ownConstraint(name: string): BuildTest<readonly unknown[]> | undefined {
  return ownConstraints.get(name);
}
