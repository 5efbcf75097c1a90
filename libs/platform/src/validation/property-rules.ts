import { assert, defined } from '@holdfast/kernel';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import { TransformationType, getMetadataStorage } from './class-validator.js';
import { constraintMessage } from './constraint-message.js';
import type { Accepts } from './constraint.js';
import { fastTest } from './fast-tests.js';
import { isKnownConstraint } from './known-constraints.js';
import { type DtoClass, nestedType } from './nested.js';

type MetadataStorage = ReturnType<typeof getMetadataStorage>;

/** What class-validator keeps of one decorator. Its own types hide what may be missing. */
interface Metadata {
  readonly type: string;
  readonly name?: string | undefined;
  readonly propertyName: string;
  readonly message?: string | ((validationArguments: ValidationArguments) => string);
  readonly constraints: readonly unknown[] | undefined;
  readonly constraintCls: Parameters<MetadataStorage['getTargetValidatorConstraints']>[0];
  readonly groups: readonly string[] | undefined;
  readonly each: boolean | undefined;
  readonly validateIf?: Condition | undefined;
}

type Condition = (dto: object, value: unknown) => boolean;

/** One constraint on one property. */
export interface PropertyTest {
  readonly accepts: Accepts;
  /** The message for a value that was not accepted. */
  readonly describe: (dto: object, value: unknown) => string;
  readonly appliesIf: Condition | undefined;
}

/** Everything that class-validator would do with one property. */
export interface PropertyRules {
  readonly name: string;
  /** All must hold, or nothing else is looked at. */
  readonly conditions: readonly Condition[];
  readonly tests: readonly PropertyTest[];
  readonly nested: NestedRule | undefined;
}

export interface NestedRule {
  readonly type: DtoClass;
  readonly describe: (dto: object, value: unknown) => string;
}

/** Reads the decorators of a DTO class. Throws `AssertionFailed` for whatever could not be run exactly as class-validator would. */
export function propertyRulesOf(dto: DtoClass): readonly PropertyRules[] {
  const byProperty = new Map<string, Metadata[]>();
  for (const metadata of metadatasOf(dto)) {
    const ofProperty = byProperty.get(metadata.propertyName) ?? [];
    byProperty.set(metadata.propertyName, [...ofProperty, metadata]);
  }
  assert(
    byProperty.size > 0,
    `${dto.name} has no validation decorators, so it would validate nothing`,
  );
  return [...byProperty].map(([name, metadatas]) => rulesOf(dto, name, metadatas));
}

function metadatasOf(dto: DtoClass): readonly Metadata[] {
  return getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
}

function rulesOf(dto: DtoClass, name: string, metadatas: readonly Metadata[]): PropertyRules {
  const place = `${dto.name}.${name}`;
  assert(!(name in Object.prototype), `${place} has a name that every object inherits`);
  assertNothingTransforms(dto, name, place);
  const conditions: Condition[] = [];
  const tests: PropertyTest[] = [];
  let nested: NestedRule | undefined;
  for (const metadata of metadatas) {
    assert(
      (metadata.groups ?? []).length === 0,
      `${place} uses validation groups, which are not supported`,
    );
    switch (metadata.type) {
      case 'conditionalValidation':
        conditions.push(conditionOf(metadata, place));
        break;
      case 'customValidation':
      case 'isDefined':
        tests.push(testOf(metadata, place));
        break;
      case 'nestedValidation':
        nested = nestedRuleOf(dto, metadata, metadatas, place);
        break;
      case 'whitelistValidation':
        break;
      default:
        assert(false, `${place} uses ${metadata.type}, which compiled validators do not know`);
    }
  }
  return { name, conditions, tests, nested };
}

/** A conversion would be skipped silently; values are validated and used as they came. */
function assertNothingTransforms(dto: DtoClass, name: string, place: string): void {
  const storage = defaultMetadataStorage;
  const conversions = storage.findTransformMetadatas(dto, name, TransformationType.PLAIN_TO_CLASS);
  assert(conversions.length === 0, `${place} uses Transform, but DTOs are never converted`);
  const renamed = storage.findExposeMetadata(dto, name) ?? storage.findExcludeMetadata(dto, name);
  assert(renamed === undefined, `${place} uses Expose or Exclude, but DTOs are never converted`);
  const typed = storage.findTypeMetadata(dto, name);
  assert(
    typed === undefined || nestedType(dto, name) !== undefined,
    `${place} uses Type; use IsNested or IsNestedList, which check what they make`,
  );
}

function conditionOf(metadata: Metadata, place: string): Condition {
  assert(
    metadata.name !== 'isOptional',
    `${place} uses IsOptional, which lets null pass; use MayBeAbsent, MayBeNull or both`,
  );
  const [condition] = metadata.constraints ?? [];
  assert(typeof condition === 'function', `${place} has a condition`);
  return condition as Condition;
}

function testOf(metadata: Metadata, place: string): PropertyTest {
  const constraints = getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls);
  assert(constraints.length === 1, `${place} has one validator for each constraint`);
  const { name, async, instance } = defined(constraints[0], 'the constraint');
  assert(
    !async && isKnownConstraint(name),
    `${place} uses the constraint ${name}, which compiled validators do not know`,
  );
  const accepts = fastTest(name, metadata.constraints ?? []) ?? plainTest(instance, metadata);
  return {
    accepts: metadata.each
      ? (value) => (Array.isArray(value) ? value.every(accepts) : accepts(value))
      : accepts,
    describe: (dto, value) => constraintMessage(metadata, dto, value, instance),
    appliesIf: metadata.validateIf,
  };
}

/** The constraint's own function. Known constraints look at nothing of the arguments but their constraints. */
function plainTest(constraint: ValidatorConstraintInterface, metadata: Metadata): Accepts {
  const validationArguments: ValidationArguments = {
    value: undefined,
    constraints: [...(metadata.constraints ?? [])],
    targetName: '',
    object: {},
    property: metadata.propertyName,
  };
  return (value) => {
    const accepted = constraint.validate(value, validationArguments);
    assert(typeof accepted === 'boolean', `${metadata.propertyName} has a synchronous constraint`);
    return accepted;
  };
}

function nestedRuleOf(
  dto: DtoClass,
  metadata: Metadata,
  metadatas: readonly Metadata[],
  place: string,
): NestedRule {
  const type = nestedType(dto, metadata.propertyName);
  const checksObject = metadatas.some(
    (other) => other.name === 'isObject' && (other.each ?? false) === (metadata.each ?? false),
  );
  assert(
    type !== undefined && checksObject,
    `${place} uses ValidateNested, which lets lists pass for objects; use IsNested or IsNestedList`,
  );
  return { type, describe: (object, value) => constraintMessage(metadata, object, value) };
}
