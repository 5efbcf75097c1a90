import { pointerStep } from '../json/json-pointer.js';
import type { DtoClass } from './nested.js';
import { type PropertyRules, propertyRulesOf } from './property-rules.js';

/** One thing wrong with a document: where (RFC 6901 JSON pointer, `/legs/0/amount`) and what. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export type Validated<Dto> =
  | { readonly valid: true; readonly value: Dto }
  | { readonly valid: false; readonly errors: readonly FieldError[] };

/** Checks a value that JSON or a query string gave and makes the DTO from it. `pointer` is where the value stands in the document. */
export type CompiledValidator<Dto> = (value: unknown, pointer?: string) => Validated<Dto>;

const compiled = new WeakMap<DtoClass, DtoValidator<object>>();

/**
 * A validator made once from the class-validator decorators of a DTO class, about thirty times as fast as class-validator itself and
 * proven equal to it by a property test. Fields without a decorator are refused. It differs in two things: class-transformer drops
 * fields called `constructor` or like a method of the class before they are looked at, and here they are unknown fields; and a
 * message repeats a value with a `$` in it as it was sent.
 *
 * Throws `AssertionFailed` for a class that could not be checked exactly as its decorators say: an unknown constraint, a conversion,
 * `IsOptional` (null passes it), `ValidateNested` (lists pass for objects), groups, or no decorator at all.
 */
export function compileValidator<Dto extends object>(dto: DtoClass<Dto>): CompiledValidator<Dto> {
  const validator = validatorOf(dto);
  return (value, pointer = '') => {
    const made = validator.make(value);
    if (made !== undefined) return { valid: true, value: made };
    return { valid: false, errors: validator.explain(value, pointer) };
  };
}

function validatorOf<Dto extends object>(dto: DtoClass<Dto>): DtoValidator<Dto> {
  const known = compiled.get(dto);
  // The map holds for each class the validator that was made from it.
  if (known !== undefined) return known as DtoValidator<Dto>;
  const validator = new DtoValidator(dto);
  // Entered before it is complete, so that a class may nest itself.
  compiled.set(dto, validator);
  try {
    validator.compile();
  } catch (error) {
    compiled.delete(dto);
    throw error;
  }
  return validator;
}

interface CompiledProperty extends PropertyRules {
  readonly nestedValidator: DtoValidator<object> | undefined;
}

class DtoValidator<Dto extends object> {
  private properties: readonly CompiledProperty[] = [];
  private readonly names = new Set<string>();

  constructor(private readonly dto: DtoClass<Dto>) {}

  compile(): void {
    this.properties = propertyRulesOf(this.dto).map((rules) => ({
      ...rules,
      nestedValidator: rules.nested && validatorOf(rules.nested.type),
    }));
    for (const { name } of this.properties) this.names.add(name);
  }

  /** The DTO, or undefined if anything is wrong with the value. The way of valid documents: it makes nothing but the DTO. */
  make(value: unknown): Dto | undefined {
    if (!isDocument(value)) return undefined;
    const dto = new this.dto();
    for (const name in value) {
      if (!this.names.has(name)) return undefined;
      (dto as Fields)[name] = value[name];
    }
    for (const property of this.properties) if (!makeProperty(dto, property)) return undefined;
    return dto;
  }

  /** Each member of a list, or the one object. Undefined if anything is wrong. */
  makeNested(field: unknown): Dto | Dto[] | undefined {
    if (!Array.isArray(field)) return this.make(field);
    const list: Dto[] = [];
    for (const member of field) {
      const made = this.make(member);
      if (made === undefined) return undefined;
      list.push(made);
    }
    return list;
  }

  /** Everything that is wrong with a value that `make` refused, as class-validator reports it. */
  explain(value: unknown, pointer: string): FieldError[] {
    if (!isDocument(value)) return [{ pointer, detail: 'must be an object' }];
    const dto = new this.dto();
    const errors: FieldError[] = [];
    for (const name in value) {
      if (this.names.has(name)) (dto as Fields)[name] = value[name];
      else
        errors.push({
          pointer: pointer + pointerStep(name),
          detail: `property ${name} should not exist`,
        });
    }
    for (const property of this.properties)
      errors.push(...explainProperty(dto, property, pointer + pointerStep(property.name)));
    return errors;
  }
}

type Fields = Record<string, unknown>;

function isDocument(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function makeProperty(dto: object, property: CompiledProperty): boolean {
  const { name, tests, nestedValidator } = property;
  const field = (dto as Fields)[name];
  if (!applies(dto, field, property)) return true;
  for (const { accepts, appliesIf } of tests)
    if (!accepts(field) && (appliesIf === undefined || appliesIf(dto, field))) return false;
  if (nestedValidator === undefined || field === undefined) return true;
  const made = nestedValidator.makeNested(field);
  (dto as Fields)[name] = made;
  return made !== undefined;
}

function applies(dto: object, field: unknown, { conditions }: PropertyRules): boolean {
  for (const holds of conditions) if (!holds(dto, field)) return false;
  return true;
}

function explainProperty(dto: object, property: CompiledProperty, pointer: string): FieldError[] {
  const field = (dto as Fields)[property.name];
  if (!applies(dto, field, property)) return [];
  const errors = property.tests
    .filter(({ accepts, appliesIf }) => !accepts(field) && (appliesIf?.(dto, field) ?? true))
    .map((test) => ({ pointer, detail: test.describe(dto, field) }));
  return [...errors, ...explainNested(dto, property, field, pointer)];
}

function explainNested(
  dto: object,
  property: CompiledProperty,
  field: unknown,
  pointer: string,
): FieldError[] {
  const { nested, nestedValidator } = property;
  if (nested === undefined || nestedValidator === undefined || field === undefined) return [];
  if (Array.isArray(field))
    return field.flatMap((member, index) =>
      explainNested(dto, property, member, pointer + pointerStep(index)),
    );
  if (!isDocument(field)) return [{ pointer, detail: nested.describe(dto, field) }];
  return nestedValidator.explain(field, pointer);
}
