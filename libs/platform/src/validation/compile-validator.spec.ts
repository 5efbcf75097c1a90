import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import { Exclude, Expose, Transform, Type, plainToInstance } from 'class-transformer';
import {
  Allow,
  ArrayContains,
  ArrayMaxSize,
  ArrayMinSize,
  ArrayNotContains,
  ArrayNotEmpty,
  ArrayUnique,
  Contains,
  Equals,
  IsAlphanumeric,
  IsArray,
  IsAscii,
  IsBase64,
  IsBoolean,
  IsByteLength,
  IsCreditCard,
  IsDateString,
  IsDefined,
  IsDivisibleBy,
  IsEmail,
  IsEmpty,
  IsEnum,
  IsHexadecimal,
  IsISO8601,
  IsIn,
  IsInt,
  IsNegative,
  IsNotEmpty,
  IsNotEmptyObject,
  IsNotIn,
  IsNumber,
  IsNumberString,
  IsObject,
  IsOptional,
  IsPositive,
  IsRFC3339,
  IsString,
  IsUUID,
  IsUrl,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  NotContains,
  NotEquals,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationError,
  registerDecorator,
  validateSync,
} from 'class-validator';
import fc from 'fast-check';
import { type FieldError, compileValidator } from './compile-validator.js';
import { defineConstraint } from './constraint.js';
import { IsIntegerText, IsTextMap } from './constraints.js';
import { pointerStep } from '../json/json-pointer.js';
import { type DtoClass, IsNested, IsNestedList } from './nested.js';
import { MayBeAbsent, MayBeNull } from './presence.js';

class Leg {
  @IsString()
  @Length(1, 8)
  accountId!: string;

  @IsIn(['debit', 'credit'])
  side!: 'debit' | 'credit';

  @Matches(/^(?:0|[1-9][0-9]{0,35})$/, { message: '$property must be a whole number, not $value' })
  amount!: string;

  @MayBeAbsent()
  @IsInt()
  @Min(1)
  @Max(99)
  expectedVersion?: number;
}

class Party {
  @MayBeAbsent()
  @MayBeNull()
  @IsString()
  @MaxLength(3)
  name?: string | null;

  @MayBeAbsent()
  @IsNested(() => Party)
  parent?: Party;
}

class Base {
  @IsString()
  @IsNotEmpty()
  kind!: string;

  @MayBeAbsent()
  @IsArray()
  @ArrayMaxSize(2)
  @IsString({ each: true })
  @MinLength(2, { each: true, message: 'each value in $property is too short: $target' })
  labels?: string[];
}

class Transfer extends Base {
  static readonly limits = { entriesMax: 2, keyCharactersMax: 3, valueCharactersMax: 3 };

  @IsNestedList(() => Leg, { min: 1, max: 3 })
  legs!: Leg[];

  @MayBeAbsent()
  @IsTextMap(Transfer.limits)
  metadata?: Record<string, string>;

  @MayBeNull()
  @Matches(/^-?[0-9]+$/)
  floor!: string | null;

  @ValidateIf((transfer: Transfer) => transfer.kind === 'a')
  @IsBoolean()
  final?: boolean;

  @MayBeAbsent()
  @IsNested(() => Party)
  party?: Party;

  @Allow()
  note?: unknown;

  @IsIntegerText(0, 10)
  count = '7';

  total(): number {
    return this.legs.length;
  }
}

/** The reference: what Nest's ValidationPipe does with whitelist and forbidNonWhitelisted. */
function byClassValidator(dto: DtoClass, value: object) {
  const instance = plainToInstance(dto, value);
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
  });
  return { instance, errors: errors.flatMap((error) => flat(error, '')) };
}

function flat(error: ValidationError, parent: string): FieldError[] {
  const pointer = parent + pointerStep(error.property);
  return [
    ...Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail })),
    ...(error.children ?? []).flatMap((child) => flat(child, pointer)),
  ];
}

const sorted = (errors: readonly FieldError[]) =>
  errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).sort();

/** class-validator garbles a value with a `$` when a message repeats it (a test below says what we do); of such documents only the pointers are compared. */
const withoutDetails = (errors: readonly FieldError[]) =>
  errors.map(({ pointer }) => pointer).sort();

