import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';

interface MessageSource {
  readonly propertyName: string;
  readonly message?: string | ((validationArguments: ValidationArguments) => string);
  readonly constraints: readonly unknown[] | undefined;
}

/** The message of a failed constraint, as class-validator writes it: its own or the decorator's, with the `$` tokens filled in. */
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

function fillTokens(
  message: string,
  { value, constraints, property, targetName }: ValidationArguments,
): string {
  let filled = message;
  for (const [index, constraint] of (constraints as readonly unknown[]).entries())
    filled = filled.replaceAll(`$constraint${index + 1}`, () => textOf(constraint));
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    filled = filled.replaceAll('$value', () => String(value));
  return filled.replaceAll('$property', () => property).replaceAll('$target', () => targetName);
}

function textOf(constraint: unknown): string {
  return Array.isArray(constraint) ? constraint.join(', ') : String(constraint);
}
