import { ADDRESS_ALLOWED, addressOf } from '@holdfast/kernel';

/** How one environment variable becomes one property. */
export interface Variable {
  /** `HOLDFAST_…` */
  readonly name: string;
  /** What it is for: a sentence of the documentation. */
  readonly meaning: string;
  /** Completes "must be …". */
  readonly allowed: string;
  /** What the variable says when it is not set. */
  readonly defaultText: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** It is of no use where it is less than so many times another one, of the same class. */
  readonly atLeast?: AtLeast;
  readonly property: string;
  /** The property's value; the text itself when it is of no use, which `accepts` then refuses. */
  readonly convert: (text: string) => unknown;
  readonly accepts: (value: unknown) => boolean;
}

export interface AtLeast {
  readonly times: number;
  /** `HOLDFAST_…` */
  readonly name: string;
}

interface Described<Value> {
  readonly default: Value;
  readonly meaning: string;
}

const KIBIBYTE = 1024;
const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: KIBIBYTE,
  MiB: KIBIBYTE ** 2,
  GiB: KIBIBYTE ** 3,
};

const variables = new WeakMap<object, Variable[]>();
const sections = new WeakMap<object, { property: string; type: () => ConfigurationClass }[]>();

export type ConfigurationClass<Configuration extends object = object> = new () => Configuration;

/** A text that matches the pattern as a whole. */
export function TextVariable(
  name: string,
  options: Described<string> & {
    readonly pattern: RegExp;
    readonly allowed: string;
    readonly secret?: boolean;
  },
): PropertyDecorator {
  return declare(name, {
    ...options,
    defaultText: options.default,
    convert: (text) => text,
    accepts: (value) => typeof value === 'string' && options.pattern.test(value),
  });
}

/** Where a service is, without a slash behind it. */
export function AddressVariable(name: string, options: Described<string>): PropertyDecorator {
  return declare(name, {
    meaning: options.meaning,
    defaultText: options.default,
    allowed: ADDRESS_ALLOWED,
    convert: (text) => addressOf(text) ?? text,
    accepts: (value) => addressOf(String(value)) === value,
  });
}

/** One of a few words. */
export function ChoiceVariable<Choice extends string>(
  name: string,
  options: Described<Choice> & { readonly choices: readonly Choice[] },
): PropertyDecorator {
  return declare(name, {
    meaning: options.meaning,
    defaultText: options.default,
    allowed: `one of ${options.choices.join(', ')}`,
    convert: (text) => text,
    accepts: (value) => (options.choices as readonly unknown[]).includes(value),
  });
}

/** A whole number in decimal digits. */
export function IntegerVariable(
  name: string,
  options: Described<number> & { readonly min: number; readonly max: number },
): PropertyDecorator {
  return declare(name, {
    meaning: options.meaning,
    defaultText: String(options.default),
    allowed: `a whole number from ${options.min} to ${options.max}`,
    convert: (text) => (/^[0-9]{1,15}$/.test(text) ? Number(text) : text),
    accepts: wholeNumberWithin(options),
  });
}

/** A number of bytes: decimal digits, and KiB, MiB or GiB behind them if wanted. */
export function BytesVariable(
  name: string,
  options: Described<number> & {
    readonly min: number;
    readonly max: number;
    readonly atLeast?: AtLeast;
  },
): PropertyDecorator {
  return declare(name, {
    meaning: options.meaning,
    ...(options.atLeast && { atLeast: options.atLeast }),
    defaultText: bytesText(options.default),
    allowed: `a number of bytes such as 65536 or 64MiB, from ${bytesText(options.min)} to ${bytesText(options.max)}`,
    convert: bytesOf,
    accepts: wholeNumberWithin(options),
  });
}

/** `true` or `false`. */
export function SwitchVariable(name: string, options: Described<boolean>): PropertyDecorator {
  return declare(name, {
    meaning: options.meaning,
    defaultText: String(options.default),
    allowed: 'true or false',
    convert: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    accepts: (value) => typeof value === 'boolean',
  });
}

/** A part of a configuration that several applications share. */
export function Section(type: () => ConfigurationClass): PropertyDecorator {
  return (target, property) => {
    sections.set(target, [...(sections.get(target) ?? []), { property: String(property), type }]);
  };
}

export function variablesOf(configuration: ConfigurationClass): readonly Variable[] {
  return variables.get(configuration.prototype as object) ?? [];
}

export function sectionsOf(
  configuration: ConfigurationClass,
): readonly { readonly property: string; readonly type: () => ConfigurationClass }[] {
  return sections.get(configuration.prototype as object) ?? [];
}

function declare(name: string, variable: Omit<Variable, 'name' | 'property'>): PropertyDecorator {
  return (target, property) => {
    const { meaning, allowed, defaultText, convert, accepts, secret = false, atLeast } = variable;
    const described = { name, meaning, allowed, defaultText, convert, accepts, secret };
    const declared = { ...described, ...(atLeast && { atLeast }), property: String(property) };
    variables.set(target, [...(variables.get(target) ?? []), declared]);
  };
}

function wholeNumberWithin({ min, max }: { readonly min: number; readonly max: number }) {
  return (value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function bytesOf(text: string): unknown {
  const [, digits, unit = ''] = /^([0-9]{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  return digits === undefined ? text : Number(digits) * (BYTE_UNITS[unit] ?? NaN);
}

function bytesText(bytes: number): string {
  if (bytes === 0) return '0';
  const unit = ['GiB', 'MiB', 'KiB'].find((name) => bytes % (BYTE_UNITS[name] ?? NaN) === 0) ?? '';
  return `${bytes / (BYTE_UNITS[unit] ?? 1)}${unit}`;
}
