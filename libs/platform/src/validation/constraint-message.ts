import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';

interface MessageSource {
  readonly propertyName: string;
  readonly message?: string | ((validationArguments: ValidationArguments) => string);
  readonly constraints: readonly unknown[] | undefined;
}

/** The message of a failed constraint, as class-validator means it: its own or the decorator's, with the `$` tokens filled in. */
export function constraintMessage(
  source: MessageSource,
  dto: object,
  value: unknown,
  constraint?: ValidatorConstraintInterface,
): string {
  const validationArguments: ValidationArguments = {
    value,
    constraints: [...(source.constraints ?? [])],
    targetName: dto.constructor.name,
    object: dto,
    property: source.propertyName,
  };
  const own = source.message === '' ? undefined : source.message;
  const message = own ?? constraint?.defaultMessage?.(validationArguments) ?? '';
  return fillTokens(
    typeof message === 'string' ? message : message(validationArguments),
    validationArguments,
  );
}

/**
 * One pass over the message, so that nothing that was filled in is read again: class-validator takes `$$`, `$&` or `$property` in a
 * client's value for a pattern, and reports `$` where `$$` was sent.
 */
function fillTokens(
  message: string,
  { value, constraints, property, targetName }: ValidationArguments,
): string {
  return message.replaceAll(
    /\$(?:constraint([1-9])|value|property|target)/g,
    (token, index?: string) => {
      if (index !== undefined)
        return Number(index) <= constraints.length ? textOf(constraints[Number(index) - 1]) : token;
      if (token === '$property') return property;
      if (token === '$target') return targetName;
      return isPrintable(value) ? String(value) : token;
    },
  );
}

function isPrintable(value: unknown): value is string | boolean | number {
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number';
}

function textOf(constraint: unknown): string {
  return Array.isArray(constraint) ? constraint.join(', ') : String(constraint);
}