function expectEqual(dto: DtoClass, value: object): boolean {
  const reference = byClassValidator(dto, structuredClone(value));
  const comparable = JSON.stringify(value).includes('$') ? withoutDetails : sorted;
  const compiled = compileValidator(dto)(structuredClone(value));
  if (compiled.valid) {
    expect(reference.errors).toEqual([]);
    expect(compiled.value).toStrictEqual(reference.instance);
  } else expect(comparable(compiled.errors)).toEqual(comparable(reference.errors));
  return compiled.valid;
}

/** Values that are near the limits of some constraint, and values of every other JSON type. */
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    2,
    99,
    100,
    1.5,
    '',
    'a',
    'debit',
    'credit',
  ),
  fc.constantFrom<unknown>(
    '0',
    '007',
    '10',
    '12345678',
    '123456789',
    '😀',
    '😀\ufe0f',
    '😀\ufe0f😀\ufe0f😀\ufe0f',
    '😀😀😀😀',
    '👍🏽\ufe0f',
    '\ufe0f',
  ),
  fc.constantFrom<unknown>(
    'aGk=',
    'ff',
    'a@b.cd',
    'http://x.yz',
    '2024-02-30',
    '2024-02-29T10:00:00Z',
  ),
  fc.constantFrom<unknown>('6f1fd2c6-34b0-4d2c-9ae2-0ea9d8a3c7ed', 'ü', '12 3', '-1', '1e3'),
  fc.string({ maxLength: 10 }),
  fc.integer({ min: -3, max: 103 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'kind', 'name', 'parent', 'amount'), tie('value')),
  ),
})).value;

/** A good value mostly, so that whole documents are often valid; else no value at all or a wild one. */
const mostly = <Value>(good: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: anything });
const record = (fields: Record<string, fc.Arbitrary<unknown>>, required: string[]) =>
  fc
    .tuple(
      fc.record(fields, { requiredKeys: required }),
      fc.oneof(
        { weight: 20, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constantFrom('unknown', ...required) },
      ),
      anything,
    )
    .map(([document, name, value]) => (name === null ? document : { ...document, [name]: value }));

const leg = record(
  {
    accountId: mostly(fc.constantFrom('a', '12345678', '😀😀😀😀😀😀😀😀')),
    side: mostly(fc.constantFrom('debit', 'credit')),
    amount: mostly(fc.constantFrom('0', '17', '9'.repeat(36))),
    expectedVersion: mostly(fc.integer({ min: 1, max: 99 })),
  },
  ['accountId', 'side', 'amount'],
);
const party = fc.letrec<{ party: unknown }>((tie) => ({
  party: record(
    {
      name: mostly(fc.constantFrom('abc', null)),
      parent: fc.oneof({ maxDepth: 2 }, fc.constant({}), tie('party')),
    },
    [],
  ),
})).party;
const transfer = record(
  {
    kind: mostly(fc.constantFrom('a', 'b')),
    labels: mostly(fc.array(fc.constantFrom('ab', '👍🏽'), { maxLength: 2 })),
    legs: mostly(fc.array(mostly(leg), { minLength: 1, maxLength: 3 })),
    metadata: mostly(fc.dictionary(fc.constantFrom('a', 'abc'), fc.constantFrom('', 'xyz'))),
    floor: mostly(fc.constantFrom(null, '-5')),
    final: mostly(fc.boolean()),
    party: mostly(party),
    note: anything,
    count: mostly(fc.constantFrom('0', '10')),
  },
  ['kind', 'legs', 'floor', 'final'],
);

