/**
 * The constraints that compiled validators run. All of them are synchronous and look at nothing but the value and the arguments of
 * their decorator, which is what makes it right to call them without the rest of class-validator. A name that is missing here is refused
 * when a DTO is compiled; add it after reading its source.
 */
const builtIn = [
  'isDefined',
  'isNotEmpty',
  'isEmpty',
  'equals',
  'notEquals',
  'isIn',
  'isNotIn',
  'isBoolean',
  'isNumber',
  'isInt',
  'isString',
  'isArray',
  'isObject',
  'isEnum',
  'isPositive',
  'isNegative',
  'isDivisibleBy',
  'min',
  'max',
  'matches',
  'minLength',
  'maxLength',
  'isLength',
  'isByteLength',
  'contains',
  'notContains',
  'isAscii',
  'isAlphanumeric',
  'isHexadecimal',
  'isBase64',
  'isUuid',
  'isIso8601',
  'isDateString',
  'isRFC3339',
  'isNumberString',
  'isUrl',
  'isEmail',
  'arrayNotEmpty',
  'arrayMinSize',
  'arrayMaxSize',
  'arrayUnique',
  'arrayContains',
  'arrayNotContains',
  'isNotEmptyObject',
];

const known = new Set(builtIn);

export function isKnownConstraint(name: string | undefined): name is string {
  return name !== undefined && known.has(name);
}

/** True if the name was free. */
export function addKnownConstraint(name: string): boolean {
  if (known.has(name)) return false;
  known.add(name);
  return true;
}
