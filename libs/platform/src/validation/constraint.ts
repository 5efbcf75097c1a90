import { assert } from '@holdfast/kernel';
import { ValidateBy } from './class-validator.js';
import { addKnownConstraint } from './known-constraints.js';

export type Accepts = (value: unknown) => boolean;

/**
 * Defines a class-validator decorator that compiled validators know too. `build` makes the test for one use of the decorator from its
 * arguments: pure and synchronous. `message` is what a value that fails is told; `$property` stands for its name. Names are
 * global: defining one twice throws `AssertionFailed`.
 *
 *     const IsMultipleOf = defineConstraint(
 *       'isMultipleOf',
 *       (factor: number) => (value) => typeof value === 'number' && value % factor === 0,
 *       (factor) => `$property must be a multiple of ${factor}`,
 *     );
 *     class Order { @IsMultipleOf(12) eggs!: number }
 */
export function defineConstraint<Arguments extends readonly unknown[]>(
  name: string,
  build: (...constraint: Arguments) => Accepts,
  message: (...constraint: Arguments) => string,
): (...constraint: Arguments) => PropertyDecorator {
  assert(addKnownConstraint(name), `the constraint ${name} is defined once`);
  return (...constraint) =>
    ValidateBy({
      name,
      constraints: [...constraint],
      validator: { validate: build(...constraint), defaultMessage: () => message(...constraint) },
    });
}