describe('compiled validators', () => {
  it('say, make and explain what class-validator does, for random documents', () => {
    let valid = 0;
    let played = 0;
    fc.assert(
      fc.property(transfer, (document) => {
        played++;
        if (expectEqual(Transfer, document)) valid++;
      }),
      { numRuns: runs({ short: 500, long: 5_000 }) },
    );
    // The property says little unless both answers are frequent.
    expect(valid / played).toBeGreaterThan(0.1);
    expect(valid / played).toBeLessThan(0.9);
  });

  const constraints: Readonly<Record<string, PropertyDecorator>> = {
    IsDefined: IsDefined(),
    IsNotEmpty: IsNotEmpty(),
    IsEmpty: IsEmpty(),
    Equals: Equals('a'),
    NotEquals: NotEquals('a'),
    IsIn: IsIn(['a', 1, null]),
    IsNotIn: IsNotIn(['a', 1, null]),
    IsBoolean: IsBoolean(),
    IsNumber: IsNumber(),
    IsInt: IsInt(),
    IsString: IsString(),
    IsArray: IsArray(),
    IsObject: IsObject(),
    IsEnum: IsEnum({ A: 'a', ONE: 1 }),
    IsPositive: IsPositive(),
    IsNegative: IsNegative(),
    IsDivisibleBy: IsDivisibleBy(2),
    Min: Min(1),
    Max: Max(99),
    Matches: Matches(/^[a-z]+$/),
    'Matches with a global pattern': Matches(/[0-9]/g),
    'Matches with a pattern as text': Matches('^A$', 'i'),
    MinLength: MinLength(2),
    'MinLength of dense texts': MinLength(4),
    MaxLength: MaxLength(2),
    Length: Length(1, 4),
    'Length without an upper bound': Length(2),
    IsByteLength: IsByteLength(1, 4),
    Contains: Contains('e'),
    NotContains: NotContains('e'),
    IsAscii: IsAscii(),
    IsAlphanumeric: IsAlphanumeric(),
    IsHexadecimal: IsHexadecimal(),
    IsBase64: IsBase64(),
    IsUUID: IsUUID(),
    IsISO8601: IsISO8601({ strict: true }),
    IsDateString: IsDateString(),
    IsRFC3339: IsRFC3339(),
    IsNumberString: IsNumberString(),
    IsUrl: IsUrl(),
    IsEmail: IsEmail(),
    ArrayNotEmpty: ArrayNotEmpty(),
    ArrayMinSize: ArrayMinSize(2),
    ArrayMaxSize: ArrayMaxSize(1),
    ArrayUnique: ArrayUnique(),
    ArrayContains: ArrayContains(['a']),
    ArrayNotContains: ArrayNotContains(['a']),
    IsNotEmptyObject: IsNotEmptyObject(),
    IsIntegerText: IsIntegerText(1, 99),
    IsTextMap: IsTextMap({ entriesMax: 1, keyCharactersMax: 4, valueCharactersMax: 2 }),
    'a constraint that applies sometimes': IsString({ validateIf: (_, value) => value !== 1 }),
    'a constraint for each': Length(1, 2, { each: true }),
  };

  it.each(Object.entries(constraints))('treat any value as %s does', (_name, decorate) => {
    class Example {
      field?: unknown;
    }
    decorate(Example.prototype, 'field');
    fc.assert(
      fc.property(fc.record({ field: anything }, { requiredKeys: [] }), (document) => {
        expectEqual(Example, document);
      }),
      { numRuns: runs({ short: 100, long: 300 }) },
    );
  });

  it('gives the DTO its class, its defaults and its methods', () => {
    const made = compileValidator(Transfer)({
      kind: 'b',
      legs: [{ accountId: 'a', side: 'debit', amount: '1' }],
      floor: null,
    });
    expect(made.valid && made.value.total()).toBe(1);
    expect(made.valid && made.value.legs[0]).toBeInstanceOf(Leg);
    expect(made.valid && made.value.count).toBe('7');
  });

  it('points at what is wrong from where the value stands in its document', () => {
    expect(
      compileValidator(Transfer)(
        { kind: 'b', legs: [{ side: 'x', 'a/b': 1 }], floor: null },
        '/items/3',
      ),
    ).toEqual({
      valid: false,
      errors: [
        { pointer: '/items/3/legs/0/a~1b', detail: 'property a/b should not exist' },
        {
          pointer: '/items/3/legs/0/accountId',
          detail: 'accountId must be longer than or equal to 1 characters',
        },
        { pointer: '/items/3/legs/0/accountId', detail: 'accountId must be a string' },
        {
          pointer: '/items/3/legs/0/side',
          detail: 'side must be one of the following values: debit, credit',
        },
        { pointer: '/items/3/legs/0/amount', detail: 'amount must be a whole number, not $value' },
      ],
    });
  });

  it.each(['$$', '$&', '$1', '$property', '$constraint1', '$value$target'])(
    'repeat the value %s as it was sent',
    (amount) => {
      expect(compileValidator(Leg)({ accountId: 'a', side: 'debit', amount })).toEqual({
        valid: false,
        errors: [{ pointer: '/amount', detail: `amount must be a whole number, not ${amount}` }],
      });
    },
  );

  it.each<unknown>([[[]], [null], [undefined], ['text'], [7], [true]])(
    'refuse %p in place of a document',
    (value) => {
      expect(compileValidator(Leg)(value, '/x')).toEqual({
        valid: false,
        errors: [{ pointer: '/x', detail: 'must be an object' }],
      });
    },
  );

  it('refuse lists in place of nested objects, which ValidateNested lets pass', () => {
    const outcome = compileValidator(Transfer)({ kind: 'b', legs: [[], []], floor: null });
    expect(outcome).toEqual({
      valid: false,
      errors: [{ pointer: '/legs', detail: 'each value in legs must be an object' }],
    });
  });

  it('refuse null for what may only be absent, and absence of what may only be null', () => {
    const document = { kind: 'b', legs: [{ accountId: 'a', side: 'debit', amount: '1' }] };
    expect(compileValidator(Transfer)({ ...document, floor: null, labels: null })).toMatchObject({
      errors: expect.arrayContaining([{ pointer: '/labels', detail: 'labels must be an array' }]),
    });
    expect(compileValidator(Transfer)(document)).toMatchObject({
      errors: [{ pointer: '/floor', detail: 'floor must match /^-?[0-9]+$/ regular expression' }],
    });
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'total', '__proto__', 'isPrototypeOf'])(
    'refuse an unknown field called %s, which class-transformer or class-validator overlook',
    (name) => {
      const document = JSON.parse(
        `{"kind":"b","floor":null,"legs":[{"accountId":"a","side":"debit","amount":"1"}],"${name}":{}}`,
      ) as object;
      expect(compileValidator(Transfer)(document)).toMatchObject({
        errors: [{ pointer: `/${name}`, detail: `property ${name} should not exist` }],
      });
    },
  );
});

describe('compiling a validator', () => {
  let target: DtoClass;
  const field = (...decorators: PropertyDecorator[]) => {
    target = class Example {
      field?: unknown;
    };
    for (const decorate of decorators) decorate(target.prototype as object, 'field');
    return () => compileValidator(target);
  };

  const asynchronous: PropertyDecorator = (prototype, propertyName) =>
    registerDecorator({
      name: 'isString',
      async: true,
      target: prototype.constructor,
      propertyName: String(propertyName),
      validator: { validate: () => Promise.resolve(true) },
    });

  it.each<[string, PropertyDecorator[], string]>([
    [
      'no decorator at all',
      [],
      'Example has no validation decorators, so it would validate nothing',
    ],
    [
      'a built-in constraint that is not in the table',
      [IsCreditCard()],
      'the constraint isCreditCard',
    ],
    [
      'a constraint of its own that was not defined',
      [ValidateBy({ name: 'isLucky', validator: { validate: () => true } })],
      'the constraint isLucky',
    ],
    ['an asynchronous constraint', [asynchronous], 'the constraint isString'],
    ['IsOptional', [IsOptional(), IsString()], 'use MayBeAbsent, MayBeNull or both'],
    ['ValidateNested alone', [ValidateNested(), Type(() => Leg)], 'use IsNested or IsNestedList'],
    ['a conversion by Type', [IsInt(), Type(() => Number)], 'Example.field uses Type'],
    ['a conversion by Transform', [IsInt(), Transform(() => 1)], 'Example.field uses Transform'],
    ['another name by Expose', [IsInt(), Expose({ name: 'other' })], 'Expose or Exclude'],
    ['Exclude', [IsInt(), Exclude()], 'Expose or Exclude'],
    ['groups', [IsInt({ groups: ['a'] })], 'uses validation groups'],
  ])('throws for %s', (_name, decorators, message) => {
    expect(field(...decorators)).toThrow(message);
  });

  it('throws again when asked again, and for a class that nests one that cannot be compiled', () => {
    const compile = field(IsCreditCard());
    expect(compile).toThrow('isCreditCard');
    expect(compile).toThrow('isCreditCard');
    const inner = target;
    expect(field(IsNested(() => inner))).toThrow('isCreditCard');
  });

  it('throws for a property that every object inherits', () => {
    class Example {
      field?: unknown;
    }
    IsString()(Example.prototype, 'toString');
    expect(() => compileValidator(Example)).toThrow('Example.toString');
  });

  it('throws when a constraint is defined twice', () => {
    expect(() =>
      defineConstraint(
        'isIntegerText',
        () => () => true,
        () => '',
      ),
    ).toThrow('defined once');
  });
});
